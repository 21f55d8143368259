package fleet

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAGetCostsLittleMoreThanCurl measures them beside each other, in turns.
func TestAGetCostsLittleMoreThanCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal("curl is what a get is measured beside")
	}
	const rounds, most = 60, 1.5
	f := newFleet(t, 1)
	renewer := f.machine("renewer")
	f.login(renewer, time.Hour)
	reader := append(f.machine("reader"), "CRE_CREDENTIAL_STORE=")
	// OpenSSL doesn't take the test's CA. So curl verifies nothing, which is faster.
	asCurl := []string{curl, "-sSfk", "-H", "X-Vault-Token: " + f.engine.RootToken}
	took := map[string][]time.Duration{}
	for range rounds {
		for _, record := range []string{"session", "token"} {
			r := run(nil, "", append(slices.Clone(asCurl), f.address+"/v1/"+f.path+"/"+record)...)
			if !strings.Contains(r.Out, f.provider.access(1)) {
				t.Fatalf("curl: %+v", r)
			}
			took["curl "+record] = append(took["curl "+record], r.Took)
		}
		for name, env := range map[string][]string{"get session": renewer, "get token": reader} {
			r := f.get(env)
			if r.token() == "" {
				t.Fatalf("get: %+v", r)
			}
			took[name] = append(took[name], r.Took)
		}
	}
	for _, record := range []string{"session", "token"} {
		get, beside := usual(took["get "+record]), usual(took["curl "+record])
		t.Logf("%s: get %v, curl %v, %.2f of it", record, get, beside, float64(get)/float64(beside))
		if float64(get) > most*float64(beside) {
			t.Errorf("a get of the %s takes more than %.1f of curl", record, most)
		}
	}
}

// usual is what it takes where nothing else runs: the first quartile.
func usual(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/4].Round(10 * time.Microsecond)
}
