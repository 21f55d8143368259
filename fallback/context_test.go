package fallback

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// The documented sample.
const contextSample = `PRODUCTION:
  tenant_id: "42"
  default_don_family: zone-a
  vault_gateway_url: https://01.gateway.zone-a.cre.chain.link
  capabilities_registry:
    chain_selector: 5009297550715157269
    address: 0x76c9cf548b4179F8901cda1f8623568b58215E62
  registries:
  - id: onchain:ethereum-mainnet
    label: ethereum-mainnet (0x4Ac5...E7e5)
    type: on-chain
    chain_selector: "5009297550715157269"
    address: 0x4Ac54353FA4Fa961AfcC5ec4B118596d3305E7e5
    secrets_auth_flows:
    - browser
    - owner-key-signing
  - id: private
    label: Private (Chainlink-hosted)
    type: off-chain
    secrets_auth_flows:
    - browser
  forwarders:
  - chain_selector: 16015286601757825753
    address: 0x15fC6ae953E024d975e77382eEeC56A9101f9F88
`

func sampleTenant() Tenant {
	return Tenant{
		TenantID:         "42",
		DefaultDonFamily: "zone-a",
		VaultGatewayURL:  "https://01.gateway.zone-a.cre.chain.link",
		CapabilitiesRegistry: &Contract{
			ChainSelector: 5009297550715157269,
			Address:       "0x76c9cf548b4179F8901cda1f8623568b58215E62",
		},
		Registries: []Registry{
			{
				ID: "onchain:ethereum-mainnet", Label: "ethereum-mainnet (0x4Ac5...E7e5)", Type: "on-chain",
				ChainSelector: "5009297550715157269", Address: "0x4Ac54353FA4Fa961AfcC5ec4B118596d3305E7e5",
				SecretsAuthFlows: []string{"browser", "owner-key-signing"},
			},
			{ID: "private", Label: "Private (Chainlink-hosted)", Type: "off-chain", SecretsAuthFlows: []string{"browser"}},
		},
		Forwarders: []Contract{{ChainSelector: 16015286601757825753, Address: "0x15fC6ae953E024d975e77382eEeC56A9101f9F88"}},
	}
}

// parsed returns what a YAML reader without a schema makes of s.
func parsed(t *testing.T, s string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := yaml.Unmarshal([]byte(s), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func checkTenant(t *testing.T, d Dir, env string, want Tenant) {
	t.Helper()
	got, ok, err := d.ReadTenant(env)
	if err != nil || !ok {
		t.Fatalf("ReadTenant(%s): %v, %v", env, ok, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("ReadTenant(%s) =\n%+v\nwant\n%+v", env, got, want)
	}
}

func TestDocumentedContext(t *testing.T) {
	d := newDir(t)
	plant(t, d, contextName, contextSample)
	checkTenant(t, d, "PRODUCTION", sampleTenant())

	if err := d.WriteTenant("PRODUCTION", sampleTenant()); err != nil {
		t.Fatal(err)
	}
	if got, want := parsed(t, content(t, d, contextName)), parsed(t, contextSample); !reflect.DeepEqual(got, want) {
		t.Errorf("rewritten as\n%v\nwant\n%v", got, want)
	}
	checkTenant(t, d, "PRODUCTION", sampleTenant())
}

func TestWriteTenantKeepsOtherEnvironments(t *testing.T) {
	const others = "STAGING: [any, {shape: 18446744073709551615}]\nDEVELOPMENT: 2026-01-02\n"
	d := newDir(t)
	plant(t, d, contextName, others+contextSample)
	small := Tenant{TenantID: "007", Registries: []Registry{}}
	for _, env := range []string{"PRODUCTION", "ELSEWHERE"} {
		if err := d.WriteTenant(env, small); err != nil {
			t.Fatal(err)
		}
		checkTenant(t, d, env, small)
	}
	got, want := parsed(t, content(t, d, contextName)), parsed(t, others)
	for env := range want {
		if !reflect.DeepEqual(got[env], want[env]) {
			t.Errorf("%s became %v, want %v", env, got[env], want[env])
		}
	}
	if len(got) != 4 {
		t.Errorf("got %d entries, want 4", len(got))
	}
}

func TestSelectorsKeepEveryDigit(t *testing.T) {
	want := Tenant{
		CapabilitiesRegistry: &Contract{ChainSelector: math.MaxUint64},
		Registries:           []Registry{{ID: "a", ChainSelector: "18446744073709551615"}},
		Forwarders:           []Contract{{ChainSelector: 1<<53 + 1}},
	}
	d := newDir(t)
	if err := d.WriteTenant("PRODUCTION", want); err != nil {
		t.Fatal(err)
	}
	checkTenant(t, d, "PRODUCTION", want)
	for _, line := range []string{
		"chain_selector: 18446744073709551615\n", "chain_selector: \"18446744073709551615\"\n", "chain_selector: 9007199254740993\n",
	} {
		if got := content(t, d, contextName); !strings.Contains(got, line) {
			t.Errorf("%q isn't in\n%s", line, got)
		}
	}
}

func TestReadTenantWithoutEntry(t *testing.T) {
	for _, tt := range []struct{ name, content string }{
		{"another environment", contextSample},
		{"an entry without a value", "STAGING:\n"},
		{"an empty file", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t)
			plant(t, d, contextName, tt.content)
			if _, ok, err := d.ReadTenant("STAGING"); ok || err != nil {
				t.Errorf("got %v, %v", ok, err)
			}
		})
	}
	if _, ok, err := newDir(t).ReadTenant("STAGING"); ok || err != nil {
		t.Errorf("without a file: %v, %v", ok, err)
	}
}

func TestDamagedContext(t *testing.T) {
	for _, tt := range damage {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t)
			plant(t, d, contextName, tt.content)
			_, _, err := d.ReadTenant("PRODUCTION")
			checkDamaged(t, err, d.ContextPath())
			if err := d.WriteTenant("PRODUCTION", sampleTenant()); err != nil {
				t.Fatal(err)
			}
			checkTenant(t, d, "PRODUCTION", sampleTenant())
		})
	}
}

func TestDamagedTenant(t *testing.T) {
	d := newDir(t)
	plant(t, d, contextName, "PRODUCTION:\n  capabilities_registry:\n    chain_selector: hunter2\n")
	_, _, err := d.ReadTenant("PRODUCTION")
	checkDamaged(t, err, d.ContextPath())
}

func TestRemoveContext(t *testing.T) {
	d := newDir(t)
	if err := d.RemoveContext(); err != nil {
		t.Errorf("without a directory: %v", err)
	}
	plant(t, d, contextName, contextSample)
	plant(t, d, contextName+".tmp", contextSample)
	if err := d.RemoveContext(); err != nil {
		t.Fatal(err)
	}
	if left := names(t, d); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

func FuzzContext(f *testing.F) {
	for _, seed := range damage {
		if len(seed.content) < 1<<10 {
			f.Add([]byte(seed.content))
		}
	}
	f.Add([]byte(contextSample))
	f.Add([]byte("STAGING: [any, {shape: 18446744073709551615}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		before, err := parseMapping(data)
		if err != nil {
			return
		}
		root, err := parseMapping(data)
		if err != nil {
			t.Fatal(err)
		}
		written, err := encodeContext(root, "NEW", sampleTenant())
		if err != nil {
			t.Fatalf("what parsed can't be written: %v", err)
		}
		after, err := parseMapping(written)
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range pairs(before) {
			if key.Value != "NEW" && !sameNode(value, lookup(after, key.Value)) {
				t.Fatalf("written as\n%s\nin which %q differs", written, key.Value)
			}
		}
		var tenant Tenant
		if err := lookup(after, "NEW").Decode(&tenant); err != nil || !reflect.DeepEqual(tenant, sampleTenant()) {
			t.Fatalf("written as\n%s\nin which the tenant differs: %v", written, err)
		}
	})
}
