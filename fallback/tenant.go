package fallback

// Tenant is one environment's entry in context.yaml: what the platform says
// about the organisation behind a session.
type Tenant struct {
	TenantID             string     `yaml:"tenant_id"`
	DefaultDonFamily     string     `yaml:"default_don_family"`
	VaultGatewayURL      string     `yaml:"vault_gateway_url"`
	CapabilitiesRegistry *Contract  `yaml:"capabilities_registry,omitempty"`
	Registries           []Registry `yaml:"registries"`
	Forwarders           []Contract `yaml:"forwarders,omitempty"`
}

// Contract is a contract on a chain. Selectors are unsigned 64-bit numbers.
type Contract struct {
	ChainSelector uint64 `yaml:"chain_selector"`
	Address       string `yaml:"address"`
}

// Registry is one workflow registry. An off-chain one has neither selector nor
// address; a registry's selector is a string in the documented file.
type Registry struct {
	ID               string   `yaml:"id"`
	Label            string   `yaml:"label"`
	Type             string   `yaml:"type"` // on-chain, off-chain or unknown
	ChainSelector    string   `yaml:"chain_selector,omitempty"`
	Address          string   `yaml:"address,omitempty"`
	SecretsAuthFlows []string `yaml:"secrets_auth_flows,omitempty"`
}
