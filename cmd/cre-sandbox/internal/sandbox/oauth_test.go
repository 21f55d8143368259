package sandbox_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"

	"golang.org/x/oauth2"
)

func TestLoginIssuesTheTokensOfThePlatform(t *testing.T) {
	for _, tc := range []struct {
		name    string
		options sandbox.Options
		status  string
	}{
		{"without deploy access", sandbox.Options{}, "LIMITED_ACCESS"},
		{"with deploy access", sandbox.Options{DeployAccess: true}, "FULL_ACCESS"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := start(t, tc.options)
			back := logIn(t, s)
			if back.Get("state") != "a-state" {
				t.Errorf("state %q came back", back.Get("state"))
			}
			token, err := config(s).Exchange(t.Context(), back.Get("code"), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			if token.ExpiresIn != 86400 || token.TokenType != "Bearer" || token.RefreshToken == "" {
				t.Errorf("expires_in %d, token_type %q, refresh token: %t", token.ExpiresIn, token.TokenType, token.RefreshToken != "")
			}
			access := claims(t, token.AccessToken)
			for name, want := range map[string]any{
				"iss":    s.URL + "/",
				"sub":    "sandbox|1",
				"aud":    []any{s.URL + "/"},
				"org_id": "org_mEMRknbVURM9DWsB",
				"https://sandbox.invalid/organization_status": tc.status,
			} {
				if !reflect.DeepEqual(access[name], want) {
					t.Errorf("access token: %s is %v, want %v", name, access[name], want)
				}
			}
			id := claims(t, token.Extra("id_token").(string))
			for name, want := range map[string]any{"email": "email@domain.com", "sub": "sandbox|1", "nonce": "a-nonce"} {
				if id[name] != want {
					t.Errorf("ID token: %s is %v, want %v", name, id[name], want)
				}
			}
			if status := bearerStatus(t, s, token.AccessToken); status != http.StatusOK {
				t.Errorf("the API answers %d", status)
			}
		})
	}
}

func TestACodeIsGoodOnce(t *testing.T) {
	for _, tc := range []struct{ name, firstVerifier string }{
		{"after an exchange", verifier},
		{"after a wrong verifier", strings.Repeat("w", 43)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := start(t, sandbox.Options{})
			code := logIn(t, s).Get("code")
			_, err := config(s).Exchange(t.Context(), code, oauth2.VerifierOption(tc.firstVerifier))
			if tc.firstVerifier != verifier {
				wantRefused(t, err)
			} else if err != nil {
				t.Fatal(err)
			}
			_, err = config(s).Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
			wantRefused(t, err)
		})
	}
}

func TestARotatedRefreshTokenEndsTheSession(t *testing.T) {
	s := start(t, sandbox.Options{})
	first := tokens(t, s)
	second, err := refresh(t.Context(), s, first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken {
		t.Fatal("a refresh must renew both tokens")
	}
	if status := bearerStatus(t, s, second.AccessToken); status != http.StatusOK {
		t.Fatalf("the API answers %d before the reuse", status)
	}
	_, err = refresh(t.Context(), s, first.RefreshToken)
	wantRefused(t, err)
	_, err = refresh(t.Context(), s, second.RefreshToken)
	wantRefused(t, err)
	for _, token := range []*oauth2.Token{first, second} {
		if status := bearerStatus(t, s, token.AccessToken); status != http.StatusUnauthorized {
			t.Errorf("the API answers %d after the reuse", status)
		}
	}
	got := s.Stats()
	if got.Refreshes != 1 || got.RefreshReuses != 1 || got.FamiliesRevoked != 1 || got.LiveFamilies != 0 {
		t.Errorf("stats: %+v", got.OAuthStats)
	}
}

func TestOfParallelRefreshesOneWins(t *testing.T) {
	s := start(t, sandbox.Options{Latency: map[sandbox.Endpoint]time.Duration{sandbox.Token: 20 * time.Millisecond}})
	token := tokens(t, s)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { _, _ = refresh(t.Context(), s, token.RefreshToken) })
	}
	wg.Wait()
	got := s.Stats()
	if got.Refreshes != 1 || got.RefreshReuses != 9 || got.FamiliesRevoked != 1 {
		t.Errorf("stats: %+v", got.OAuthStats)
	}
}

func TestWithoutRotationTheRefreshTokenStays(t *testing.T) {
	s := start(t, sandbox.Options{NoRotation: true})
	token := tokens(t, s)
	for range 2 {
		if _, err := refresh(t.Context(), s, token.RefreshToken); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := http.PostForm(s.URL+"/oauth/token", url.Values{
		"grant_type": {"refresh_token"}, "client_id": {"cre-sandbox"}, "refresh_token": {token.RefreshToken},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	decode(t, resp.Body, &answer)
	if _, ok := answer["refresh_token"]; ok || answer["access_token"] == nil {
		t.Error("the answer must hold an access token and no refresh token")
	}
}

func TestRevocationEndsTheSession(t *testing.T) {
	s := start(t, sandbox.Options{})
	old := tokens(t, s)
	token, err := refresh(t.Context(), s, old.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	for _, unknown := range []string{"v1.unknown", "unknown", token.AccessToken} {
		if status := revoke(t, s, unknown); status != http.StatusOK {
			t.Errorf("revoking what is no refresh token: status %d, want 200 (RFC 7009, 2.2)", status)
		}
	}
	if got := s.Stats(); got.LiveFamilies != 1 || got.Revocations != 0 {
		t.Fatalf("stats: %+v", got.OAuthStats)
	}
	if status := revoke(t, s, token.RefreshToken); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	_, err = refresh(t.Context(), s, token.RefreshToken)
	wantRefused(t, err)
	if status := bearerStatus(t, s, token.AccessToken); status != http.StatusUnauthorized {
		t.Errorf("the API answers %d", status)
	}
	got := s.Stats()
	if got.LiveFamilies != 0 || got.Revocations != 1 || got.FamiliesRevoked != 0 {
		t.Errorf("stats: %+v", got.OAuthStats)
	}
}

func TestAuthorizeRefusesBeforeTheLogin(t *testing.T) {
	s := start(t, sandbox.Options{})
	set := oauth2.SetAuthURLParam
	for _, tc := range []struct {
		name  string
		more  []oauth2.AuthCodeOption
		error string // at the callback; empty: the browser isn't sent there
	}{
		{"no PKCE", []oauth2.AuthCodeOption{set("code_challenge", ""), set("code_challenge_method", "")}, "invalid_request"},
		{"plain PKCE", []oauth2.AuthCodeOption{set("code_challenge_method", "plain")}, "invalid_request"},
		{"another audience", []oauth2.AuthCodeOption{set("audience", "https://api.example.com/")}, "access_denied"},
		{"implicit flow", []oauth2.AuthCodeOption{set("response_type", "token")}, "unauthorized_client"},
		{"another port", []oauth2.AuthCodeOption{set("redirect_uri", "http://localhost:53683/callback")}, ""},
		{"another loopback name", []oauth2.AuthCodeOption{set("redirect_uri", "http://127.0.0.1:53682/callback")}, ""},
		{"another client", []oauth2.AuthCodeOption{set("client_id", "another")}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id, resp := openForm(t, authorizeURL(s, tc.more...))
			switch {
			case resp == nil:
				t.Fatalf("the login form %s opened", id)
			case tc.error == "" && resp.StatusCode < 400:
				t.Fatalf("status %d", resp.StatusCode)
			case tc.error != "" && callback(t, resp).Get("error") != tc.error:
				t.Fatalf("the callback gets %v, want %s", callback(t, resp), tc.error)
			}
		})
	}
}

func TestTheLoginForm(t *testing.T) {
	s := start(t, sandbox.Options{})
	id, _ := openForm(t, authorizeURL(s))

	resp, err := browser().Get(s.URL + "/login?action=login&email=email@domain.com&password=any&id=" + id)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || s.Stats().Logins != 0 {
		t.Errorf("GET: status %d, %d logins", resp.StatusCode, s.Stats().Logins)
	}
	for name, form := range map[string]url.Values{
		"another account": {"id": {id}, "email": {"other@domain.com"}, "password": {"any"}},
		"no password":     {"id": {id}, "email": {"email@domain.com"}, "password": {""}},
	} {
		if resp := submitForm(t, s, form); resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", name, resp.StatusCode)
		}
	}
	resp = submitForm(t, s, url.Values{"id": {"none"}, "email": {"email@domain.com"}, "password": {"any"}})
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("unknown request: status %d", resp.StatusCode)
	}
	back := callback(t, submitForm(t, s, url.Values{"id": {id}, "action": {"deny"}}))
	if back.Get("error") != "access_denied" || back.Get("state") != "a-state" || back.Get("code") != "" {
		t.Errorf("denied: the callback gets %v", back)
	}
	if got := s.Stats(); got.Logins != 0 || got.Denials != 1 || got.Authorizations != 1 {
		t.Errorf("stats: %+v", got.OAuthStats)
	}
}

func TestTheOrganizationIsReadyAfterNLogins(t *testing.T) {
	s := start(t, sandbox.Options{OrgNotReady: 2})
	for range 2 {
		back := logIn(t, s)
		if back.Get("error") != "access_denied" || back.Get("state") != "a-state" ||
			!strings.Contains(back.Get("error_description"), "user does not belong to any organization") {
			t.Fatalf("the callback gets %v", back)
		}
	}
	if code := logIn(t, s).Get("code"); code == "" {
		t.Error("the third login must work")
	}
}

func TestTokenSizeIsAbout(t *testing.T) {
	for _, size := range []int{1000, 2560, 8000} {
		s := start(t, sandbox.Options{TokenSize: size})
		if got := len(tokens(t, s).AccessToken); got < size-100 || got > size+100 {
			t.Errorf("%d bytes, want about %d", got, size)
		}
	}
}
