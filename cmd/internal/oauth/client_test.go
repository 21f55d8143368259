package oauth

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/cmd/internal/awake"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

const oldRefresh = "s3cret-refresh-token"

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func refresh(endpoint string, c Client) (Tokens, error) {
	return c.Refresh(context.Background(), endpoint, "client", helper.NewSecret(oldRefresh))
}

func TestRefresh(t *testing.T) {
	now := time.Unix(1800000000, 999)
	tests := []struct {
		name, answer     string
		access, id, next string
		expiry           time.Time
	}{
		{"everything new", `{"access_token":"a","id_token":"i","refresh_token":"new","expires_in":60,"token_type":"Bearer"}`,
			"a", "i", "new", time.Unix(1800000060, 0).UTC()},
		{"no refresh token keeps the old one", `{"access_token":"a","expires_in":"60"}`, "a", "", oldRefresh, time.Unix(1800000060, 0).UTC()},
		{"no expiry", `{"access_token":"a","refresh_token":"new"}`, "a", "", "new", time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			requests := 0
			endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
				requests++
				if err := r.ParseForm(); err != nil {
					t.Error(err)
				}
				if len(r.Form) != 3 || r.PostFormValue("grant_type") != "refresh_token" || r.PostFormValue("client_id") != "client" ||
					r.PostFormValue("refresh_token") != oldRefresh || r.Header.Get("Authorization") != "" {
					t.Errorf("request %v %v", r.Form, r.Header)
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, tt.answer)
			})
			got, err := refresh(endpoint, Client{Now: func() time.Time { return now }})
			if err != nil || requests != 1 {
				t.Fatalf("%d requests, error %v", requests, err)
			}
			if got.Access.Reveal() != tt.access || got.ID.Reveal() != tt.id || got.Refresh.Reveal() != tt.next || got.Expiry != tt.expiry {
				t.Errorf("got %q %q %q %v", got.Access.Reveal(), got.ID.Reveal(), got.Refresh.Reveal(), got.Expiry)
			}
			if got.Issued != time.Unix(1800000000, 0).UTC() {
				t.Errorf("issued %v", got.Issued)
			}
			if tt.id == "" && got.ID.IsSet() {
				t.Error("an ID token came from nowhere")
			}
		})
	}
}

func TestRefreshThatFails(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		body    string
		refused bool
		says    string
	}{
		{"Auth0's refusal", 403, `{"error":"invalid_grant","error_description":"s3cret"}`, true, "log in again"},
		{"RFC 6749's refusal", 400, `{"error":"invalid_grant"}`, true, "log in again"},
		{"refusal by 401", 401, `{"error":"invalid_grant"}`, true, "log in again"},
		{"invalid_grant under 200", 200, `{"error":"invalid_grant"}`, false, "200"},
		{"invalid_grant under 500", 500, `{"error":"invalid_grant"}`, false, "try again in a while"},
		{"another code", 400, `{"error":"invalid_client"}`, false, "invalid_client"},
		{"a code that is none", 400, `{"error":"s3cret \u001b[1m"}`, false, "no error code"},
		{"forbidden without a code", 403, `<html>s3cret`, false, "HTTP status 403"},
		{"too many requests", 429, `{"error":"invalid_grant"}`, false, "try again in a while"},
		{"down", 503, `s3cret`, false, "try again in a while"},
		{"redirect", 307, ``, false, "307"},
		{"not JSON", 200, `s3cret`, false, "makes no sense"},
		{"no access token", 200, `{"refresh_token":"s3cret"}`, false, "makes no sense"},
		{"an access token that is none", 200, `{"access_token":["s3cret"],"refresh_token":"s3cret"}`, false, "makes no sense"},
		{"an empty access token", 200, `{"access_token":"","refresh_token":"s3cret"}`, false, "makes no sense"},
		{"a list", 200, `[{"access_token":"s3cret"}]`, false, "makes no sense"},
		{"null", 200, `null`, false, "makes no sense"},
		{"nothing", 200, ``, false, "makes no sense"},
		{"cut short", 200, `{"access_token":"s3cret","refresh_token":"s3cret"`, false, "makes no sense"},
		{"tokens under an error's status", 400, `{"access_token":"s3cret"}`, false, "no error code"},
		{"a refusal with an odd description", 403, `{"error":"invalid_grant","error_description":{"s3cret":1},"expires_in":true}`, true, "log in again"},
		{"a code of another type", 403, `{"error":{"code":"invalid_grant"}}`, false, "no error code"},
		{"too long", 200, `{"access_token":"` + strings.Repeat("x", 1<<20) + `"}`, false, "makes no sense"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			requests := 0
			endpoint := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				requests++
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			_, err := refresh(endpoint, Client{HTTP: http.DefaultClient})
			if err == nil || errors.Is(err, ErrRefused) != tt.refused || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v", err)
			}
			if strings.Contains(err.Error(), "s3cret") || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("the error quotes the answer: %q", err)
			}
			if requests != 1 {
				t.Errorf("the refresh token was sent %d times", requests)
			}
		})
	}
}

func TestAProviderSaysWhenToTryAgain(t *testing.T) {
	for header, says := range map[string]string{
		"120":                           "try again in 120 seconds",
		"":                              "try again in a while",
		"Wed, 21 Oct 2026 07:28:00 GMT": "try again in a while",
		"-1":                            "try again in a while",
		"s3cret":                        "try again in a while",
	} {
		endpoint := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		_, err := refresh(endpoint, Client{})
		if err == nil || errors.Is(err, ErrRefused) || !strings.HasSuffix(err.Error(), says) {
			t.Errorf("Retry-After %q: error %v, want %q", header, err, says)
		}
	}
}

// silence is a server that never answers.
type silence struct{}

func (silence) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestAProviderThatHangsIsWaitedForHalfAMinute(t *testing.T) {
	const endpoint = "https://login.example/oauth/token"
	hanging := &http.Client{Transport: silence{}, Timeout: time.Second} // of no account
	tests := []struct {
		name string
		ask  func(context.Context) error
		wait time.Duration
	}{
		{"a code", func(ctx context.Context) error {
			_, err := Login{Provider: providerAt("https://login.example"), HTTP: hanging}.exchange(ctx, attempt{}, "code")
			return err
		}, 30 * time.Second},
		{"a revocation", func(ctx context.Context) error {
			return Client{HTTP: hanging}.Revoke(ctx, endpoint, "client", helper.NewSecret(oldRefresh))
		}, 30 * time.Second},
		{"a refresh, for as long as its caller likes", func(ctx context.Context) error {
			ctx, cancel := awake.WithTimeout(ctx, time.Hour)
			defer cancel()
			_, err := Client{HTTP: hanging}.Refresh(ctx, endpoint, "client", helper.NewSecret(oldRefresh))
			return err
		}, time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				err := tt.ask(t.Context())
				if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer from login.example") || time.Since(begin) != tt.wait {
					t.Errorf("error %v after %v", err, time.Since(begin))
				}
			})
		})
	}
}

func TestRequestsThatGetNoAnswer(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	if _, err := refresh(closed.URL, Client{}); err == nil || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "check the network") {
		t.Errorf("nobody there: error %v", err)
	}

	hanging := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	var late net.Error
	if _, err := web.NewClient(50*time.Millisecond).Post(hanging, "", nil); !errors.As(err, &late) || !late.Timeout() {
		t.Errorf("a timeout for others: error %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := (Client{}).Revoke(ctx, hanging, "client", helper.NewSecret(oldRefresh)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline: error %v", err)
	}

	tls := httptest.NewUnstartedServer(nil)
	tls.Config.ErrorLog = log.New(io.Discard, "", 0) // complains of the client that hangs up
	tls.StartTLS()
	defer tls.Close()
	if _, err := refresh(tls.URL, Client{}); err == nil || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody knows: error %v", err)
	}

	half := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"access_token":"s3cret`)
	})
	if _, err := refresh(half, Client{}); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("half an answer: error %v", err)
	}
}

func TestRevoke(t *testing.T) {
	for status, ok := range map[int]bool{200: true, 204: true, 302: false, 400: false, 503: false} {
		requests := 0
		endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
			requests++
			if r.PostFormValue("token") != oldRefresh || r.PostFormValue("client_id") != "client" || r.URL.Path != "/oauth/revoke" {
				t.Errorf("request %s %v", r.URL, r.Form)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		err := (Client{}).Revoke(context.Background(), endpoint+"/oauth/revoke", "client", helper.NewSecret(oldRefresh))
		if (err == nil) != ok || requests != 1 {
			t.Errorf("HTTP status %d: %d requests, error %v", status, requests, err)
		}
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	elsewhere := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		t.Errorf("elsewhere was sent %s with %q", r.Method, body)
	})
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{"/elsewhere", elsewhere} {
			endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/" {
					t.Errorf("the secret went to %s", r.URL)
				}
				http.Redirect(w, r, location, status)
			})
			login := Login{Provider: Provider{AuthorizationEndpoint: endpoint, TokenEndpoint: endpoint}}
			_, refreshErr := refresh(endpoint, Client{HTTP: http.DefaultClient})
			_, exchangeErr := login.exchange(t.Context(), login.newAttempt(), "code")
			revokeErr := Client{HTTP: http.DefaultClient}.Revoke(t.Context(), endpoint, "client", helper.NewSecret(oldRefresh))
			if refreshErr == nil || exchangeErr == nil || revokeErr == nil {
				t.Errorf("HTTP status %d to %s: refresh %v, exchange %v, revoke %v", status, location, refreshErr, exchangeErr, revokeErr)
			}
		}
	}
}

func TestSecretsAreSentToUsableEndpointsOnly(t *testing.T) {
	for _, endpoint := range []string{"", "http://login.example/oauth/token", "ftp://x", "https://u:p@login.example/"} {
		if _, err := refresh(endpoint, Client{}); !errors.Is(err, helper.ErrEndpoint) {
			t.Errorf("refresh at %q: error %v", endpoint, err)
		}
		if err := (Client{}).Revoke(context.Background(), endpoint, "client", helper.NewSecret(oldRefresh)); !errors.Is(err, helper.ErrEndpoint) {
			t.Errorf("revoke at %q: error %v", endpoint, err)
		}
	}
}
