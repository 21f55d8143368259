package fleet

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestASessionMovesToTheVaultAndBack by the command that people use.
func TestASessionMovesToTheVaultAndBack(t *testing.T) {
	f := newFleet(t, 1)
	env := append(f.machine("m"), "CRE_CREDENTIAL_STORE=file", "CRE_CREDENTIAL_VAULT_PATH=")
	f.login(env, time.Hour)
	file := filepath.Join(f.homes, "m", ".cre", "cre.yaml")
	read := func() string { data, _ := os.ReadFile(file); return string(data) }
	for to, says := range map[string]string{"nowhere": "vault", "kernel-x": "vault"} {
		if r := run(env, "", "cre", "session", "move", "--to", to); r.Status != 2 || !strings.Contains(r.Err, says) {
			t.Errorf("to %s: %+v", to, r)
		}
	}
	r := run(env, "", "cre", "session", "move", "--to", "vault")
	t.Logf("%s%s\n%s", r.Out, r.Err, read())
	if r.Status != 0 || strings.Contains(read(), "refresh-") || !strings.Contains(read(), "vault:https:127.0.0.1") {
		t.Errorf("to the vault: %+v", r)
	}
	if r := f.get(env); r.token() != f.provider.access(1) {
		t.Errorf("get: %+v", r)
	}
	r = run(env, "", "cre", "session")
	t.Logf("%s%s", r.Out, r.Err)
	if r.Status != 0 || !strings.Contains(r.Out, "the vault at "+f.address) {
		t.Errorf("cre session: %+v", r)
	}
	if r = run(env, "", "cre", "doctor"); !strings.Contains(r.Out, "lets this machine keep and renew a session") {
		t.Errorf("cre doctor: %s%s", r.Out, r.Err)
	}
	reader := append(f.machine("reader"), "CRE_CREDENTIAL_STORE=", "CRE_CREDENTIAL_VAULT_PATH=secret/data/cre/production/default")
	if r = run(reader, "", "cre", "doctor"); !strings.Contains(r.Out, "(secret/data/cre/production/default) can be read") {
		t.Errorf("cre doctor where the session is only read: %s%s", r.Out, r.Err)
	}
	f.engine.Cores[0].Core.Seal(f.engine.RootToken) //nolint:errcheck // what follows says so
	if r = run(env, "", "cre", "doctor", "keychain"); r.Status == 0 || !strings.Contains(r.Out, "the vault is sealed") {
		t.Errorf("cre doctor, sealed: %s%s", r.Out, r.Err)
	}
	r = run(env, "", "cre", "session")
	t.Logf("%s%s", r.Out, r.Err)
	if r.Status != 3 || !strings.Contains(r.Err, "sealed") {
		t.Errorf("cre session, sealed: %+v", r)
	}
	for _, key := range f.engine.BarrierKeys {
		_, _ = f.engine.Cores[0].Core.Unseal(vaultKey(key))
	}
	for began := time.Now(); f.get(env).token() == "" && time.Since(began) < 30*time.Second; {
		time.Sleep(100 * time.Millisecond)
	}
	r = run(env, "", "cre", "session", "move", "--to", "file")
	t.Logf("%s%s", r.Out, r.Err)
	if r.Status != 0 || !strings.Contains(read(), "refresh-1") || strings.Contains(read(), "vault:") {
		t.Errorf("back: %+v\n%s", r, read())
	}
	r = run(env, "", "cre", "logout")
	t.Logf("%s%s", r.Out, r.Err)
}
