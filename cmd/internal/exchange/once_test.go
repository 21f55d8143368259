package exchange

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// once sends a request to a platform that answers so.
func once(t *testing.T, request string, answer http.HandlerFunc) (text string, err error) {
	t.Helper()
	platform := httptest.NewServer(answer)
	defer platform.Close()
	upstream, _ := url.Parse(platform.URL + "/graphql")
	origin, _ := helper.ParseOrigin(platform.URL)
	transport := web.NewTransport(1)
	defer transport.CloseIdleConnections()
	cred := helper.Credential{Origin: origin, AuthType: helper.AuthBearer, Secret: realToken(0, time.Now())}
	out, err := Once(t.Context(), upstream, transport, cred, []byte(strings.ReplaceAll(request, "HOST", upstream.Host)))
	return string(out), err
}

const lent = "POST /graphql HTTP/1.1\r\nHost: HOST\r\nContent-Length: 2\r\nAuthorization: Bearer stand-in\r\nConnection: keep-alive\r\nX-Asked: yes\r\nUser-Agent: cre-cli\r\nCookie: a=b\r\n\r\n{}"

func TestOnceSendsARequestUnderTheToken(t *testing.T) {
	token := realToken(0, time.Now()).Reveal()
	text, err := once(t, lent, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bearer(r) != token || r.Header.Get("User-Agent") != "cre-cli" || r.Header.Get("X-Asked")+r.Header.Get("Cookie")+r.Header.Get("Connection") != "" || string(body) != "{}" {
			t.Errorf("the platform gets %v, %q", r.Header, body)
		}
		w.Header().Set("X-Echo", bearer(r))
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "you sent "+bearer(r))
	})
	if err != nil || strings.Contains(text, token) || !strings.HasPrefix(text, "HTTP/1.1 418 ") || !strings.HasSuffix(text, "\r\n\r\nyou sent [hidden]") {
		t.Errorf("%q, %v", text, err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
	if err != nil || answer.Header.Get("X-Echo") != "[hidden]" {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestOnceAnswersAsItComes(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a rejection": says(401, `{"errors":[]}`),
		"an error":    says(500, "out of luck"),
	} {
		if text, err := once(t, lent, answer); err != nil || !strings.Contains(text, "\r\n\r\n") {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"it hangs up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"it redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://example.com", http.StatusTemporaryRedirect)
		},
		"a long one is whole": says(200, strings.Repeat("a", maxOnce+1)),
		"it breaks off": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("a", 2*maxLookedInto))
			panic(http.ErrAbortHandler)
		},
	} {
		text, err := once(t, lent, answer)
		if err == nil || text != "" {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
		if outage := !strings.HasPrefix(name, "a long"); errors.Is(err, web.ErrOutage) != outage {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnceSendsNothingElse(t *testing.T) {
	for name, request := range map[string]string{
		"nothing":         "",
		"no HTTP":         "protocol=https\nhost=HOST\n\n",
		"another host":    strings.Replace(lent, "HOST", "example.com", 1),
		"another path":    strings.Replace(lent, "/graphql", "/other", 1),
		"a query":         strings.Replace(lent, "/graphql", "/graphql?a=b", 1),
		"a whole address": strings.Replace(lent, "/graphql", "http://example.com/graphql", 1),
		"another method":  strings.Replace(lent, "POST", "GET", 1),
		"CONNECT":         strings.Replace(lent, "POST /graphql", "CONNECT HOST", 1),
		"a browser's":     strings.Replace(lent, "X-Asked: yes", "Origin: https://example.com", 1),
		"an upgrade":      strings.Replace(lent, "X-Asked: yes", "Upgrade: websocket", 1),
	} {
		text, err := once(t, request, func(http.ResponseWriter, *http.Request) { t.Errorf("%s was sent", name) })
		if !errors.Is(err, helper.ErrRequest) || text != "" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	for _, length := range []string{"9", "1048577", "99999999999"} {
		half := strings.Replace(lent, "Length: 2", "Length: "+length, 1)
		text, err := once(t, half, func(http.ResponseWriter, *http.Request) { t.Error("half a request was sent") })
		if !errors.Is(err, helper.ErrRequest) {
			t.Errorf("half a request: %q, %v", text, err)
		}
	}
}

func TestOnceEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	arrived := make(chan struct{})
	platform := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server see that who asked has gone
		close(arrived)
		<-r.Context().Done()
	}))
	defer platform.Close()
	go func() {
		<-arrived
		cancel()
	}()
	upstream, _ := url.Parse(platform.URL + "/graphql")
	origin, _ := helper.ParseOrigin(platform.URL)
	cred := helper.Credential{Origin: origin, AuthType: helper.AuthBearer, Secret: realToken(0, time.Now())}
	if _, err := Once(ctx, upstream, web.NewTransport(1), cred, []byte(strings.ReplaceAll(lent, "HOST", upstream.Host))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzOnce(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(lent, "HOST", "127.0.0.1:1")))
	f.Add([]byte("POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n"))
	upstream, _ := url.Parse("http://127.0.0.1:1/graphql")
	origin, _ := helper.ParseOrigin("http://127.0.0.1:1")
	cred := helper.Credential{Origin: origin, AuthType: helper.AuthBearer, Secret: helper.NewSecret("real")}
	f.Fuzz(func(t *testing.T, request []byte) {
		sent := false
		answers := roundTripper(func(r *http.Request) (*http.Response, error) {
			if sent = true; r.URL.String() != upstream.String() || r.Header.Get("Authorization") != "Bearer real" || r.Method != http.MethodPost {
				t.Errorf("%s %s, %v", r.Method, r.URL, r.Header)
			}
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("{}"))}, nil
		})
		if _, err := Once(t.Context(), upstream, answers, cred, request); err == nil && !sent {
			t.Error("it was answered without the platform")
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
