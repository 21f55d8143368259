package official

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gopkg.in/yaml.v2"
)

// tenant is one environment's entry in context.yaml.
type tenant struct {
	TenantID         string     `yaml:"tenant_id"`
	DefaultDonFamily string     `yaml:"default_don_family"`
	VaultGatewayURL  string     `yaml:"vault_gateway_url"`
	Capabilities     contract   `yaml:"capabilities_registry"`
	Registries       []registry `yaml:"registries"`
	Forwarders       []contract `yaml:"forwarders,omitempty"`
}

type contract struct {
	ChainSelector uint64 `yaml:"chain_selector"`
	Address       string `yaml:"address"`
}

type registry struct {
	ID            string   `yaml:"id"`
	Label         string   `yaml:"label"`
	Type          string   `yaml:"type"`
	ChainSelector string   `yaml:"chain_selector,omitempty"`
	Address       string   `yaml:"address,omitempty"`
	Flows         []string `yaml:"secrets_auth_flows,omitempty"`
}

// attachTenant fetches the tenant's context unless context.yaml has it; with a
// key, it always does.
func (p *program) attachTenant(ctx context.Context) error {
	if p.session.apiKey == "" {
		if _, ok := p.tenant(); ok {
			return nil
		}
	}
	return p.fetchTenant(ctx)
}

// tenant reads this environment's entry.
func (p *program) tenant() (tenant, bool) {
	data, err := os.ReadFile(filepath.Join(p.folder(), "context.yaml"))
	if err != nil {
		return tenant{}, false
	}
	var all map[string]tenant
	if yaml.Unmarshal(data, &all) != nil {
		return tenant{}, false
	}
	t, ok := all[p.place.name]
	return t, ok
}

// answeredTenant is the platform's answer. Its selectors are strings or numbers.
type answeredTenant struct {
	TenantID             string
	DefaultDonFamily     string
	VaultGatewayURL      string
	CapabilitiesRegistry *answeredContract
	Registries           []struct {
		ID, Label, Type  string
		ChainSelector    json.RawMessage
		Address          string
		SecretsAuthFlows []string
	}
	Forwarders []answeredContract
}

type answeredContract struct {
	ChainSelector json.RawMessage
	Address       string
}

// fetchTenant writes context.yaml with this one environment in it.
func (p *program) fetchTenant(ctx context.Context) error {
	var data struct{ GetTenantConfig answeredTenant }
	err := p.ask(ctx, `query GetTenantConfig { getTenantConfig { tenantId defaultDonFamily vaultGatewayUrl
		capabilitiesRegistry { chainSelector address }
		registries { id label type chainSelector address secretsAuthFlows }
		forwarders { chainSelector address } } }`, nil, &data)
	if err != nil {
		return err
	}
	t, err := data.GetTenantConfig.translate()
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(map[string]tenant{p.place.name: t})
	if err != nil {
		return err
	}
	return p.keep("context.yaml", text)
}

func (a answeredTenant) translate() (tenant, error) {
	t := tenant{TenantID: a.TenantID, DefaultDonFamily: a.DefaultDonFamily, VaultGatewayURL: a.VaultGatewayURL}
	if a.CapabilitiesRegistry == nil {
		return tenant{}, errors.New("the tenant config has no capabilities registry")
	}
	var ok bool
	if t.Capabilities, ok = a.CapabilitiesRegistry.translate(); !ok {
		return tenant{}, errors.New("the tenant config's capabilities registry is not valid")
	}
	for _, r := range a.Registries {
		kind, known := map[string]string{"ON_CHAIN": "on-chain", "OFF_CHAIN": "off-chain"}[r.Type]
		if !known {
			kind = "unknown"
		}
		entry := registry{ID: r.ID, Label: r.Label, Type: kind, ChainSelector: digits(r.ChainSelector), Address: r.Address}
		if kind == "on-chain" {
			entry.ID, entry.Label = "onchain:"+r.ID, r.ID+" ("+abbreviated(r.Address)+")"
		}
		for _, flow := range r.SecretsAuthFlows {
			if known := map[string]string{"BROWSER": "browser", "OWNER_KEY_SIGNING": "owner-key-signing"}[flow]; known != "" {
				entry.Flows = append(entry.Flows, known)
			}
		}
		t.Registries = append(t.Registries, entry)
	}
	for _, f := range a.Forwarders {
		if c, ok := f.translate(); ok {
			t.Forwarders = append(t.Forwarders, c)
		}
	}
	return t, nil
}

func (a answeredContract) translate() (contract, bool) {
	selector, err := strconv.ParseUint(digits(a.ChainSelector), 10, 64)
	return contract{selector, a.Address}, err == nil && a.Address != ""
}

// digits reads a JSON string or number without a float on the way; null is empty.
func digits(raw json.RawMessage) string {
	text := string(bytes.Trim(raw, `"`))
	return strings.TrimPrefix(text, "null")
}

func abbreviated(address string) string {
	if len(address) <= 10 {
		return address
	}
	return address[:6] + "..." + address[len(address)-4:]
}
