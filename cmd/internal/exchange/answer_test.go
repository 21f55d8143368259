package exchange

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// echo answers with what it was sent, wherever an answer has room for it.
func echo(w http.ResponseWriter, r *http.Request) {
	said := r.Header.Get("Authorization")
	w.Header().Set("Link", "<"+said+">")
	w.WriteHeader(http.StatusEarlyHints)
	w.Header().Set("Trailer", "X-Announced")
	w.Header().Set("X-Echo", said)
	w.Header().Add("Set-Cookie", "a="+bearer(r))
	w.Header().Set("X-"+bearer(r), "x")
	_, _ = fmt.Fprintf(w, `{"data":{"said":%q}}`, said)
	w.Header().Set("X-Announced", said)
	w.Header().Set(http.TrailerPrefix+"X-Other", said)
}

func TestAnUpstreamThatEchoesShowsTheStandInOnly(t *testing.T) {
	w := begin(t, &bank{}, echo)
	for name, body := range map[string]io.Reader{"short": strings.NewReader("{}"), "long": bytes.NewReader(make([]byte, 2*maxKeptBody))} {
		t.Run(name, func(t *testing.T) {
			r := w.request(t, body)
			r.Header.Set("TE", "trailers")
			status, all := w.do(t, r)
			w.wantNoToken(t, all)
			if status != 200 || !strings.Contains(all, "X-Echo: Bearer "+standIn) || !strings.Contains(all, "a="+standIn) || !strings.Contains(all, `{"said":"Bearer `+standIn+`"}`) {
				t.Errorf("got %d %s", status, all)
			}
			if strings.Contains(all, "X-Announced") || strings.Contains(all, "X-Other") {
				t.Errorf("a trailer came through: %s", all)
			}
		})
	}
}

// rawUpstream answers each connection with text, in which TOKEN is what it was
// sent, in two halves.
func rawUpstream(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		all := strings.ReplaceAll(text, "TOKEN", bearer(r))
		_, _ = io.WriteString(conn, all[:len(all)/2])
		_, _ = io.WriteString(conn, all[len(all)/2:])
	}
}

func TestInterimAnswersAreDropped(t *testing.T) {
	w := begin(t, &bank{}, rawUpstream("HTTP/1.1 103 Early Hints\r\nLink: TOKEN\r\n\r\nHTTP/1.1 102 Processing\r\nX: TOKEN\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	conn, err := net.Dial("tcp", w.door.authority)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n", w.door.path, w.door.authority, standIn)
	all, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 200 OK\r\n") || strings.Contains(string(all), "Link") {
		t.Errorf("got %s, %v", all, err)
	}
}

func TestAnswersThatAreNotHandedOn(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, test := range map[string]struct{ answer, says string }{
		"another protocol": {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nTOKEN", "another protocol"},
		"a redirect":       {"HTTP/1.1 302 Found\r\nLocation: https://attacker.example/TOKEN\r\nContent-Length: 0\r\n\r\n", "redirects the request (HTTP status 302)"},
		"a redirect to stay with POST": {"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
			"redirects the request (HTTP status 307)"},
		"brotli":               {ok + "Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", "an encoding that nobody asked for"},
		"twice compressed":     {ok + "Content-Encoding: gzip, gzip\r\nContent-Length: 2\r\n\r\n{}", "an encoding that nobody asked for"},
		"two encodings":        {ok + "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "an encoding that nobody asked for"},
		"the token's":          {ok + "Content-Encoding: TOKEN\r\nContent-Length: 2\r\n\r\n{}", "an encoding that nobody asked for"},
		"gzip that isn't":      {ok + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "makes no sense"},
		"broken off":           {ok + "Content-Length: 10000\r\n\r\n{TOKEN", "said: "},
		"nothing":              {"", "can't reach"},
		"not HTTP":             {"TOKEN", "said: "},
		"not HTTP that quotes": {ok + "X TOKEN\r\n\r\n", "said: "},
		"endless headers":      {ok + strings.Repeat("X: TOKEN\r\n", 1<<10), "said: "},
	} {
		t.Run(name, func(t *testing.T) {
			w := begin(t, &bank{}, rawUpstream(test.answer))
			status, all := w.post(t, "{}")
			w.wantNoToken(t, all)
			if status != 200 || !strings.Contains(all, `{"errors":[{"message":"said: `) || !strings.Contains(strings.ReplaceAll(all, `\"`, `"`), test.says) || strings.Contains(all, "Location") {
				t.Errorf("got %d %s", status, all)
			}
		})
	}
}

func TestOtherAnswersAreHandedOnAsTheyAre(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 8<<10)
	for _, test := range []struct {
		status int
		body   string
	}{
		{200, `{"data":{}}`}, {200, ""}, {204, ""}, {200, "<html>Sign in"}, {404, "not here"}, {500, "TOKEN"}, {429, `{"errors":[{"message":"slow down TOKEN"}]}`},
		{200, long[:maxLookedInto]}, {200, long[:maxLookedInto] + "x"}, {200, long + "TOKEN" + long}, {502, long}, {401, long + "TOKEN"}, {403, "<html>denied TOKEN"},
	} {
		t.Run(fmt.Sprintf("%d_%d_bytes", test.status, len(test.body)), func(t *testing.T) {
			b := &bank{age: time.Hour}
			w := begin(t, b, func(w http.ResponseWriter, r *http.Request) {
				says(test.status, strings.ReplaceAll(test.body, "TOKEN", bearer(r)))(w, r)
			})
			status, all := w.post(t, "{}")
			w.wantNoToken(t, all)
			if body := strings.SplitN(all, "\r\n\n", 2)[1]; status != test.status || body != strings.ReplaceAll(test.body, "TOKEN", standIn) {
				t.Errorf("got %d and %d bytes", status, len(body))
			}
			if _, told := b.counts(); told != 0 {
				t.Error("it was taken for a rejection")
			}
		})
	}
}

func TestWhatAGatewayCompressesIsLookedInto(t *testing.T) {
	for name, filling := range map[string]string{"short": "", "long": strings.Repeat("x", 2*maxLookedInto)} {
		t.Run(name, func(t *testing.T) {
			w := begin(t, &bank{}, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				_, _ = io.WriteString(z, filling+bearer(r))
				_ = z.Close()
			})
			_, all := w.post(t, "{}")
			if strings.Contains(all, "Content-Encoding") || !strings.HasSuffix(all, "\n"+filling+standIn) {
				t.Errorf("got %d bytes", len(all))
			}
		})
	}
}

func TestALongAnswerThatBreaksOffIsNotTakenForWhole(t *testing.T) {
	for name, length := range map[string]string{"of known length": "1000000", "chunked": ""} {
		t.Run(name, func(t *testing.T) {
			w := begin(t, &bank{}, func(w http.ResponseWriter, r *http.Request) {
				if length != "" {
					w.Header().Set("Content-Length", length)
				}
				_, _ = io.WriteString(w, strings.Repeat("x", 2*maxLookedInto)+bearer(r)[:40])
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			})
			res, err := w.client.Do(w.request(t, nil))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if got, err := io.ReadAll(res.Body); err == nil || strings.Contains(string(got), w.bank.token(0).Reveal()[:40]) {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestEventsAreNotKeptWaiting(t *testing.T) {
	next := make(chan struct{})
	w := begin(t, &bank{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, text := range []string{"data: 1\n\n", "data: " + bearer(r) + "\n\n"} {
			_, _ = io.WriteString(w, text)
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	})
	res, err := w.client.Do(w.request(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for _, want := range []string{"data: 1\n\n", "data: " + standIn + "\n\n"} {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != want {
			t.Errorf("got %q, %v", got, err)
		}
		next <- struct{}{}
	}
}

func TestOurOwnFailuresAreSaidInGraphQLsForm(t *testing.T) {
	locked := errors.New("the keychain is locked,\tunlock it\x1b[1m")
	w := begin(t, &bank{get: func(context.Context) error { return locked }}, func(http.ResponseWriter, *http.Request) { t.Error("upstream was asked") })
	status, all := w.post(t, "{}")
	if status != 200 || !strings.Contains(all, "Content-Type: application/json") ||
		!strings.HasSuffix(all, "\n"+`{"errors":[{"message":"said: the keychain is locked, unlock it[1m"}]}`) {
		t.Errorf("got %d %s", status, all)
	}
}

func TestAnUpstreamOutOfReachIsSaid(t *testing.T) {
	w := begin(t, &bank{}, nil)
	w.upstream.Close()
	status, all := w.post(t, "{}")
	if status != 200 || !strings.Contains(all, "said: can't reach 127.0.0.1:") || !strings.Contains(all, "check the network") {
		t.Errorf("got %d %s", status, all)
	}
}

func TestNoRedirectIsFollowedWithTheToken(t *testing.T) {
	var asked atomic.Int32
	w := begin(t, &bank{}, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusPermanentRedirect)
	})
	if _, all := w.post(t, "{}"); !strings.Contains(all, "redirects the request") {
		t.Errorf("got %s", all)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("upstream was asked %d times", n)
	}
}

func TestAProxyIsUsedIfAVariableNamesOne(t *testing.T) {
	transport := web.NewTransport(1)
	if transport.Proxy == nil || transport.Protocols.HTTP2() || !transport.Protocols.HTTP1() {
		t.Errorf("%+v", transport)
	}
}

func TestOfSeveralTokensNoneGetsBack(t *testing.T) {
	b := &bank{age: time.Hour}
	var first atomic.Pointer[string]
	w := begin(t, b, func(w http.ResponseWriter, r *http.Request) {
		if token := bearer(r); first.CompareAndSwap(nil, &token) {
			says(401, `{"errors":[{"message":"expired: `+token+`"}]}`)(w, r)
			return
		}
		says(200, *first.Load()+" "+bearer(r))(w, r)
	})
	status, all := w.post(t, "{}")
	w.wantNoToken(t, all)
	if status != 200 || !strings.HasSuffix(all, "\n"+standIn+" "+standIn) {
		t.Errorf("got %d %s", status, all)
	}
}

func TestAnOpaqueTokenIsReplacedToo(t *testing.T) {
	const opaque = "a/b+c=d/e+f=g/h+i="
	w := begin(t, &bank{kept: func(int) helper.Secret { return helper.NewSecret(opaque) }}, func(w http.ResponseWriter, r *http.Request) {
		says(200, `a/b+c=d/e+f=g/h+i= a\/b+c=d\/e+f=g\/h+i= a%2Fb%2Bc%3Dd%2Fe%2Bf%3Dg%2Fh%2Bi%3D`)(w, r)
	})
	if _, all := w.post(t, "{}"); !strings.HasSuffix(all, "\n"+standIn+" "+standIn+" "+standIn) {
		t.Errorf("got %s", all)
	}
}
