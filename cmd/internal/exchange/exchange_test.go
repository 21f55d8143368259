package exchange

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

const (
	standIn = "eyJhbGciOiJub25lIiwidHlwIjoiY3JlLWNyZWRlbnRpYWwtaGVscGVyIHN0YW5kLWluIn0.e30.c3RhbmQtaW4"
	foreign = "eyJhbGciOiJub25lIiwidHlwIjoiY3JlLWNyZWRlbnRpYWwtaGVscGVyIHN0YW5kLWluIn0.e30.b3RoZXI"
)

// realToken returns a token. Each n is another one.
func realToken(n int, issued time.Time) helper.Secret {
	payload, err := json.Marshal(map[string]any{"iat": issued.Unix(), "sub": n})
	if err != nil {
		panic(err)
	}
	return helper.NewSecret("eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString(payload) +
		"." + strings.Repeat(fmt.Sprintf("real%d-", n), 20))
}

// bank is a credential helper: each rejection gets another token. Its fields are
// set before the server starts.
type bank struct {
	origin   helper.Origin
	age      time.Duration                       // of each token when it is first handed out
	lifetime time.Duration                       // zero: an hour
	get      func(context.Context) error         // nil: succeeds
	reject   func(context.Context) error         // nil: succeeds
	kept     func(n int) (another helper.Secret) // nil: realToken

	birth sync.Once
	born  time.Time // what age is counted from

	mu         sync.Mutex
	current    int
	gets, told int
	rejected   []helper.Secret
}

func (b *bank) token(n int) helper.Secret {
	if b.kept != nil {
		return b.kept(n)
	}
	b.birth.Do(func() { b.born = time.Now() })
	return realToken(n, b.born.Add(-b.age))
}

func (b *bank) Get(ctx context.Context) (helper.Credential, error) {
	b.mu.Lock()
	b.gets++
	n := b.current
	b.mu.Unlock()
	if b.get != nil {
		if err := b.get(ctx); err != nil {
			return helper.Credential{}, err
		}
	}
	lifetime := b.lifetime
	if lifetime == 0 {
		lifetime = time.Hour
	}
	return helper.Credential{Origin: b.origin, AuthType: helper.AuthBearer, Secret: b.token(n), Expiry: time.Now().Add(lifetime)}, nil
}

func (b *bank) Reject(ctx context.Context, cred helper.Credential) error {
	if b.reject != nil {
		if err := b.reject(ctx); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told++
	b.rejected = append(b.rejected, cred.Secret)
	b.current++
	return nil
}

func (b *bank) counts() (gets, told int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gets, b.told
}

// world is a server, what it works with, and the official CLI beside it.
type world struct {
	*Server
	bank     *bank
	inFile   atomic.Pointer[string] // the stand-in in cre.yaml
	upstream *httptest.Server
	client   *http.Client
}

// begin starts a server for requests of this process.
func begin(t testing.TB, b *bank, answer http.HandlerFunc) *world {
	t.Helper()
	w := beginUnadmitted(t, b, answer)
	w.Admit(os.Getpid())
	return w
}

func beginUnadmitted(t testing.TB, b *bank, answer http.HandlerFunc) *world {
	t.Helper()
	w := &world{bank: b, upstream: httptest.NewServer(answer)}
	t.Cleanup(w.upstream.Close)
	w.setFile(standIn)
	target, err := url.Parse(w.upstream.URL + "/graphql")
	if err != nil {
		t.Fatal(err)
	}
	origin, err := helper.ParseOrigin(w.upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.origin = origin
	transport := web.NewTransport(maxConnections)
	t.Cleanup(transport.CloseIdleConnections)
	w.Server, err = Listen(context.Background(), Config{
		Upstream:  target,
		Transport: transport,
		StandIn:   func() (helper.Secret, error) { return helper.NewSecret(*w.inFile.Load()), nil },
		IsForeign: func(s helper.Secret) bool { return s.Reveal() == foreign },
		Tokens:    b,
		Say:       func(err error) string { return "said: " + err.Error() },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	own := &http.Transport{DisableCompression: true}
	t.Cleanup(own.CloseIdleConnections)
	w.client = &http.Client{Transport: own, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return w
}

func (w *world) setFile(standIn string) { w.inFile.Store(&standIn) }

func (w *world) request(t testing.TB, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, w.URL(), body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+standIn)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept-Encoding", "gzip") // as Go's client does
	return r
}

// do returns the status and everything that came back, headers and trailers, too.
func (w *world) do(t testing.TB, r *http.Request) (int, string) {
	t.Helper()
	res, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	_ = res.Header.Write(&all)
	_ = res.Trailer.Write(&all)
	return res.StatusCode, all.String() + "\n" + string(body)
}

func (w *world) post(t testing.TB, body string) (int, string) {
	t.Helper()
	return w.do(t, w.request(t, strings.NewReader(body)))
}

// wantNoToken fails if any of the tokens shows.
func (w *world) wantNoToken(t testing.TB, text string) {
	t.Helper()
	for n := range 3 {
		if strings.Contains(strings.ToLower(text), strings.ToLower(w.bank.token(n).Reveal())) {
			t.Errorf("the real token got back:\n%s", text)
		}
	}
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// bearer returns what upstream was sent.
func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

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
