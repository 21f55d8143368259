package account

import (
	"encoding/json"
	"strconv"
	"strings"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/fallback"
)

// tenantConfig is the platform's answer, which tenant translates into the
// terms of context.yaml.
type tenantConfig struct {
	TenantID             text
	DefaultDonFamily     text
	VaultGatewayURL      text
	CapabilitiesRegistry *contract
	Registries           []registry
	Forwarders           []contract
}

type contract struct {
	ChainSelector text
	Address       text
}

type registry struct {
	ID, Label, Type        text
	ChainSelector, Address text
	SecretsAuthFlows       []text
}

func (c tenantConfig) tenant() fallback.Tenant {
	tenant := fallback.Tenant{
		TenantID:         string(c.TenantID),
		DefaultDonFamily: string(c.DefaultDonFamily),
		VaultGatewayURL:  string(c.VaultGatewayURL),
		Registries:       make([]fallback.Registry, 0, len(c.Registries)),
	}
	if c.CapabilitiesRegistry != nil {
		if translated, ok := c.CapabilitiesRegistry.translate(); ok {
			tenant.CapabilitiesRegistry = &translated
		}
	}
	for _, r := range c.Registries {
		tenant.Registries = append(tenant.Registries, r.translate())
	}
	for _, f := range c.Forwarders {
		if translated, ok := f.translate(); ok {
			tenant.Forwarders = append(tenant.Forwarders, translated)
		}
	}
	return tenant
}

// translate reports false for a contract without a valid selector or address.
func (c contract) translate() (fallback.Contract, bool) {
	selector, err := strconv.ParseUint(string(c.ChainSelector), 10, 64)
	return fallback.Contract{ChainSelector: selector, Address: string(c.Address)}, err == nil && c.Address != ""
}

func (r registry) translate() fallback.Registry {
	translated := fallback.Registry{
		ID:               string(r.ID),
		Label:            string(r.Label),
		Type:             "unknown",
		ChainSelector:    string(r.ChainSelector),
		Address:          string(r.Address),
		SecretsAuthFlows: authFlows(r.SecretsAuthFlows),
	}
	switch r.Type {
	case "OFF_CHAIN":
		translated.Type = "off-chain"
	case "ON_CHAIN":
		translated.Type = "on-chain"
		translated.ID = "onchain:" + string(r.ID)
		if r.Address != "" {
			translated.Label = string(r.ID) + " (" + abbreviate(string(r.Address)) + ")"
		}
	}
	return translated
}

func authFlows(flows []text) []string {
	var known []string
	for _, flow := range flows {
		switch flow {
		case "BROWSER":
			known = append(known, "browser")
		case "OWNER_KEY_SIGNING":
			known = append(known, "owner-key-signing")
		}
	}
	return known
}

func abbreviate(address string) string {
	runes := []rune(address)
	if len(runes) <= 10 {
		return address
	}
	return string(runes[:6]) + "..." + string(runes[len(runes)-4:])
}

// text is a string from the platform: cleaned, without white space around it,
// and of at most 512 characters. A JSON number becomes its own digits, since a
// chain selector may be one above 2^53, which a float can't hold; anything
// else becomes "", as if it weren't there.
type text string

// UnmarshalJSON implements json.Unmarshaler. It never fails on valid JSON.
func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	var number json.Number
	if json.Unmarshal(data, &s) != nil && json.Unmarshal(data, &number) == nil {
		s = number.String()
	}
	*t = text(strings.TrimSpace(safetext.Clean(s, maxText)))
	return nil
}
