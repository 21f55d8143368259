//go:build unix

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/keyring/keyringtest"
)

// TestPodmanLogsOutFromEverything has podman erase all that docker's list shows,
// as it does with a helper for every registry: git's password at the same host
// stays, and so does the session, which isn't revoked.
func TestPodmanLogsOutFromEverything(t *testing.T) {
	keyringtest.Need(t, "podman")
	m := newMachine(t, keychainMode, sandbox.Options{})
	r := startRegistry(t, false)
	token := m.logIn().Access
	git := "protocol=https\nhost=" + r.host + "\nusername=" + registryUser + "\n"
	if o := m.run(git+"password="+gitPassword+"\n", "git-credential-cre", "store"); o.status != 0 {
		t.Fatal(o)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"registries.conf": `credential-helpers = ["cre"]`, "auth.json": "{}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m.setenv("CONTAINERS_REGISTRIES_CONF="+filepath.Join(dir, "registries.conf"), "REGISTRY_AUTH_FILE="+filepath.Join(dir, "auth.json"))
	podman := m.in(t)
	podman.bin = "" // PATH finds it
	if o := podman.run(registryToken, "podman", "login", "--tls-verify=false", "--username", registryUser, "--password-stdin", r.host); o.status != 0 {
		t.Fatal(o)
	}
	if o := m.run("", dockerHelper, "list"); o.stdout != `{"`+r.host+`":"`+registryUser+"\"}\n" {
		t.Errorf("after the login, the list is %v", o)
	}
	if o := podman.run("", "podman", "logout", "--all"); o.status != 0 {
		t.Fatal(o)
	}
	if o := m.run("", dockerHelper, "list"); o.stdout != "{}\n" {
		t.Errorf("after the logout, the list is %v", o)
	}
	if o := m.run(git, "git-credential-cre", "get"); o.stdout != "username="+registryUser+"\npassword="+gitPassword+"\n" {
		t.Errorf("git is answered %v", o)
	}
	if got := m.mustGet(); got != token || m.platform.Requests(sandbox.Revoke) != 0 {
		t.Errorf("the session is another one, or was revoked: %d requests", m.platform.Requests(sandbox.Revoke))
	}
}
