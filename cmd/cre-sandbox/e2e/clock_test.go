//go:build unix

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/provider"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// lifetime is that of the tokens of a provider whose clock is another one.
const lifetime = time.Hour

// skewed is a session of a provider whose clock is by so much ahead of this
// machine's, in what its access token says. Its signature is of no account: only
// the platform's API looks at that.
func (m *machine) skewed(by time.Duration) provider.Session {
	m.Helper()
	s := m.newSession()
	parts := strings.Split(s.Access, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims map[string]any
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil {
		m.Fatal(err)
	}
	now := time.Now().Add(by)
	claims["iat"], claims["nbf"], claims["exp"] = now.Unix(), now.Unix(), now.Add(lifetime).Unix()
	if payload, err = json.Marshal(claims); err != nil {
		m.Fatal(err)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(payload)
	s.Access, s.Expiry = strings.Join(parts, "."), time.Now().Add(lifetime)
	return s
}

// answerSkewed is a token endpoint of such a provider.
func (m *machine) answerSkewed(by time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(slowRefresh.Latency[sandbox.Token]) // the crowd gathers
		s := m.skewed(by)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"access_token": s.Access, "refresh_token": s.Refresh, "id_token": s.ID,
			"token_type": "Bearer", "expires_in": int(lifetime.Seconds()),
		})
	})
}

// TestAClockThatIsTwoHoursOff has a provider for whom every token has long
// expired here, or is good for longer than it says. It is the lifetime that
// counts: each form answers, and thirty gets renew once.
func TestAClockThatIsTwoHoursOff(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]time.Duration{"ahead of the provider's": -2 * time.Hour, "behind": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachMode(t, sandbox.Options{}, func(m *machine) {
				m.usePlainPrograms()
				m.setenv("CRE_KEYRING_TIMEOUT=1m")
				m.platform.Replace(sandbox.Token, m.answerSkewed(by))
				s := m.skewed(by)
				if o := m.helper("store", m.attributes(s)...); o.status != 0 {
					m.Fatalf("store: %v", o)
				}
				m.everyFormAnswers(s.Access)
				m.expire(s.Access)
				answers := m.together(30, m.get)
				for _, o := range answers {
					if o.status != 0 || o.token() == s.Access || o.token() != answers[0].token() {
						m.Errorf("get: %v", o)
					}
				}
				m.everyFormAnswers(answers[0].token())
				if n := m.platform.Requests(sandbox.Token); n != 1 {
					m.Errorf("the provider was asked %d times", n)
				}
			})
		})
	}
}

// everyFormAnswers fails unless git's, docker's and Bazel's form bring a token out.
func (m *machine) everyFormAnswers(token string) {
	m.Helper()
	for _, request := range []string{m.request(), m.platform.URL, `{"uri":"` + m.platform.URL + `/graphql"}`} {
		if o := m.run(request, "cre-credential-helper", "get"); o.status != 0 || !strings.Contains(o.stdout, token) {
			m.Errorf("%q: %v", request, o)
		}
	}
}
