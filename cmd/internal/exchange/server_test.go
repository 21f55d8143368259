package exchange

import (
	"context"
	"cre-credential-helper/helper"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestARequestGoesOnUnderTheRealToken(t *testing.T) {
	b := &bank{}
	w := begin(t, b, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/graphql" || string(body) != `{"query":"x"}` || bearer(r) != b.token(0).Reveal() ||
			r.Header.Get("User-Agent") != "cre-cli" || r.Header.Get("Accept-Encoding") != "identity" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("request %s %s %v %q", r.Method, r.URL, r.Header, body)
		}
		if all := fmt.Sprint(r.Header); strings.Contains(all, standIn) || strings.Contains(all, "X-Forwarded") {
			t.Errorf("upstream learned more than it should: %s", all)
		}
		says(200, `{"data":{}}`)(w, r)
	})
	r := w.request(t, strings.NewReader(`{"query":"x"}`))
	r.Header.Set("User-Agent", "cre-cli")
	if status, all := w.do(t, r); status != 200 || !strings.HasSuffix(all, "\n"+`{"data":{}}`) {
		t.Errorf("got %d %s", status, all)
	}
	prefix := "http://127.0.0.1:"
	if rest, ok := strings.CutPrefix(w.URL(), prefix); !ok || !strings.Contains(rest, "/session-from-the-keychain/") || len(rest) < 60 {
		t.Errorf("URL %s", w.URL())
	}
}

func TestThePathIsAnotherOneForEachCommand(t *testing.T) {
	if a, b := begin(t, &bank{}, says(200, "")), begin(t, &bank{}, says(200, "")); a.door.path == b.door.path {
		t.Errorf("both are %s", a.door.path)
	}
}

func TestListenRefusesWhatWouldSendATokenElsewhere(t *testing.T) {
	for _, upstream := range []string{"http://api.example/graphql", "https://user@api.example/", "ftp://127.0.0.1/", ""} {
		target, err := url.Parse(upstream)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Listen(t.Context(), Config{Upstream: target, StandIn: func() (helper.Secret, error) { return helper.NewSecret(standIn), nil }})
		if err == nil {
			t.Errorf("%q: no error", upstream)
		}
	}
	target, _ := url.Parse("https://api.example/graphql")
	for _, none := range []helper.Secret{{}, helper.NewSecret("")} {
		if _, err := Listen(t.Context(), Config{Upstream: target, StandIn: func() (helper.Secret, error) { return none, nil }}); err == nil {
			t.Error("no stand-in: no error")
		}
	}
	broken := errors.New("cre.yaml can't be read")
	if _, err := Listen(t.Context(), Config{Upstream: target, StandIn: func() (helper.Secret, error) { return helper.Secret{}, broken }}); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestTheTokenIsAskedForAtOnce(t *testing.T) {
	asked := make(chan struct{})
	begin(t, &bank{get: func(context.Context) error { close(asked); return nil }}, says(200, ""))
	<-asked
}

func TestTheServerEndsAtOnceWithTheCommand(t *testing.T) {
	arrived, brokenOff := make(chan struct{}), make(chan struct{})
	w := begin(t, &bank{}, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
		close(brokenOff)
	})
	answered := make(chan error)
	request := w.request(t, strings.NewReader("{}"))
	go func() {
		_, err := w.client.Do(request)
		answered <- err
	}()
	<-arrived
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answered; err == nil {
		t.Error("the request got an answer")
	}
	<-brokenOff
	if _, err := w.client.Do(w.request(t, nil)); err == nil {
		t.Error("it still listens")
	}
}

func TestTheServerEndsWithEveryPlaceTaken(t *testing.T) {
	w := begin(t, &bank{}, says(200, ""))
	for range maxConnections + 1 {
		conn, err := net.Dial("tcp", w.door.authority)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	begun := time.Now()
	if err := w.Close(); err != nil || time.Since(begun) >= headerTimeout {
		t.Errorf("%v, after %v", err, time.Since(begun))
	}
}

func TestTheServerEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	target, _ := url.Parse("http://127.0.0.1:1/")
	s, err := Listen(ctx, Config{Upstream: target, Tokens: &bank{}, StandIn: func() (helper.Secret, error) { return helper.NewSecret(standIn), nil }})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	<-s.served
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestARequestThatIsBrokenOffIsBrokenOffUpstream(t *testing.T) {
	arrived, brokenOff := make(chan struct{}), make(chan struct{})
	w := begin(t, &bank{}, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
		close(brokenOff)
	})
	ctx, cancel := context.WithCancel(context.Background())
	request := w.request(t, strings.NewReader("{}")).WithContext(ctx)
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := w.client.Do(request); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	<-brokenOff
}

func TestABodyThatIsBrokenOffIsBrokenOffUpstream(t *testing.T) {
	arrived, result := make(chan struct{}), make(chan error, 1)
	w := begin(t, &bank{}, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		_, err := io.Copy(io.Discard, r.Body)
		result <- err
	})
	ctx, cancel := context.WithCancel(context.Background())
	more, writer := io.Pipe()
	request := w.request(t, more).WithContext(ctx)
	go func() {
		_, _ = writer.Write(make([]byte, 2*maxKeptBody))
		<-arrived
		cancel()
		_ = writer.CloseWithError(context.Canceled)
	}()
	if _, err := w.client.Do(request); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := <-result; err == nil {
		t.Error("upstream got the end of a body that had none")
	}
}
