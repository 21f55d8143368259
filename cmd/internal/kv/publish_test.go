package kv

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/kv/kvtest"
	"cre-credential-helper/helper"
)

// withoutToken has every write to "token" fail, from now on.
func withoutToken(f *kvtest.Fake, fail bool) {
	f.Lock()
	defer f.Unlock()
	f.Before = nil
	if fail {
		f.Before = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/data/"+tokenName) {
				return false
			}
			kvtest.Fail(w, http.StatusForbidden, "permission denied")
			return true
		}
	}
}

// TestWhatReadersGetIsBroughtUpToDateByWhoGetsTheSession, after the machine that has
// renewed it couldn't, or was killed between the two writes.
func TestWhatReadersGetIsBroughtUpToDateByWhoGetsTheSession(t *testing.T) {
	for name, renew := range map[string]func(*testing.T, *Session){
		"couldn't": func(t *testing.T, s *Session) {
			if err := s.Swap(t.Context(), ann("1"), ann("2")); err != nil {
				t.Fatal(err)
			}
		},
		"killed": func(t *testing.T, s *Session) {
			held, _, err := s.Lock(t.Context()) // which nobody gives back
			if err == nil {
				err = s.Swap(held, ann("1"), ann("2"))
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := kvtest.NewFake(t)
			mustStore(t, on(f), ann("1"))
			withoutToken(f, true)
			renew(t, on(f))
			reader := Token{Server: client(f), Path: testPath}
			if c, err := reader.Get(t.Context(), anyone()); err != nil || c.Secret.Reveal() != "access-token-1" {
				t.Fatalf("before: %v", err)
			}
			var said []string
			other := on(f)
			other.Notify = func(line string) { said = append(said, line) }
			mustGet(t, other, ann("2"))
			if len(said) != 1 || !strings.Contains(said[0], "get an earlier token") {
				t.Errorf("while it can't be done: %q", said)
			}
			withoutToken(f, false)
			mustGet(t, other, ann("2"))
			if c, err := reader.Get(t.Context(), anyone()); err != nil || c.Secret.Reveal() != "access-token-2" || c.RefreshToken.IsSet() {
				t.Errorf("afterwards: %q, %v", c.Username, err)
			}
			_, version, _ := f.Look(tokenName)
			mustGet(t, other, ann("2"))
			if _, again, _ := f.Look(tokenName); again != version || len(said) != 1 {
				t.Errorf("version %d, and before %d; %q", again, version, said)
			}
		})
	}
}

// TestAGetOfWhatIsPublishedIsOneRequest holds what a get costs.
func TestAGetOfWhatIsPublishedIsOneRequest(t *testing.T) {
	f := kvtest.NewFake(t)
	mustStore(t, on(f), ann("1"))
	f.Lock()
	f.Requests = 0
	f.Unlock()
	mustGet(t, on(f), ann("1"))
	f.Lock()
	defer f.Unlock()
	if f.Requests != 1 {
		t.Errorf("%d requests", f.Requests)
	}
}

// TestWhatHasExpiredIsNotPublished: who has read an old version brings nothing back.
func TestWhatHasExpiredIsNotPublished(t *testing.T) {
	f := kvtest.NewFake(t)
	withoutToken(f, true)
	old := ann("1")
	old.Expiry = time.Now().Add(-time.Minute)
	mustStore(t, on(f), old)
	withoutToken(f, false)
	if _, err := on(f).Get(t.Context(), helper.Query{Origin: old.Origin}); err != nil {
		t.Fatal(err)
	}
	if data, _, _ := f.Look(tokenName); data != "" {
		t.Errorf("there is %s", data)
	}
}
