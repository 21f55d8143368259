package fleet

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAGetCostsLittleMoreThanCurl measures them beside each other, in turns. On a machine
// that is busy with something else, a get of two programs suffers more than one of one: so
// the best of some rounds counts.
func TestAGetCostsLittleMoreThanCurl(t *testing.T) {
	const rounds, most = 5, 1.5
	f := newFleet(t, 1)
	renewer := f.machine("renewer")
	f.login(renewer, time.Hour)
	reader := append(f.machine("reader"), "CRE_CREDENTIAL_STORE=")
	for record, env := range map[string][]string{"session": renewer, "token": reader} {
		best := math.Inf(1)
		for round := 0; round < rounds && best > most; round++ {
			best = min(best, f.besideCurl(record, env))
		}
		if best > most {
			t.Errorf("a get of the %s takes more than %.1f of curl", record, most)
		}
	}
}

// besideCurl returns how many times as long as curl's a get of a record takes.
func (f *fleet) besideCurl(record string, env []string) (ratio float64) {
	f.t.Helper()
	const times = 40
	// OpenSSL doesn't take the test's CA. So curl verifies nothing, which is faster.
	curl := []string{"curl", "-sSfk", "-H", "X-Vault-Token: " + f.engine.RootToken, f.address + "/v1/" + f.path + "/" + record}
	var ours, curls []time.Duration
	for range times {
		other := run(nil, "", curl...)
		if !strings.Contains(other.Out, f.provider.access(1)) {
			f.t.Fatalf("curl: %+v", other)
		}
		get := f.get(env)
		if get.token() == "" {
			f.t.Fatalf("get: %+v", get)
		}
		ours, curls = append(ours, get.Took), append(curls, other.Took)
	}
	slices.Sort(ours)
	slices.Sort(curls)
	ratio = float64(ours[times/4]) / float64(curls[times/4])
	f.t.Logf("%s: get %v, curl %v, %.2f of it", record, ours[times/4].Round(10*time.Microsecond), curls[times/4].Round(10*time.Microsecond), ratio)
	return ratio
}
