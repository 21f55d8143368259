package sandbox_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"

	"golang.org/x/oauth2"
)

func start(t *testing.T, o sandbox.Options) *sandbox.Server {
	t.Helper()
	s, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func env(s *sandbox.Server, name string) string {
	for _, v := range s.Env() {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// config is an OAuth client that knows only what Env says.
func config(s *sandbox.Server) *oauth2.Config {
	base := env(s, "CRE_CLI_AUTH_BASE")
	return &oauth2.Config{
		ClientID:    env(s, "CRE_CLI_CLIENT_ID"),
		RedirectURL: sandbox.RedirectURI,
		Scopes:      []string{"openid", "profile", "email", "offline_access"},
		Endpoint: oauth2.Endpoint{
			AuthURL:   base + "/authorize",
			TokenURL:  base + "/oauth/token",
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}
}

const verifier = "a-verifier-that-is-at-least-forty-three-characters-long"

func authorizeURL(s *sandbox.Server, more ...oauth2.AuthCodeOption) string {
	more = append([]oauth2.AuthCodeOption{
		oauth2.S256ChallengeOption(verifier),
		oauth2.SetAuthURLParam("audience", env(s, "CRE_CLI_AUDIENCE")),
		oauth2.SetAuthURLParam("nonce", "a-nonce"),
	}, more...)
	return config(s).AuthCodeURL("a-state", more...)
}

// browser stops short of the callback, which nobody serves here.
func browser() *http.Client {
	return &http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), sandbox.RedirectURI) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// openForm goes to an authorize URL and returns the login form's id, or the
// answer that came in its place.
func openForm(t *testing.T, target string) (id string, answer *http.Response) {
	t.Helper()
	resp, err := browser().Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Request.URL.Path != "/login" {
		return "", resp
	}
	return resp.Request.URL.Query().Get("id"), nil
}

func submitForm(t *testing.T, s *sandbox.Server, form url.Values) *http.Response {
	t.Helper()
	resp, err := browser().PostForm(s.URL+"/login", form)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

func callback(t *testing.T, resp *http.Response) url.Values {
	t.Helper()
	location, err := resp.Location()
	if err != nil {
		t.Fatalf("status %d and no redirect: %v", resp.StatusCode, err)
	}
	if got := location.Scheme + "://" + location.Host + location.Path; got != sandbox.RedirectURI {
		t.Fatalf("redirected to %s", got)
	}
	return location.Query()
}

// logIn fills the form in and returns the callback's parameters.
func logIn(t *testing.T, s *sandbox.Server, more ...oauth2.AuthCodeOption) url.Values {
	t.Helper()
	id, answer := openForm(t, authorizeURL(s, more...))
	if answer != nil {
		t.Fatalf("no login form: status %d", answer.StatusCode)
	}
	return callback(t, submitForm(t, s, url.Values{
		"id": {id}, "email": {"email@domain.com"}, "password": {"any"}, "action": {"login"},
	}))
}

func tokens(t *testing.T, s *sandbox.Server, more ...oauth2.AuthCodeOption) *oauth2.Token {
	t.Helper()
	token, err := config(s).Exchange(t.Context(), logIn(t, s, more...).Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func refresh(ctx context.Context, s *sandbox.Server, refreshToken string) (*oauth2.Token, error) {
	return config(s).TokenSource(ctx, &oauth2.Token{RefreshToken: refreshToken}).Token()
}

// wantRefused checks for what Auth0 answers to a grant that is no good.
func wantRefused(t *testing.T, err error) {
	t.Helper()
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response.StatusCode != http.StatusForbidden || refused.ErrorCode != "invalid_grant" {
		t.Fatalf("got %v, want 403 invalid_grant", err)
	}
}

func revoke(t *testing.T, s *sandbox.Server, token string) int {
	t.Helper()
	resp, err := http.PostForm(s.URL+"/oauth/revoke", url.Values{"token": {token}, "client_id": {"cre-sandbox"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// ask sends a GraphQL query and returns status and body.
func ask(t *testing.T, s *sandbox.Server, authorization, query string) (int, string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, env(s, "CRE_CLI_GRAPHQL_URL"), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", authorization)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

const whoami = "{ getAccountDetails { emailAddress } getOrganization { organizationId } }"

func bearerStatus(t *testing.T, s *sandbox.Server, accessToken string) int {
	t.Helper()
	status, _ := ask(t, s, "Bearer "+accessToken, whoami)
	return status
}

func claims(t *testing.T, jwt string) map[string]any {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("a JWT has three parts, this has %d", len(parts))
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}
