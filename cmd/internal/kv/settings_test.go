package kv

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func settings(t *testing.T, variables ...string) Environment {
	t.Helper()
	home := t.TempDir()
	return Environment{
		Getenv: func(name string) string {
			for _, v := range variables {
				if value, ok := strings.CutPrefix(v, name+"="); ok {
					return value
				}
			}
			return ""
		},
		HomeDir: func() (string, error) { return home, nil },
	}
}

func TestWhatIsRefusedOfVaultsVariables(t *testing.T) {
	const address = "https://vault.example:8200"
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for variables, says := range map[string]string{
		"VAULT_TOKEN=t": "",
		"VAULT_TOKEN=t VAULT_ADDR=https://vault.example:8200/": "",
		"VAULT_TOKEN=t VAULT_SKIP_VERIFY=false":                "",
		"VAULT_TOKEN=t VAULT_SKIP_VERIFY=1":                    "VAULT_SKIP_VERIFY",
		"VAULT_TOKEN=t VAULT_SKIP_VERIFY=yes":                  "VAULT_SKIP_VERIFY",
		"VAULT_TOKEN=t VAULT_ADDR=https://other.example:8200":  "VAULT_ADDR is https://other.example:8200, and the session is in " + address,
		"VAULT_TOKEN=t VAULT_ADDR=http://vault.example:8200":   "must be https",
		"VAULT_TOKEN=t VAULT_ADDR=https://u:p@vault.example":   "user information",
		"VAULT_TOKEN=t VAULT_ADDR=https://vault.example/v1":    "nothing after it",
		"":                                         "there is no token: set VAULT_TOKEN or VAULT_TOKEN_FILE, or log in by vault login",
		"VAULT_TOKEN=sec\x01ret":                   "no token",
		"VAULT_TOKEN_FILE=/nonexistent/token":      "VAULT_TOKEN_FILE: ",
		"VAULT_TOKEN_FILE=" + empty:                "is empty: the agent may not have written it yet",
		"VAULT_TOKEN_FILE=" + os.TempDir():         "is not a regular file",
		"VAULT_TOKEN=t VAULT_CACERT=/nonexistent":  "VAULT_CACERT: ",
		"VAULT_TOKEN=t VAULT_CACERT=" + empty:      "VAULT_CACERT: there is no certificate in",
		"VAULT_TOKEN=t VAULT_CLIENT_CERT=" + empty: "VAULT_CLIENT_KEY: it isn't set",
		"VAULT_TOKEN=t VAULT_CLIENT_KEY=" + empty:  "VAULT_CLIENT_CERT: it isn't set",
		"VAULT_TOKEN=t VAULT_CLIENT_CERT=" + empty + " VAULT_CLIENT_KEY=" + empty: "are no certificate with its key",
		"VAULT_TOKEN=t CRE_CREDENTIAL_VAULT_PATH=secret/cre/x":                    "takes the form of a policy",
	} {
		t.Run(variables, func(t *testing.T) {
			_, err := settings(t, strings.Split(variables, " ")...).Open(address)
			if says == "" && err != nil || says != "" && (!errors.Is(err, ErrSetting) || !strings.Contains(err.Error(), says)) {
				t.Errorf("%v", err)
			}
			if err != nil && (strings.Contains(err.Error(), "u:p") || strings.Contains(err.Error(), "ret\x01")) {
				t.Errorf("a secret shows: %v", err)
			}
		})
	}
}

func TestWhereTheTokenIsFound(t *testing.T) {
	e := settings(t)
	home, _ := e.HomeDir()
	if err := os.WriteFile(filepath.Join(home, ".vault-token"), []byte("of-home\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sink := filepath.Join(t.TempDir(), "sink")
	if err := os.WriteFile(sink, []byte("of-agent"), 0o640); err != nil {
		t.Fatal(err)
	}
	for variables, want := range map[string]string{
		"":                         "of-home " + home + "/.vault-token",
		"VAULT_TOKEN_FILE=" + sink: "of-agent " + sink,
		"VAULT_TOKEN_FILE=" + sink + " VAULT_TOKEN=of-environment": "of-environment VAULT_TOKEN",
	} {
		from := settings(t, strings.Split(variables, " ")...)
		from.HomeDir = e.HomeDir
		c, err := from.Open("http://127.0.0.1:8200")
		if err != nil || c.Token.Reveal()+" "+c.TokenFrom != filepath.FromSlash(want) {
			t.Errorf("%q: %v, from %s", variables, err, c.TokenFrom)
			continue
		}
		_, named, _ := strings.Cut(want, " ")
		if err := c.why(answer{status: http.StatusForbidden, body: []byte(`{"errors":["invalid token"]}`)}, "p", "read"); !strings.Contains(err.Error(), "doesn't take the token in "+filepath.FromSlash(named)+": ") {
			t.Errorf("%q: %v", variables, err)
		}
	}
}
