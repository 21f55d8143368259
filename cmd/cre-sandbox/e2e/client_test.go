//go:build unix

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
	"cre-credential-helper/keyring/keyringtest"
)

// services are the keychains that run here.
var services = map[string]func(testing.TB) *keyringtest.Keyring{
	"gnome-keyring": keyringtest.Start,
	"KeePassXC":     keyringtest.StartKeePassXC,
}

// TestClientContract runs the contract of every store over the client, the
// built helper and each Secret Service together.
func TestClientContract(t *testing.T) {
	for name, start := range services {
		t.Run(name, func(t *testing.T) {
			open := func(t *testing.T) helper.Store {
				for _, variable := range append(start(t).Env(), "HOME="+t.TempDir()) {
					name, value, _ := strings.Cut(variable, "=")
					t.Setenv(name, value)
				}
				return helper.Client{Program: filepath.Join(bin, "cre-credential-helper")}
			}
			helpertest.TestStore(t, open, helpertest.Options{Renews: true, QuietErase: true, OneRoom: true})
		})
	}
}
