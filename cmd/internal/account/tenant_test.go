package account

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

func TestTenantConfig(t *testing.T) {
	client, cred := platform(t, says(200, `{"data":{"getTenantConfig":{
		"tenantId":"42","defaultDonFamily":"zone-a","vaultGatewayUrl":"https://01.gateway.zone-a.cre.chain.link",
		"capabilitiesRegistry":{"chainSelector":5009297550715157269,"address":"0x76c9cf548b4179F8901cda1f8623568b58215E62"},
		"registries":[
			{"id":"ethereum-mainnet","label":"mainnet","type":"ON_CHAIN","chainSelector":"5009297550715157269",
			 "address":"0x4Ac54353FA4Fa961AfcC5ec4B118596d3305E7e5","secretsAuthFlows":["BROWSER","PASSKEY","OWNER_KEY_SIGNING"]},
			{"id":"private","label":"Private (Chainlink-hosted)","type":"OFF_CHAIN","chainSelector":null,"address":null,"secretsAuthFlows":["BROWSER"]}],
		"forwarders":[{"chainSelector":16015286601757825753,"address":"0x15fC6ae953E024d975e77382eEeC56A9101f9F88"}]}}}`))
	want := fallback.Tenant{
		TenantID: "42", DefaultDonFamily: "zone-a", VaultGatewayURL: "https://01.gateway.zone-a.cre.chain.link",
		CapabilitiesRegistry: &fallback.Contract{ChainSelector: 5009297550715157269, Address: "0x76c9cf548b4179F8901cda1f8623568b58215E62"},
		Registries: []fallback.Registry{
			{ID: "onchain:ethereum-mainnet", Label: "ethereum-mainnet (0x4Ac5...E7e5)", Type: "on-chain", ChainSelector: "5009297550715157269",
				Address: "0x4Ac54353FA4Fa961AfcC5ec4B118596d3305E7e5", SecretsAuthFlows: []string{"browser", "owner-key-signing"}},
			{ID: "private", Label: "Private (Chainlink-hosted)", Type: "off-chain", SecretsAuthFlows: []string{"browser"}},
		},
		Forwarders: []fallback.Contract{{ChainSelector: 16015286601757825753, Address: "0x15fC6ae953E024d975e77382eEeC56A9101f9F88"}},
	}
	got, err := client.TenantConfig(context.Background(), cred)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestTranslation(t *testing.T) {
	tests := []struct {
		name, answer string
		want         fallback.Tenant
	}{
		{"nothing but an id", `{"tenantId":7}`, fallback.Tenant{TenantID: "7"}},
		{"unknown type", `{"registries":[{"id":"a","label":"b","type":"MOON"}]}`,
			fallback.Tenant{Registries: []fallback.Registry{{ID: "a", Label: "b", Type: "unknown"}}}},
		{"short address stays whole", `{"registries":[{"id":"a","label":"b","type":"ON_CHAIN","address":"0x12345678"}]}`,
			fallback.Tenant{Registries: []fallback.Registry{{ID: "onchain:a", Label: "a (0x12345678)", Type: "on-chain", Address: "0x12345678"}}}},
		{"on-chain without address keeps its label", `{"registries":[{"id":"a","label":"b","type":"ON_CHAIN","chainSelector":18446744073709551615}]}`,
			fallback.Tenant{Registries: []fallback.Registry{{ID: "onchain:a", Label: "b", Type: "on-chain", ChainSelector: "18446744073709551615"}}}},
		{"forwarders without selector or address are skipped", `{"forwarders":[{"chainSelector":"x","address":"0x1"},{"chainSelector":-1,"address":"0x1"},
			{"chainSelector":1.5,"address":"0x1"},{"chainSelector":1e3,"address":"0x1"},{"chainSelector":18446744073709551616,"address":"0x1"},
			{"address":"0x1"},{"chainSelector":true,"address":"0x1"},{"chainSelector":"1","address":" "},{"chainSelector":" 2 ","address":" 0x2 "}]}`,
			fallback.Tenant{Forwarders: []fallback.Contract{{ChainSelector: 2, Address: "0x2"}}}},
		{"invalid capabilities registry is left out", `{"capabilitiesRegistry":{"address":"0x1"}}`, fallback.Tenant{}},
		{"control characters are dropped", `{"vaultGatewayUrl":"https://x\u001b[2J\n"}`, fallback.Tenant{VaultGatewayURL: "https://x[2J"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, cred := platform(t, says(http.StatusOK, `{"data":{"getTenantConfig":`+tt.answer+`}}`))
			if tt.want.Registries == nil {
				tt.want.Registries = []fallback.Registry{}
			}
			got, err := client.TenantConfig(context.Background(), cred)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"data":{"getTenantConfig":{"tenantId":"42","capabilitiesRegistry":{"chainSelector":5009297550715157269,"address":"0x1"},
		"registries":[{"id":"a","type":"ON_CHAIN","address":"0x12345678901","secretsAuthFlows":["BROWSER"]}],"forwarders":[{"chainSelector":"1","address":"a"}]}}}`))
	f.Add(200, []byte(`{"errors":[{"message":"\u001b","extensions":{"code":"FORBIDDEN"}}]}`))
	f.Add(500, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		var data struct{ GetTenantConfig tenantConfig }
		if err := decode("host", status, body, helper.NewSecret(secret), &data); err != nil {
			if strings.ContainsAny(err.Error(), "\r\n\x00\x1b") {
				t.Errorf("control character in %q", err)
			}
			return
		}
		if status != http.StatusOK {
			t.Errorf("status %d was taken for an answer", status)
		}
		tenant := data.GetTenantConfig.tenant()
		shown := tenant.TenantID + tenant.DefaultDonFamily + tenant.VaultGatewayURL
		for _, r := range tenant.Registries {
			shown += r.ID + r.Label + r.Type + r.ChainSelector + r.Address
		}
		if strings.ContainsAny(shown, "\r\n\x00\x1b") {
			t.Errorf("control character in %+v", tenant)
		}
	})
}
