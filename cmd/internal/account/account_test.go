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

	"cre-credential-helper/helper"
)

const secret = "s3cret-token"

// platform serves answer and returns a client for it, and a credential.
func platform(t *testing.T, answer http.HandlerFunc) (Client, helper.Credential) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	origin, err := helper.ParseOrigin(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	cred := helper.Credential{Origin: origin, Secret: helper.NewSecret(secret), AuthType: helper.AuthBearer}
	return Client{HTTP: server.Client(), URL: server.URL + "/graphql"}, cred
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
		says(200, `{"data":{"getAccountDetails":{"emailAddress":"email@domain.com\u001b[2J"},
			"getOrganization":{"displayName":"The\nOrg","organizationId":"org_1"}}}`)(w, r)
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
	tests := []struct {
		name   string
		status int
		body   string
		is     error  // nil: neither sentinel
		says   string // part of the error's text
	}{
		{"401", 401, `whatever`, ErrRejected, "401"},
		{"403", 403, `{"data":{}}`, ErrRejected, "403"},
		{"UNAUTHENTICATED", 200, `{"errors":[{"message":"who?","extensions":{"code":"UNAUTHENTICATED"}}]}`, ErrRejected, "who?"},
		{"FORBIDDEN among others", 200, `{"errors":[{"message":"x"},{"message":"no","extensions":{"code":"FORBIDDEN"}}]}`, ErrRejected, "no"},
		{"UNAUTHENTICATED under 400", 400, `{"errors":[{"message":"who?","extensions":{"code":"UNAUTHENTICATED"}}]}`, ErrRejected, "who?"},
		{"other GraphQL error", 200, `{"data":null,"errors":[{"message":"it\u001b[1m broke"}]}`, nil, `"it[1m broke"; try again, then try cre login`},
		{"error beside data", 200, `{"data":{"getOrganization":{"organizationId":"o"}},"errors":[{"message":"half"}]}`, nil, "half"},
		{"long message", 200, `{"errors":[{"message":"` + strings.Repeat("x", 5000) + `"}]}`, nil, "x…"},
		{"500", 500, secret, nil, "HTTP status 500"},
		{"redirect", 307, ``, nil, "HTTP status 307"},
		{"not JSON", 200, `<html>`, ErrAnswer, "expected JSON"},
		{"empty", 200, ``, ErrAnswer, "expected JSON"},
		{"no data", 200, `{"data":null}`, ErrAnswer, "no organization"},
		{"wrong types", 200, `{"data":{"getOrganization":"x"}}`, ErrAnswer, "expected JSON"},
		{"too long", 200, `{"data":"` + strings.Repeat("x", maxAnswer) + `"}`, ErrAnswer, "more than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, cred := platform(t, says(tt.status, tt.body))
			_, err := client.WhoAmI(context.Background(), cred)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v, want one with %q", err, tt.says)
			}
			for _, sentinel := range []error{ErrRejected, ErrAnswer} {
				if errors.Is(err, sentinel) != (sentinel == tt.is) {
					t.Errorf("errors.Is(%v, %v) = %v", err, sentinel, sentinel != tt.is)
				}
			}
			if strings.Contains(err.Error(), secret) || strings.ContainsAny(err.Error(), "\n\x1b") || len(err.Error()) > 600 {
				t.Errorf("error %q", err)
			}
		})
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
