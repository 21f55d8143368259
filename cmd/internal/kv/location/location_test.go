package location

import (
	"errors"
	"strings"
	"testing"

	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

func TestPaths(t *testing.T) {
	for path, good := range map[string]bool{
		"secret/data/cre/production/ann@example.com": true, "team/kv/data/x": true, "kv/data/auth0|ann": true,
		"": false, "secret": false, "secret/data": false, "secret/data/": false, "/data/x": false, "secret/cre/x": false,
		"secret/data/../x": false, "secret/data/./x": false, "secret/data//x": false, "secret/data/a b": false,
		"secret/data/%2e": false, "secret/data/x?y": false, "secret/data/x#y": false, "secret/data/*": false, "secret/data/\x00": false,
		"secret/data/" + strings.Repeat("x", 400): false,
	} {
		if err := CheckPath(path); (err == nil) != good || err != nil && !errors.Is(err, ErrSetting) {
			t.Errorf("%.50q: %v", path, err)
		}
	}
}

func TestAPlaceIsOneWordOfThePointer(t *testing.T) {
	for _, at := range []At{
		{"https://vault.example:8200", "secret/data/cre/production/ann+ci@example.com"},
		{"http://127.0.0.1:8200", "team/kv/data/auth0|ann"},
		{"https://[::1]:8200", "kv/data/a:b"},
	} {
		place := at.Place(Word)
		username := "ann@example.com"
		entry := plain.Entry{Store: string(place), Origin: "https://api.example", Username: &username}
		back, ok := plain.ParseEntry(entry.String())
		if !ok || back.Store != string(place) || back.Origin != entry.Origin || *back.Username != username {
			t.Errorf("%s is read as %+v", entry, back)
		}
		if word, got, ok := Parse(place); !ok || word != Word || got != at {
			t.Errorf("%s is %s, %+v, %v", place, word, got, ok)
		}
	}
}

func TestWhereTheEnvironmentPutsASession(t *testing.T) {
	for variables, want := range map[string]string{
		"":                       "VAULT_ADDR isn't set",
		"VAULT_ADDR=https://v:1": "vault:https:v:1/v1/secret/data/cre/production/ann%40example.com",
		"VAULT_ADDR=https://v:1/ CRE_CREDENTIAL_VAULT_PATH=/kv/data/ci/": "vault:https:v:1/v1/kv/data/ci",
		"VAULT_ADDR=http://v:1": "must be https",
		"VAULT_ADDR=https://v:1 CRE_CREDENTIAL_VAULT_PATH=secret/cre/ann": "takes the form of a policy",
	} {
		at, err := FindWhole(func(name string) string {
			for v := range strings.SplitSeq(variables, " ") {
				if value, ok := strings.CutPrefix(v, name+"="); ok {
					return value
				}
			}
			return ""
		}, "PRODUCTION", "ann@example.com")
		if err == nil && string(at.Place(Word)) != want || err != nil && (!errors.Is(err, ErrSetting) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, %v", variables, at, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"vault", "vault:https:v/v1/secret/data/x", "vault:http:127.0.0.1/v1/kv/data/%40", "vault:::", "vault-token:https:v/v1/a/data/b", "kernel"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, place string) {
		word, at, ok := Parse(helper.Place(place))
		if ok && string(at.Place(word)) != place {
			t.Fatalf("%q is read as %+v", place, at)
		}
	})
}
