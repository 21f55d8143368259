package api

import (
	"errors"
	"strconv"

	graphql "github.com/graph-gophers/graphql-go"
)

type accountDetails struct{ EmailAddress string }

type organization struct {
	DisplayName    string
	OrganizationID graphql.ID
}

type tenantConfig struct {
	TenantID             graphql.ID
	DefaultDonFamily     string
	VaultGatewayURL      string
	CapabilitiesRegistry contract
	Registries           []registry
	Forwarders           []contract
}

type contract struct {
	ChainSelector chainSelector
	Address       string
}

type registry struct {
	ID               graphql.ID
	Label            string
	Type             string
	ChainSelector    *chainSelector
	Address          *string
	SecretsAuthFlows []string
}

// chainSelector is the schema's ChainSelector.
type chainSelector struct {
	value  uint64
	quoted bool // a JSON string
}

var errNoInput = errors.New("a chain selector is no input")

// ImplementsGraphQLType names the schema's type.
func (chainSelector) ImplementsGraphQLType(name string) bool { return name == "ChainSelector" }

// UnmarshalGraphQL fails: no question takes a selector.
func (*chainSelector) UnmarshalGraphQL(any) error { return errNoInput }

// MarshalJSON writes every digit, which a float would not.
func (s chainSelector) MarshalJSON() ([]byte, error) {
	digits := strconv.FormatUint(s.value, 10)
	if s.quoted {
		digits = strconv.Quote(digits)
	}
	return []byte(digits), nil
}

// sampleTenant is the tenant of the public documentation's sample file. Its
// selectors come in both of the forms that a client must take.
func sampleTenant() tenantConfig {
	const mainnet, sepolia = 5009297550715157269, 16015286601757825753
	address := "0x4Ac54353FA4Fa961AfcC5ec4B118596d3305E7e5"
	return tenantConfig{
		TenantID:         "42",
		DefaultDonFamily: "zone-a",
		VaultGatewayURL:  "https://01.gateway.zone-a.cre.chain.link",
		CapabilitiesRegistry: contract{
			ChainSelector: chainSelector{value: mainnet},
			Address:       "0x76c9cf548b4179F8901cda1f8623568b58215E62",
		},
		Registries: []registry{{
			ID:               "ethereum-mainnet",
			Label:            "Ethereum Mainnet",
			Type:             "ON_CHAIN",
			ChainSelector:    &chainSelector{value: mainnet, quoted: true},
			Address:          &address,
			SecretsAuthFlows: []string{"BROWSER", "OWNER_KEY_SIGNING"},
		}, {
			ID:               "private",
			Label:            "Private (Chainlink-hosted)",
			Type:             "OFF_CHAIN",
			SecretsAuthFlows: []string{"BROWSER"},
		}},
		Forwarders: []contract{{
			ChainSelector: chainSelector{value: sepolia, quoted: true},
			Address:       "0x15fC6ae953E024d975e77382eEeC56A9101f9F88",
		}},
	}
}
