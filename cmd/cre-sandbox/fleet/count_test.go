package fleet

import (
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/kv/kvtest"
)

// TestAGetIsOneRequest of a session, and of its token.
func TestAGetIsOneRequest(t *testing.T) {
	dir, err := bin()
	if err != nil {
		t.Fatal(err)
	}
	fake := kvtest.NewFake(t)
	f := &fleet{t: t, provider: newProvider(t), bin: dir, path: annPath, homes: t.TempDir(), address: fake.URL}
	f.origin = f.provider.URL[len("http://"):]
	token := []string{"VAULT_CACERT=", "VAULT_TOKEN=" + kvtest.RootToken}
	renewer, reader := append(f.machine("renewer"), token...), append(f.machine("reader", token...), "CRE_CREDENTIAL_STORE=")
	f.login(renewer, time.Hour)
	for name, env := range map[string][]string{"renewer": renewer, "reader": reader} {
		fake.Lock()
		before := fake.Requests
		fake.Unlock()
		if r := f.get(env); r.token() == "" {
			t.Fatalf("%s: %+v", name, r)
		}
		fake.Lock()
		if asked := fake.Requests - before; asked != 1 {
			t.Errorf("%s: %d requests", name, asked)
		}
		fake.Unlock()
	}
}
