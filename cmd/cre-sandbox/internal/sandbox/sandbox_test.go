package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"

	"golang.org/x/oauth2"
)

func decode(t *testing.T, r io.Reader, into any) {
	t.Helper()
	if err := json.NewDecoder(r).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func TestStartRefusesWhatOthersCouldReach(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0"} {
		if _, err := sandbox.Start(t.Context(), sandbox.Options{Address: address}); !errors.Is(err, sandbox.ErrNotLoopback) {
			t.Errorf("%s: got %v, want ErrNotLoopback", address, err)
		}
	}
}

func TestTheAPIChecksCredentials(t *testing.T) {
	s := start(t, sandbox.Options{})
	good := tokens(t, s).AccessToken
	elsewhere := tokens(t, start(t, sandbox.Options{})).AccessToken
	noAudience := tokens(t, s, oauth2.SetAuthURLParam("audience", "")).AccessToken
	head, signature, _ := cutLast(good, ".")
	changed := strings.Map(func(r rune) rune {
		if r == 'A' {
			return 'B'
		}
		return 'A'
	}, signature[:4]) + signature[4:]

	for _, tc := range []struct {
		name, authorization string
		status              int
	}{
		{"access token", "Bearer " + good, 200},
		{"API key", "Apikey sandbox-api-key", 200},
		{"nothing", "", 401},
		{"another scheme", "Basic " + good, 401},
		{"wrong API key", "Apikey sandbox-api-kex", 401},
		{"API key as a token", "Bearer sandbox-api-key", 401},
		{"another platform's token", "Bearer " + elsewhere, 401},
		{"token for another audience", "Bearer " + noAudience, 401},
		{"token without its signature", "Bearer " + head + ".", 401},
		{"token with a changed signature", "Bearer " + head + "." + changed, 401},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := s.Stats().GraphQLRejected
			status, body := ask(t, s, tc.authorization, "{ getOrganization { organizationId } }")
			if status != tc.status {
				t.Errorf("status %d, want %d", status, tc.status)
			}
			if rejected := s.Stats().GraphQLRejected > before; rejected != (tc.status == 401) {
				t.Errorf("counted as rejected: %t", rejected)
			}
			if tc.status == 200 && !strings.Contains(body, "org_mEMRknbVURM9DWsB") {
				t.Errorf("answer: %s", body)
			}
		})
	}
	if got := s.Stats().GraphQL["getOrganization"]; got != 2 {
		t.Errorf("%d questions counted, want 2", got)
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	return s[:i], s[i+len(sep):], i >= 0
}

func TestAnExpiredTokenIsRejected(t *testing.T) {
	s := start(t, sandbox.Options{TokenLifetime: time.Second})
	token := tokens(t, s).AccessToken
	for end := time.Now().Add(10 * time.Second); bearerStatus(t, s, token) != http.StatusUnauthorized; {
		if time.Now().After(end) {
			t.Fatal("a token of one second still works after ten")
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestARejectionMayComeWithStatus200(t *testing.T) {
	s := start(t, sandbox.Options{RejectWithOK: true})
	status, body := ask(t, s, "Bearer nonsense", whoami)
	if status != http.StatusOK || !strings.Contains(body, `"errors"`) {
		t.Errorf("status %d, %s", status, body)
	}
}

func TestAccountDetailsAreNotForAPIKeys(t *testing.T) {
	s := start(t, sandbox.Options{})
	const question = "{ getAccountDetails { emailAddress } }"
	if _, body := ask(t, s, "Apikey sandbox-api-key", question); !strings.Contains(body, `"errors"`) {
		t.Errorf("API key: %s", body)
	}
	if _, body := ask(t, s, "Bearer "+tokens(t, s).AccessToken, question); !strings.Contains(body, "email@domain.com") {
		t.Errorf("access token: %s", body)
	}
}

func TestSelectorsKeepEveryDigit(t *testing.T) {
	s := start(t, sandbox.Options{})
	_, body := ask(t, s, "Apikey sandbox-api-key", `{ getTenantConfig {
		tenantId defaultDonFamily vaultGatewayUrl
		capabilitiesRegistry { chainSelector address }
		registries { id label type chainSelector address secretsAuthFlows }
		forwarders { chainSelector address } } }`)
	for _, want := range []string{
		`"tenantId":"42"`,
		`"capabilitiesRegistry":{"chainSelector":5009297550715157269,`,
		`"type":"ON_CHAIN","chainSelector":"5009297550715157269"`,
		`"type":"OFF_CHAIN","chainSelector":null,"address":null,"secretsAuthFlows":["BROWSER"]`,
		`"forwarders":[{"chainSelector":"16015286601757825753"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
}

func TestFaultsComeAsOrdered(t *testing.T) {
	s := start(t, sandbox.Options{
		Failures: map[sandbox.Endpoint]sandbox.Failure{sandbox.Token: {Status: 503, Times: 2}},
		Latency:  map[sandbox.Endpoint]time.Duration{sandbox.Revoke: 150 * time.Millisecond},
	})
	code := logIn(t, s).Get("code")
	for range 2 {
		_, err := config(s).Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		var failed *oauth2.RetrieveError
		if !errors.As(err, &failed) || failed.Response.StatusCode != 503 {
			t.Fatalf("got %v, want status 503", err)
		}
	}
	token, err := config(s).Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatalf("the third time: %v", err)
	}

	s.Fail(sandbox.Token, sandbox.Failure{Status: 403})
	_, err = refresh(t.Context(), s, token.RefreshToken)
	wantRefused(t, err)
	s.Fail(sandbox.Token, sandbox.Failure{})
	if _, err = refresh(t.Context(), s, token.RefreshToken); err != nil {
		t.Fatalf("mended: %v", err)
	}

	s.Fail(sandbox.GraphQL, sandbox.Failure{Status: 502})
	if status := bearerStatus(t, s, token.AccessToken); status != 502 {
		t.Errorf("GraphQL: status %d", status)
	}
	began := time.Now()
	revoke(t, s, token.RefreshToken)
	if took := time.Since(began); took < 150*time.Millisecond {
		t.Errorf("the revocation took %v only", took)
	}

	resp, err := http.Get(s.URL + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var stats map[string]any
	decode(t, resp.Body, &stats)
	for name, want := range map[string]float64{
		"authorizations": 1, "logins": 1, "code_exchanges": 1, "refreshes": 1, "refresh_reuses": 0,
		"families_revoked": 0, "revocations": 1, "live_families": 0, "token_failures": 3, "graphql_failures": 1, "graphql_rejected": 0,
	} {
		if stats[name] != want {
			t.Errorf("/stats: %s is %v, want %v", name, stats[name], want)
		}
	}
}

func TestCloseAndContextStopTheServer(t *testing.T) {
	s := start(t, sandbox.Options{})
	s.Close()
	s.Close()
	if _, err := http.Get(s.URL + "/stats"); err == nil {
		t.Error("it still answers after Close")
	}

	ctx, cancel := context.WithCancel(t.Context())
	s, err := sandbox.Start(ctx, sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := http.Get(s.URL + "/stats"); err != nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal("it still answers after its context has ended")
		}
	}
}

func TestParseFaults(t *testing.T) {
	if e, d, err := sandbox.ParseLatency("token=400ms"); e != sandbox.Token || d != 400*time.Millisecond || err != nil {
		t.Errorf("latency: %v %v %v", e, d, err)
	}
	if e, f, err := sandbox.ParseFailure("graphql=503:2"); e != sandbox.GraphQL || f != (sandbox.Failure{Status: 503, Times: 2}) || err != nil {
		t.Errorf("failure: %v %v %v", e, f, err)
	}
	if e, o, err := sandbox.ParseOdd("graphql=echo:3"); e != sandbox.GraphQL || o != (sandbox.Odd{Oddity: sandbox.Echo, Times: 3}) || err != nil {
		t.Errorf("odd: %v %v %v", e, o, err)
	}
	for _, s := range []string{"", "graphql", "graphql=", "graphql=odd", "graphql=echo:", "graphql=echo:0", "elsewhere=echo"} {
		if _, _, err := sandbox.ParseOdd(s); !errors.Is(err, sandbox.ErrFault) {
			t.Errorf("odd %q: %v", s, err)
		}
	}
	for _, s := range []string{"", "token", "token=", "tokens=400ms", "token=-1s", "token=5"} {
		if _, _, err := sandbox.ParseLatency(s); !errors.Is(err, sandbox.ErrFault) {
			t.Errorf("latency %q: %v", s, err)
		}
	}
	for _, s := range []string{"", "token", "token=", "token=200", "token=600", "token=503:", "token=503:0", "token=503:x"} {
		if _, _, err := sandbox.ParseFailure(s); !errors.Is(err, sandbox.ErrFault) {
			t.Errorf("failure %q: %v", s, err)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	for _, s := range []string{"token=400ms", "graphql=503:2", "authorize=500", "revoke=", "=", "token=1e9h", "graphql=echo:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, d, err := sandbox.ParseLatency(s); err == nil && d < 0 {
			t.Errorf("latency %v", d)
		}
		if _, failure, err := sandbox.ParseFailure(s); err == nil && (failure.Status < 400 || failure.Status > 599 || failure.Times < 0) {
			t.Errorf("failure %+v", failure)
		}
		if _, odd, err := sandbox.ParseOdd(s); err == nil && (odd.Oddity == "" || odd.Times < 0) {
			t.Errorf("odd %+v", odd)
		}
	})
}
