package sandbox_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// oddly asks a platform that answers oddly, with a header to be quoted.
func oddly(t *testing.T, ctx context.Context, odd ...sandbox.Oddity) *http.Response {
	t.Helper()
	s := start(t, sandbox.Options{})
	var ordered []sandbox.Odd
	for _, o := range odd {
		ordered = append(ordered, sandbox.Odd{Oddity: o})
	}
	s.SetFaults(sandbox.Faults{Odd: map[sandbox.Endpoint][]sandbox.Odd{sandbox.GraphQL: ordered}})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, env(s, "CRE_CLI_GRAPHQL_URL"),
		strings.NewReader(`{"query":"{ getOrganization { organizationId } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Apikey sandbox-api-key")
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(client.CloseIdleConnections)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAnEchoIsEverywhere(t *testing.T) {
	var early http.Header
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		if code == http.StatusEarlyHints {
			early = http.Header(header)
		}
		return nil
	}})
	resp := oddly(t, ctx, sandbox.Echo)
	body := readAll(t, resp.Body)
	const key = "Apikey sandbox-api-key"
	for where, got := range map[string]string{
		"103":     early.Get("X-Early-Authorization"),
		"header":  resp.Header.Get("X-Echo-Authorization"),
		"trailer": resp.Trailer.Get("X-Late-Authorization"),
	} {
		if got != key {
			t.Errorf("%s: %q", where, got)
		}
	}
	if resp.Header.Get("X-Early-Authorization") != "" || !strings.Contains(body, `"Authorization":["`+key+`"]`) || !strings.Contains(body, "org_mEMRknbVURM9DWsB") {
		t.Errorf("header %v, body %s", resp.Header, body)
	}
}

func TestAnEchoOfAPageIsAtItsEnd(t *testing.T) {
	resp := oddly(t, t.Context(), sandbox.Echo, sandbox.HTML)
	if body := readAll(t, resp.Body); !strings.HasPrefix(body, "<!DOCTYPE html>") || !strings.Contains(body, "Authorization: Apikey sandbox-api-key\n") {
		t.Errorf("%s", body)
	}
}

func TestGzipComesUnasked(t *testing.T) {
	resp := oddly(t, t.Context(), sandbox.Gzip, sandbox.Drip, sandbox.Echo)
	if resp.Header.Get("Content-Encoding") != "gzip" || resp.ContentLength != -1 {
		t.Errorf("%v, length %d", resp.Header, resp.ContentLength)
	}
	unpacked, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body := readAll(t, unpacked); !strings.Contains(body, "sandbox-api-key") {
		t.Errorf("%s", body)
	}
}

func TestAnswersThatTakeTheEndpointsPlace(t *testing.T) {
	for odd, want := range map[sandbox.Oddity]string{
		sandbox.Redirect: "307 /elsewhere",
		sandbox.HTML:     "200 <!DOCTYPE html>",
		sandbox.Reject:   "401 unauthorized",
	} {
		resp := oddly(t, t.Context(), odd)
		got := fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Location"), readAll(t, resp.Body))
		status, text, _ := strings.Cut(want, " ")
		if !strings.HasPrefix(got, status) || !strings.Contains(got, text) {
			t.Errorf("%s: %s", odd, got)
		}
	}
}

func TestASwitchOfProtocolsIsNoAnswer(t *testing.T) {
	s := start(t, sandbox.Options{Odd: map[sandbox.Endpoint][]sandbox.Odd{sandbox.GraphQL: {{Oddity: sandbox.Switch}}}})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
	if text := readAll(t, bufio.NewReader(conn)); !strings.HasPrefix(text, "HTTP/1.1 101 ") || !strings.HasSuffix(text, "hello\n") {
		t.Errorf("%q", text)
	}
}

func TestARedirectThatIsFollowedIsCounted(t *testing.T) {
	s := start(t, sandbox.Options{Odd: map[sandbox.Endpoint][]sandbox.Odd{sandbox.GraphQL: {{Oddity: sandbox.Redirect, Times: 2}}}})
	for range 2 {
		ask(t, s, "Apikey sandbox-api-key", whoami)
	}
	if status, body := ask(t, s, "Apikey sandbox-api-key", "{ getOrganization { organizationId } }"); status != 200 || strings.Contains(body, "errors") {
		t.Errorf("the third time: %d %s", status, body)
	}
	if got := s.Stats(); got.Redirected != 2 || got.RedirectedWithCredential != 2 {
		t.Errorf("%+v", got.FailureStats)
	}
}

func TestFaultsAreOrderedByAForm(t *testing.T) {
	s := start(t, sandbox.Options{Failures: map[sandbox.Endpoint]sandbox.Failure{sandbox.GraphQL: {Status: 503}}})
	order := func(form url.Values) int {
		resp, err := http.PostForm(s.URL+"/faults", form)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if status := order(url.Values{"fail": {"graphql=200"}}); status != http.StatusBadRequest {
		t.Errorf("a fault that isn't one: %d", status)
	}
	if status, _ := ask(t, s, "Apikey sandbox-api-key", whoami); status != 503 {
		t.Errorf("the refused order changed something: %d", status)
	}
	for fault, want := range map[string]int{"fail graphql=502": 502, "odd graphql=html": 200, "latency graphql=1ms": 200} {
		kind, value, _ := strings.Cut(fault, " ")
		if status := order(url.Values{kind: {value}}); status != http.StatusOK {
			t.Errorf("%s: %d", fault, status)
		}
		status, body := ask(t, s, "Apikey sandbox-api-key", whoami)
		if status != want || strings.HasPrefix(body, "<") != (kind == "odd") {
			t.Errorf("%s: %d %s", fault, status, body)
		}
	}
}
