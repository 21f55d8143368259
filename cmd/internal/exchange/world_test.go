package exchange

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
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
	account  atomic.Value                        // a string: of the next answers; not set: ""

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
	account, _ := b.account.Load().(string)
	return helper.Credential{Origin: b.origin, Username: account, AuthType: helper.AuthBearer, Secret: b.token(n), Expiry: time.Now().Add(lifetime)}, nil
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
