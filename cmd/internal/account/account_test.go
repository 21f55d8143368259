package account

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

const secret = "s3cret-token-of-some-length"

// platform serves answer and returns a client for it, and a credential.
func platform(t *testing.T, answer http.HandlerFunc) (Client, helper.Credential) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	client, cred := clientOf(t, server.URL)
	client.HTTP = server.Client()
	return client, cred
}

func clientOf(t *testing.T, server string) (Client, helper.Credential) {
	t.Helper()
	origin, err := helper.ParseOrigin(server)
	if err != nil {
		t.Fatal(err)
	}
	cred := helper.Credential{Origin: origin, Secret: helper.NewSecret(secret), AuthType: helper.AuthBearer}
	return Client{URL: server + "/graphql"}, cred
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestWhoAmIWithASession(t *testing.T) {
	client, cred := platform(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Query string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodPost || r.URL.Path != "/graphql" || !strings.Contains(body.Query, "getAccountDetails") ||
			r.Header.Get("Authorization") != "Bearer "+secret || r.Header.Get("User-Agent") != "cre-cli" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("request %s %s %v %q", r.Method, r.URL, r.Header, body.Query)
		}
		says(200, `{"data":{"getAccountDetails":{"emailAddress":"\u202eemail@domain.com\u001b[2J\u2066\u3164"},
			"getOrganization":{"displayName":"The\nOrg\u200f\u061c","organizationId":"org_1"}}}`)(w, r)
	})
	client.UserAgent = "cre-cli"
	got, err := client.WhoAmI(context.Background(), cred)
	if want := (Account{"email@domain.com[2J", "The Org", "org_1"}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWhoAmIWithAnAPIKeyAsksForNoPerson(t *testing.T) {
	client, cred := platform(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "getAccountDetails") || r.Header.Get("Authorization") != "Apikey "+secret {
			t.Errorf("request %v %s", r.Header, body)
		}
		says(200, `{"data":{"getOrganization":{"displayName":"Org","organizationId":"org_1"}}}`)(w, r)
	})
	cred.AuthType = helper.AuthAPIKey
	got, err := client.WhoAmI(context.Background(), cred)
	if want := (Account{"", "Org", "org_1"}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAnswersThatAreErrors(t *testing.T) {
	const rejected, outage = true, false
	graphql := func(message, code string) string {
		return `{"data":null,"errors":[{"message":"` + message + `","extensions":{"code":"` + code + `"}}]}`
	}
	tests := []struct {
		name     string
		status   int
		body     string
		rejected bool
		says     string // part of the error's text
	}{
		{"401 without a body", 401, "", rejected, "401"},
		{"401 with JSON", 401, `{"message":"Unauthorized"}`, rejected, "401"},
		{"401 with a line of text", 401, "unauthorized", outage, "401"},
		{"403 with JSON", 403, `{"data":{}}`, rejected, "403"},
		{"403 with JSON of another form", 403, `{"errors":"no"}`, rejected, "403"},
		{"403 with a proxy's page", 403, "<html>Forbidden: invalid token</html>", outage, "HTTP status 403"},
		{"403 with an endless page", 403, strings.Repeat("<p>", 1<<20), outage, "makes no sense"},
		{"UNAUTHENTICATED", 200, graphql("who?", "UNAUTHENTICATED"), rejected, "who?"},
		{"FORBIDDEN among others", 200, `{"errors":[{"message":"x"},{"message":"no","extensions":{"code":"FORBIDDEN"}}]}`, rejected, "x"},
		{"UNAUTHENTICATED under 400", 400, graphql("who?", "UNAUTHENTICATED"), rejected, "who?"},
		{"UNAUTHENTICATED under 503", 503, graphql("who?", "UNAUTHENTICATED"), outage, "503"},
		{"UNAUTHENTICATED under 302", 302, graphql("who?", "UNAUTHENTICATED"), outage, "302"},
		{"another code", 200, graphql("unauthorized upstream", "INTERNAL_SERVER_ERROR"), outage, "unauthorized upstream"},
		{"no code, and a text that says so", 200, `{"errors":[{"message":"Unauthorized: the credential was rejected"}]}`, rejected, "rejected"},
		{"the same under 500", 500, `{"errors":[{"message":"unauthorized"}]}`, outage, "500"},
		{"no code, and another text", 200, `{"data":null,"errors":[{"message":"it\u001b[1m broke"}]}`, outage, `"it[1m broke"; try again in a while`},
		{"error beside data", 200, `{"data":{"getOrganization":{"organizationId":"o"}},"errors":[{"message":"half"}]}`, outage, "half"},
		{"long message", 200, `{"errors":[{"message":"` + strings.Repeat("x", 5000) + `"}]}`, outage, "x…"},
		{"404", 404, "<html>not here", outage, "HTTP status 404"},
		{"429", 429, `{"errors":[{"message":"slow down"}]}`, outage, "slow down"},
		{"500", 500, secret, outage, "HTTP status 500"},
		{"503", 503, "down", outage, "HTTP status 503"},
		{"redirect", 307, "", outage, "HTTP status 307"},
		{"a captive portal's page", 200, "<html>Sign in: access denied", outage, "answered with a web page, not the API: a proxy or a Wi-Fi login page may be in between"},
		{"empty", 200, "", outage, "can't be used"},
		{"no data", 200, `{"data":null}`, outage, "can't be used"},
		{"wrong types", 200, `{"data":{"getOrganization":"x"}}`, outage, "can't be used"},
		{"what was sent", 200, `{"data":{"getOrganization":{"organizationId":"` + secret + `"}}}`, outage, "can't be used"},
		{"too long", 200, `{"data":"` + strings.Repeat("x", 1<<20) + `"}`, outage, "makes no sense"},
		{"an error that quotes what was sent", 200, graphql("got Bearer "+secret[:20]+" here", ""), outage, "got Bearer [hidden] here"},
		{"a rejection that quotes it", 401, graphql("invalid: "+strings.ToUpper(secret), ""), rejected, "invalid: [hidden]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, cred := platform(t, says(tt.status, tt.body))
			_, err := client.WhoAmI(context.Background(), cred)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v, want one with %q", err, tt.says)
			}
			if errors.Is(err, ErrRejected) != tt.rejected || errors.Is(err, web.ErrOutage) == tt.rejected {
				t.Errorf("rejected %v, outage %v: %v", errors.Is(err, ErrRejected), errors.Is(err, web.ErrOutage), err)
			}
			if len(tt.body) <= 64<<10 && Rejects(tt.status, []byte(tt.body)) != tt.rejected {
				t.Error("Rejects has another opinion")
			}
			if strings.Contains(err.Error(), secret[:16]) || strings.ContainsAny(err.Error(), "\n\x1b") || len(err.Error()) > 600 {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestWordsThatRejectACredential(t *testing.T) {
	for _, message := range []string{"Unauthorized", "unauthenticated request", "FORBIDDEN", "invalid token", "the token has expired", "jwt malformed",
		"not authenticated", "Access denied", "Invalid API key"} {
		if !saysRejected(message) {
			t.Errorf("%q is taken for an outage", message)
		}
	}
	for _, message := range []string{"", "internal error", "timeout", "rate limit exceeded", "unknown field", "service unavailable", "ordered failure"} {
		if saysRejected(message) {
			t.Errorf("%q is taken for a rejection", message)
		}
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("elsewhere was sent %s with %v", r.Method, r.Header)
	}))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{"/elsewhere", elsewhere.URL} {
			client, cred := platform(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/graphql" {
					t.Errorf("the credential went to %s", r.URL)
				}
				http.Redirect(w, r, location, status)
			})
			if _, err := client.WhoAmI(context.Background(), cred); err == nil {
				t.Errorf("HTTP status %d to %s: no error", status, location)
			}
		}
	}
}

func TestNothingIsSentToTheWrongPlace(t *testing.T) {
	client, cred := platform(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("sent %s", r.URL) })
	elsewhere, basic := cred, cred
	elsewhere.Origin = helper.Origin{Protocol: "https", Host: "api.cre.chain.link"}
	basic.AuthType = helper.AuthBasic
	for name, cred := range map[string]helper.Credential{"another origin's": elsewhere, "basic": basic, "none": {}} {
		if _, err := client.TenantConfig(context.Background(), cred); err == nil {
			t.Errorf("credential %s: no error", name)
		}
	}
	client.URL = "http://api.example/graphql"
	if _, err := client.WhoAmI(context.Background(), cred); !errors.Is(err, helper.ErrEndpoint) {
		t.Errorf("plain http: error %v", err)
	}
}

func TestCancellationEndsAQuestion(t *testing.T) {
	release := make(chan struct{})
	client, cred := platform(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := client.WhoAmI(ctx, cred); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestUnreachableHostIsNamed(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	origin, _ := helper.ParseOrigin(server.URL)
	cred := helper.Credential{Origin: origin, Secret: helper.NewSecret(secret), AuthType: helper.AuthBearer}
	_, err := Client{URL: server.URL}.WhoAmI(context.Background(), cred)
	if err == nil || !strings.Contains(err.Error(), origin.Host) || !strings.Contains(err.Error(), "check the network") {
		t.Errorf("error %v", err)
	}
}
