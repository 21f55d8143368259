package kv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/kv/kvtest"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/cmd/internal/webtest"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

const (
	sessionName = "cre/production/ann@example.com/session"
	tokenName   = "cre/production/ann@example.com/token"
)

func ann(n string) helper.Credential {
	return helper.Credential{
		Origin:   helper.Origin{Protocol: "https", Host: "api.example.test"},
		Username: "ann@example.com", AuthType: helper.AuthBearer,
		Secret: helper.NewSecret("access-token-" + n), RefreshToken: helper.NewSecret("refresh-token-" + n),
		Expiry: time.Now().Add(time.Hour).UTC().Truncate(time.Second), Issued: time.Now().UTC().Truncate(time.Second),
		TokenEndpoint: "https://login.example.test/oauth/token", ClientID: "client",
	}
}

func anyone() helper.Query { return helper.Query{Origin: ann("").Origin} }

func mustStore(t *testing.T, s *Session, c helper.Credential) {
	t.Helper()
	if err := s.Store(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func mustGet(t *testing.T, s *Session, want helper.Credential) {
	t.Helper()
	if c, err := s.Get(t.Context(), anyone()); err != nil || !c.Same(want) {
		t.Fatalf("get: %q, %v", c.Username, err)
	}
}

// failing is a server that answers every request with a status and a body.
func failing(status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

// TestWhatAServerFailsWithIsASentenceAndTheSessionStaysWhole has each method meet it.
func TestWhatAServerFailsWithIsASentenceAndTheSessionStaysWhole(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		is     error
		says   string
	}{
		"sealed":          {503, `{"errors":["Vault is sealed"]}`, ErrSealed, "the vault is sealed: its operator has to unseal it"},
		"no leader":       {500, `{"errors":["local node not active but active cluster node not found"]}`, web.ErrOutage, "HTTP status 500"},
		"standby":         {307, ``, web.ErrOutage, "is a standby"},
		"wrong token":     {403, `{"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}`, ErrToken, "is wrong or has expired"},
		"no token":        {400, `{"errors":["missing client token"]}`, ErrToken, "is wrong or has expired"},
		"rate limit":      {429, `{"errors":["request path \"x\": rate limit quota exceeded"]}`, web.ErrOutage, "takes no more requests for now"},
		"a proxy":         {502, "<html>Bad gateway</html>", web.ErrOutage, "a proxy or a Wi-Fi login page may be in between"},
		"a login page":    {200, "<html>Log in</html>", web.ErrOutage, "a proxy or a Wi-Fi login page may be in between"},
		"nonsense":        {200, "hello", web.ErrOutage, "makes no sense"},
		"broken off":      {200, `{"data":{"data":{"v":1`, web.ErrOutage, "makes no sense"},
		"no engine":       {404, `{"errors":["no handler for route \"secret/data/x\". route entry not found."]}`, ErrEngine, "no secrets engine KV version 2 at secret/data/cre/"},
		"version 1":       {200, `{"data":{"v":1}}`, ErrEngine, "no secrets engine KV version 2"},
		"a page as 404":   {404, `<html>nothing here</html>`, web.ErrOutage, "a proxy or a Wi-Fi login page"},
		"forbidden":       {403, `{"errors":["1 error occurred:\n\t* permission denied\n\n"]}`, ErrForbidden, `the policy of the token lacks "`},
		"quotes a secret": {500, `{"errors":["bad: ` + kvtest.RootToken + `"]}`, web.ErrOutage, "[hidden]"},
	} {
		t.Run(name, func(t *testing.T) {
			f := kvtest.NewFake(t)
			s := on(f)
			s.Server = &Client{Address: f.URL, Token: helper.NewSecret(kvtest.RootToken), Patience: 10 * time.Millisecond}
			mustStore(t, s, ann("1"))
			f.Lock()
			f.Before = failing(c.status, c.body)
			f.Unlock()
			_, err := s.Get(t.Context(), anyone())
			_, _, lerr := s.Lock(t.Context())
			_, terr := Token{Server: s.Server, Path: s.Path}.Get(t.Context(), anyone())
			for what, err := range map[string]error{
				"get": err, "lock": lerr, "get of the token": terr,
				"store": s.Store(t.Context(), ann("2")),
				"swap":  s.Swap(t.Context(), ann("1"), ann("2")),
				"erase": s.Erase(t.Context(), anyone()),
				"check": s.Check(t.Context(), ann("1").Origin),
			} {
				if !errors.Is(err, keyring.ErrLocked) || errors.Is(err, keyring.ErrTimeout) != (c.is == web.ErrOutage) {
					t.Errorf("%s is of another kind: %v", what, err)
				}
				if !errors.Is(err, c.is) || !strings.Contains(fmt.Sprint(err), c.says) || strings.Contains(fmt.Sprint(err), kvtest.RootToken) {
					t.Errorf("%s: %v", what, err)
				}
			}
			f.Lock()
			f.Before = nil
			f.Unlock()
			mustGet(t, s, ann("1"))
		})
	}
}

func TestAForbiddenPathIsNamedWithItsCapability(t *testing.T) {
	const base = "secret/data/cre/production/ann@example.com/"
	f := kvtest.NewFake(t)
	s := on(f)
	mustStore(t, s, ann("1"))
	for denied, says := range map[string]string{
		"update " + base + "session":                                   `"update" on ` + base + "session",
		"create " + base + "token":                                     `"create" on ` + base + "token",
		"update secret/destroy/cre/production/ann@example.com/session": `"update" on secret/destroy/cre/production/ann@example.com/session`,
	} {
		f.Lock()
		f.Forbidden = map[string]bool{denied: true}
		f.Unlock()
		if err := s.Check(t.Context(), ann("1").Origin); !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", denied, err)
		}
	}
}

func TestVersion1TakesAClaimAndNoSecret(t *testing.T) {
	f := kvtest.NewFake(t)
	s := on(f)
	s.Path = "old/data/cre/production/ann@example.com"
	err := s.Store(t.Context(), ann("1"))
	if !errors.Is(err, ErrEngine) || !strings.Contains(err.Error(), "has no versions") || f.Requests != 2 {
		t.Errorf("%v after %d requests", err, f.Requests)
	}
}

func TestANewerRecordIsNeitherReadNorWrittenOver(t *testing.T) {
	f := kvtest.NewFake(t)
	s := on(f)
	f.Put(sessionName, `{"v":2,"secrets":[]}`)
	f.Put(tokenName, `{"v":2}`)
	_, err := s.Get(t.Context(), anyone())
	_, terr := Token{Server: s.Server, Path: s.Path}.Get(t.Context(), anyone())
	for what, err := range map[string]error{
		"get": err, "token": terr, "store": s.Store(t.Context(), ann("1")), "erase": s.Erase(t.Context(), anyone()),
		"swap": s.Swap(t.Context(), ann("1"), ann("2")), "check": s.Check(t.Context(), ann("1").Origin),
	} {
		if !errors.Is(err, ErrNewer) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if data, version, _ := f.Look(sessionName); version != 1 || !strings.Contains(data, `"v":2`) {
		t.Errorf("version %d: %s", version, data)
	}
}

func TestADamagedRecordIsReplacedByALoginOrALogout(t *testing.T) {
	for _, damage := range []string{`{}`, `{"v":1,"credential":{"origin":"::"}}`, `{"v":"1"}`, `[]`, `{"v":1,"claim":{}}`, `"text"`} {
		f := kvtest.NewFake(t)
		s := on(f)
		f.Put(sessionName, damage)
		if _, err := s.Get(t.Context(), anyone()); !errors.Is(err, ErrDamaged) || !errors.Is(err, keyring.ErrDamaged) {
			t.Errorf("%s: %v", damage, err)
		}
		if err := s.Swap(t.Context(), ann("1"), ann("2")); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: swap: %v", damage, err)
		}
		mustStore(t, s, ann("1"))
		mustGet(t, s, ann("1"))
		f.Put(sessionName, damage)
		if err := s.Erase(t.Context(), anyone()); err != nil {
			t.Errorf("%s: erase: %v", damage, err)
		}
		if _, err := s.Get(t.Context(), anyone()); !errors.Is(err, helper.ErrNotFound) {
			t.Errorf("%s: %v", damage, err)
		}
	}
}

func TestASessionThatIsTooBigIsRefusedBeforeItIsSent(t *testing.T) {
	f := kvtest.NewFake(t)
	s := on(f)
	mustStore(t, s, ann("1"))
	big := ann("2")
	big.IDToken = helper.NewSecret(strings.Repeat("x", 1<<20))
	if err := s.Store(t.Context(), big); !errors.Is(err, ErrTooBig) {
		t.Error(err)
	}
	if err := s.Swap(t.Context(), ann("1"), big); !errors.Is(err, ErrTooBig) {
		t.Error(err)
	}
	mustGet(t, s, ann("1"))
}

// TestEveryWriteWhoseAnswerIsLostIsDoneOnce loses one answer after another.
func TestEveryWriteWhoseAnswerIsLostIsDoneOnce(t *testing.T) {
	for lost := range 12 {
		f := kvtest.NewFake(t)
		s := on(f)
		mustStore(t, s, ann("1"))
		n := 0
		f.Lock()
		f.After = func(*http.Request) bool { n++; return n == lost+1 }
		f.Unlock()
		held, unlock, err := s.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Swap(held, ann("1"), ann("2")); err != nil {
			t.Errorf("answer %d: %v", lost, err)
		}
		if err := unlock(); err != nil {
			t.Error(err)
		}
		mustGet(t, s, ann("2"))
		if data, _, kept := f.Look(sessionName); strings.Contains(data, "claim") || kept != 1 {
			t.Errorf("answer %d: %d versions, %s", lost, kept, data)
		}
		if data, _, _ := f.Look(tokenName); !strings.Contains(data, "access-token-2") || strings.Contains(data, "refresh") {
			t.Errorf("answer %d: token: %s", lost, data)
		}
	}
}

func TestMachinesWhoseClocksDifferByHoursSeeOneExpiry(t *testing.T) {
	f := kvtest.NewFake(t)
	for _, hours := range []time.Duration{-2, 0, 2} {
		ahead := hours * time.Hour
		writer, reader := on(f), on(f)
		writer.Now = func() time.Time { return time.Now().Add(ahead) }
		c := ann("1")
		c.Issued, c.Expiry = c.Issued.Add(ahead), c.Expiry.Add(ahead)
		mustStore(t, writer, c)
		got, err := reader.Get(t.Context(), anyone())
		if left := time.Until(got.Expiry); err != nil || left < 59*time.Minute || left > 61*time.Minute {
			t.Errorf("%v ahead: %v left, %v", ahead, left, err)
		}
		if got, err = writer.Get(t.Context(), anyone()); err != nil || got.Expiry.Sub(c.Expiry).Abs() > 2*time.Second { // a server says its time to the second
			t.Errorf("%v ahead: %v, want %v", ahead, got.Expiry, c.Expiry)
		}
		token := Token{Server: client(f), Path: testPath}
		if got, err = token.Get(t.Context(), anyone()); err != nil || time.Until(got.Expiry).Round(time.Hour) != time.Hour || got.RefreshToken.IsSet() {
			t.Errorf("%v ahead: %v, %v", ahead, got.Expiry, err)
		}
	}
}

func TestAnEraseLeavesATombstoneAndNoEarlierVersion(t *testing.T) {
	f := kvtest.NewFake(t)
	s := on(f)
	for range 5 { // kept as an engine keeps them that was not told to
		f.Put(sessionName, `{"v":1}`)
		f.Put(tokenName, `{"v":1}`)
	}
	mustStore(t, s, ann("1"))
	_, before, _ := f.Look(sessionName)
	if err := s.Erase(t.Context(), anyone()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{sessionName, tokenName} {
		if data, version, kept := f.Look(name); kept != 1 || strings.Contains(data, "access") || strings.Contains(data, "refresh") || name == sessionName && version <= before {
			t.Errorf("%s: version %d after %d, %d kept: %s", name, version, before, kept, data)
		}
	}
	late := ann("1")
	if err := s.Swap(t.Context(), late, ann("2")); !errors.Is(err, helper.ErrChanged) {
		t.Errorf("a late save: %v", err)
	}
}

func TestALoginDoesNotTakeAnotherAccountsPlace(t *testing.T) {
	f := kvtest.NewFake(t)
	s := on(f)
	mustStore(t, s, ann("1"))
	bob := ann("2")
	bob.Username = "bob@example.com"
	if err := s.Store(t.Context(), bob); !errors.Is(err, helper.ErrRequest) || !strings.Contains(err.Error(), `holds the session of "ann@example.com"`) {
		t.Error(err)
	}
	mustGet(t, s, ann("1"))
}

// TestAnAnswerWithoutEndIsNoAnswer: no more of it is read than an answer can have.
func TestAnAnswerWithoutEndIsNoAnswer(t *testing.T) {
	url, closed := webtest.Raw(t, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"+strings.Repeat(" ", 1<<20+1))
	c := &Client{Address: url, Token: helper.NewSecret("t"), Patience: time.Millisecond}
	c.Patience = time.Minute // which it isn't asked again for
	if _, err := c.Read(t.Context(), testPath); !errors.Is(err, web.ErrOutage) || !strings.Contains(err.Error(), "without an end") {
		t.Error(err)
	}
	webtest.MustClose(t, closed, 1)
}

// TestAnEndedContextEndsEveryWait while the server never answers.
func TestAnEndedContextEndsEveryWait(t *testing.T) {
	f := kvtest.NewFake(t)
	gone := make(chan struct{})
	t.Cleanup(func() { close(gone) })
	f.Before = func(http.ResponseWriter, *http.Request) bool { <-gone; return true }
	s := on(f)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Get(ctx, anyone()); err == nil || ctx.Err() == nil {
		t.Errorf("get: %v", err)
	}
	if _, _, err := s.Lock(ctx); !errors.Is(err, helper.ErrBusy) {
		t.Errorf("lock: %v", err)
	}
}
