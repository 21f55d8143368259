package oauth

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestLogin(t *testing.T) {
	p := newFakeProvider(t)
	s := start(t, p, nil)
	for name, want := range map[string]string{
		"client_id": "client", "response_type": "code", "scope": "openid profile email offline_access", "audience": "urn:api",
		"code_challenge_method": "S256", "redirect_uri": fmt.Sprintf("http://localhost:%d/callback", s.port),
	} {
		if got := s.asked.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	for _, random := range []string{"state", "nonce"} {
		if len(s.asked.Get(random)) < 26 { // 128 bits, five in a character
			t.Errorf("%s = %q", random, s.asked.Get(random))
		}
	}
	s.mustSucceed()
	got := <-s.saved
	if got.Access.Reveal() != "the-access-token" || got.Refresh.Reveal() != "the-refresh-token" || got.ID.Reveal() != goodIDToken(s.asked) {
		t.Errorf("tokens %q, %q, %q", got.Access.Reveal(), got.Refresh.Reveal(), got.ID.Reveal())
	}
	if age := time.Since(got.Issued); age < 0 || age > time.Minute || got.Expiry != got.Issued.Add(time.Hour) {
		t.Errorf("issued %v, expiry %v", got.Issued, got.Expiry)
	}
}

func TestAnAudienceMayBeMissing(t *testing.T) {
	s := start(t, newFakeProvider(t), nil, func(l *Login) { l.Provider.Audience = "" })
	if _, found := s.asked["audience"]; found {
		t.Errorf("asked for %v", s.asked)
	}
}

func TestThePageWaitsUntilTheTokensAreSaved(t *testing.T) {
	saving, release := make(chan struct{}), make(chan struct{})
	s := start(t, newFakeProvider(t), func(context.Context, Tokens) error {
		close(saving)
		<-release
		return nil
	})
	page := make(chan answered, 1)
	go func() { page <- s.callback("state", s.asked.Get("state"), "code", "good") }()
	<-saving
	select {
	case a := <-page:
		t.Errorf("answered too early: %v", a)
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	if a := <-page; !a.shows(loggedIn) {
		t.Errorf("the page is %v", a)
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
}

func TestSavingThatFails(t *testing.T) {
	failure := errors.New("keychain locked")
	s := start(t, newFakeProvider(t), func(context.Context, Tokens) error { return failure })
	if a := s.callback("state", s.asked.Get("state"), "code", "good"); !a.shows(noSuccess) || strings.Contains(a.body, "keychain") {
		t.Errorf("the page is %v", a)
	}
	if err := s.end(); !errors.Is(err, failure) {
		t.Errorf("error %v", err)
	}
}

func TestADeniedLoginEndsAtOnce(t *testing.T) {
	s := start(t, newFakeProvider(t), nil)
	a := s.callback("state", s.asked.Get("state"), "error", "access_denied", "code", "ignored",
		"error_description", "<b>No</b>\x1b[31m\u009b2J\u202e\r\n"+strings.Repeat("x", 1000))
	if !a.shows(noSuccess) || !strings.Contains(a.body, "&lt;b&gt;No&lt;/b&gt;[31m2J  xxx") {
		t.Errorf("the page is %v", a)
	}
	err := s.end()
	if !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "access_denied: <b>No</b>[31m2J  xxx") || len(err.Error()) > 400 {
		t.Errorf("error %q", err)
	}
}

func TestAPersonWhoSaysNoIsToldSo(t *testing.T) {
	for name, description := range map[string]string{"Auth0's words": "User did not authorize the request", "no word": ""} {
		t.Run(name, func(t *testing.T) {
			s := start(t, newFakeProvider(t), nil)
			a := s.callback("state", s.asked.Get("state"), "error", "access_denied", "error_description", description)
			if !a.shows(cancelled) || strings.Contains(a.body, "access_denied") || !strings.Contains(a.body, "Nothing was changed.") {
				t.Errorf("the page is %v", a)
			}
			if err := s.end(); !errors.Is(err, ErrDenied) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestThePageNamesTheAccount(t *testing.T) {
	for email, want := range map[string]string{
		"email@domain.com": "as email@domain.com</p>\n<p>You can close this window",
		"<i>\x1b[31m@x":    "as &lt;i&gt;[31m@x</p>",
		"":                 "</h1>\n<p>You can close this window",
	} {
		p := newFakeProvider(t)
		p.idToken = func(q url.Values) string {
			return jwt(map[string]any{"nonce": q.Get("nonce"), "aud": "client", "email": email})
		}
		s := start(t, p, nil)
		if a := s.callback("state", s.asked.Get("state"), "code", "good"); !a.shows(loggedIn) || !strings.Contains(a.body, want) {
			t.Errorf("%q: the page is %v", email, a)
		}
		if err := s.end(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheRightStateWithNothingElseEndsTheLogin(t *testing.T) {
	s := start(t, newFakeProvider(t), nil)
	if a := s.callback("state", s.asked.Get("state")); !a.shows(noSuccess) {
		t.Errorf("the page is %v", a)
	}
	if err := s.end(); !errors.Is(err, ErrDenied) {
		t.Errorf("error %v", err)
	}
}

var nextLink = regexp.MustCompile(`<a id="next" href="([^"]+)">`)

// notReady comes back while the organization is missing, and follows the page's link.
func (s *started) notReady() {
	s.t.Helper()
	a := s.callback("state", s.asked.Get("state"), "error", "access_denied", "error_description", "User does not belong to any organization (yet)")
	link := nextLink.FindStringSubmatch(a.body)
	if !a.shows(settingUp) || link == nil {
		s.t.Fatalf("the page is %v", a)
	}
	before := s.asked
	s.asked = s.provider.visit(html.UnescapeString(link[1]))
	for _, fresh := range []string{"state", "nonce", "code_challenge"} {
		if s.asked.Get(fresh) == "" || s.asked.Get(fresh) == before.Get(fresh) {
			s.t.Errorf("%s is not fresh", fresh)
		}
	}
	if old := s.callback("state", before.Get("state"), "code", "good"); !old.shows(notOurs) {
		s.t.Errorf("the old state was answered with %v", old)
	}
	s.mustStillRun()
}

func TestTheLoginGoesOnWhenTheOrganizationIsReady(t *testing.T) {
	p := newFakeProvider(t)
	s := start(t, p, nil)
	for range 3 {
		s.notReady()
	}
	s.mustSucceed()
	if codes := p.codes(); len(codes) != 1 {
		t.Errorf("codes %q were redeemed", codes)
	}
}

func TestAnOrganizationThatIsNeverReadyEndsTheLogin(t *testing.T) {
	s := start(t, newFakeProvider(t), nil)
	for range 3 {
		s.notReady()
	}
	a := s.callback("state", s.asked.Get("state"), "error", "access_denied", "error_description", "user does not belong to any organization")
	if !a.shows(noSuccess) {
		t.Errorf("the page is %v", a)
	}
	if err := s.end(); !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "organization") {
		t.Errorf("error %v", err)
	}
}

func TestAnIDTokenThatIsNotForThisLogin(t *testing.T) {
	for name, idToken := range map[string]func(url.Values) string{
		"missing":       func(url.Values) string { return "" },
		"garbage":       func(url.Values) string { return "s3cret" },
		"another nonce": func(url.Values) string { return jwt(map[string]any{"nonce": "other", "aud": "client"}) },
		"no nonce":      func(url.Values) string { return jwt(map[string]any{"aud": "client"}) },
		"an odd audience": func(q url.Values) string {
			return jwt(map[string]any{"nonce": q.Get("nonce"), "aud": []any{"client", 1}})
		},
		"another client": func(q url.Values) string { return jwt(map[string]any{"nonce": q.Get("nonce"), "aud": "other"}) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newFakeProvider(t)
			p.idToken = idToken
			s := start(t, p, func(context.Context, Tokens) error { t.Error("saved"); return nil })
			if a := s.callback("state", s.asked.Get("state"), "code", "good"); !a.shows(noSuccess) {
				t.Errorf("the page is %v", a)
			}
			if err := s.end(); !errors.Is(err, errIDToken) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestARefusedCodeEndsTheLogin(t *testing.T) {
	p := newFakeProvider(t)
	p.answer = func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, http.StatusForbidden, map[string]string{"error": "invalid_grant"})
	}
	s := start(t, p, nil)
	if a := s.callback("state", s.asked.Get("state"), "code", "bad"); !a.shows(noSuccess) {
		t.Errorf("the page is %v", a)
	}
	if err := s.end(); !errors.Is(err, ErrRefused) {
		t.Errorf("error %v", err)
	}
}

func TestCancellationEndsTheWait(t *testing.T) {
	s := start(t, newFakeProvider(t), nil)
	s.cancel()
	before := time.Now()
	if err := s.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(before); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestCancellationEndsTheExchange(t *testing.T) {
	p := newFakeProvider(t)
	s := start(t, p, nil)
	p.answer = func(_ http.ResponseWriter, r *http.Request) {
		s.cancel()
		<-r.Context().Done()
	}
	if a := s.callback("state", s.asked.Get("state"), "code", "good"); !a.shows(noSuccess) {
		t.Errorf("the page is %v", a)
	}
	if err := s.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestTheWaitHasAnEnd(t *testing.T) {
	s := start(t, newFakeProvider(t), nil, func(l *Login) { l.Wait = 30 * time.Millisecond })
	if err := s.end(); !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "30ms") {
		t.Errorf("error %v", err)
	}
}

func TestALoginOverPlainHTTPIsRefused(t *testing.T) {
	login := Login{Provider: providerAt("http://login.example"), Show: func(string, error) { t.Error("shown") }}
	if err := login.Run(context.Background(), nil); err == nil {
		t.Error("no error")
	}
}
