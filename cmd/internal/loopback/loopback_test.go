package loopback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func newKey(t *testing.T) (Key, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	k, err := NewKey(path)
	if err != nil {
		t.Fatal(err)
	}
	return k, path
}

func upper(_ context.Context, question []byte) ([]byte, error) { return bytes.ToUpper(question), nil }

func serve(t *testing.T, key Key, ask Ask) string {
	t.Helper()
	url, err := Serve(t.Context(), key, ask)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

func TestWhoHasTheKeyIsAnswered(t *testing.T) {
	_, path := newKey(t)
	key, err := ReadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	c := Client{serve(t, key, upper), key}
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			question := fmt.Sprintf("question %d", i)
			if answer, err := c.Ask(t.Context(), []byte(question)); err != nil || string(answer) != strings.ToUpper(question) {
				t.Errorf("%q, %v", answer, err)
			}
		})
	}
	all.Wait()
}

func TestWhoHasAnotherKeyIsNot(t *testing.T) {
	key, _ := newKey(t)
	other, _ := newKey(t)
	asked := false
	url := serve(t, key, func(context.Context, []byte) ([]byte, error) { asked = true; return nil, nil })
	if answer, err := (Client{url, other}).Ask(t.Context(), []byte("question")); !errors.Is(err, ErrEnded) || len(answer) != 0 || asked {
		t.Errorf("%q, %v", answer, err)
	}
}

// TestWhoTakesTheGrantsPlaceLearnsNothing and can't answer.
func TestWhoTakesTheGrantsPlaceLearnsNothing(t *testing.T) {
	key, path := newKey(t)
	secret := strings.TrimSpace(readAll(t, path))
	for name, answer := range map[string]http.HandlerFunc{
		"an answer without a MAC": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, newNonce().String())
		},
		"the question's MAC for the answer": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(headerMAC, r.Header.Get(headerMAC))
			_, _ = io.WriteString(w, newNonce().String())
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
		"no nonce": func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello") },
		"no end":   func(w http.ResponseWriter, r *http.Request) { _, _ = io.CopyN(w, zeros{}, 100<<20) },
		"an error": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		var heard bytes.Buffer
		thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = r.Write(&heard)
			answer(w, r)
		}))
		if got, err := (Client{thief.URL, key}).Ask(t.Context(), []byte("question")); !errors.Is(err, ErrEnded) || len(got) != 0 {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		thief.Close()
		if heard.Len() == 0 || strings.Contains(heard.String(), secret) {
			t.Errorf("%s: it has heard %q", name, &heard)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func readAll(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWhatIsNotAQuestionOfTheKeysIsRefused: a browser's requests, and what was said
// before.
func TestWhatIsNotAQuestionOfTheKeysIsRefused(t *testing.T) {
	key, _ := newKey(t)
	clock := time.Now()
	asked := 0
	h := newHandler(key, func(context.Context, []byte) ([]byte, error) { asked++; return []byte("token"), nil }, func() time.Time { return clock })
	do := func(change func(*http.Request), server, client nonce, body string) int {
		r := httptest.NewRequest(http.MethodPost, pathAsk, strings.NewReader(body))
		r.Host = host
		r.Header.Set(headerServerNonce, server.String())
		r.Header.Set(headerClientNonce, client.String())
		r.Header.Set(headerMAC, key.mac(labelQuestion, server, client, []byte(body)))
		if change != nil {
			change(r)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK && w.Body.Len() > 0 || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%d says %q, %v", w.Code, w.Body, w.Header())
		}
		return w.Code
	}
	client := newNonce()
	for name, change := range map[string]func(*http.Request){
		"GET":                    func(r *http.Request) { r.Method = http.MethodGet },
		"OPTIONS":                func(r *http.Request) { r.Method = http.MethodOptions },
		"its own name":           func(r *http.Request) { r.Host = "127.0.0.1:40000" },
		"a rebound name":         func(r *http.Request) { r.Host = "attacker.example" },
		"an origin":              func(r *http.Request) { r.Header.Set("Origin", "null") },
		"a page's request":       func(r *http.Request) { r.Header.Set("Sec-Fetch-Mode", "no-cors") },
		"another path":           func(r *http.Request) { r.URL.Path = "/" },
		"a query":                func(r *http.Request) { r.URL.RawQuery = "a=b" },
		"no MAC":                 func(r *http.Request) { r.Header.Del(headerMAC) },
		"no nonce":               func(r *http.Request) { r.Header.Del(headerServerNonce) },
		"another client's nonce": func(r *http.Request) { r.Header.Set(headerClientNonce, newNonce().String()) },
		"another body":           func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("get\nanother")) },
		"the answer's MAC":       func(r *http.Request) { r.Header.Set(headerMAC, key.mac(labelAnswer, nonce{}, client, []byte("get\n"))) },
		"too much":               func(r *http.Request) { r.Body = io.NopCloser(io.LimitReader(zeros{}, 100<<20)) },
	} {
		if got := do(change, h.give(), client, "get\n"); got != http.StatusForbidden {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := do(nil, newNonce(), client, "get\n"); got != http.StatusForbidden {
		t.Errorf("a nonce of somebody else's: %d", got)
	}
	if got := do(nil, newHandler(key, upper, h.now).give(), client, "get\n"); got != http.StatusForbidden {
		t.Errorf("a nonce of another grant's: %d", got)
	}
	if asked != 0 {
		t.Fatalf("the grant was asked %d times", asked)
	}
	for range 100_000 { // which somebody else takes
		h.give()
	}
	n := h.give()
	if got := do(nil, n, client, "get\n"); got != http.StatusOK || asked != 1 {
		t.Fatalf("the question itself: %d", got)
	}
	if got := do(nil, n, client, "get\n"); got != http.StatusForbidden || asked != 1 {
		t.Errorf("the question again: %d", got)
	}
	late := h.give()
	clock = clock.Add(nonceTime)
	if got := do(nil, late, client, "get\n"); got != http.StatusForbidden {
		t.Errorf("a question that is late: %d", got)
	}
}

func TestAServerListensOnLoopbackAndEndsWithItsContext(t *testing.T) {
	key, _ := newKey(t)
	ctx, cancel := context.WithCancel(t.Context())
	url, err := Serve(ctx, key, upper)
	if err != nil || !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Fatal(url, err)
	}
	silent, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if _, err := (Client{url, key}).Ask(ctx, []byte("a")); err != nil {
		t.Errorf("beside a silent one: %v", err)
	}
	cancel()
	for {
		if _, err := (Client{url, key}).Ask(t.Context(), []byte("a")); errors.Is(err, ErrEnded) {
			break
		}
	}
}

func TestAKeysFileIsPrivateAndMadeOnce(t *testing.T) {
	key, path := newKey(t)
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if _, err := NewKey(path); err == nil {
		t.Error("it was written again")
	}
	secret := strings.TrimSpace(readAll(t, path))
	for _, text := range []string{fmt.Sprint(key), fmt.Sprintf("%v %+v %#v", key, key, key)} {
		if strings.Contains(text, secret[:16]) {
			t.Error("a key prints itself")
		}
	}
	for name, text := range map[string]string{"nothing": "", "too short": secret[2:], "too long": secret + "00", "no hex": strings.Repeat("z", 64), "no end": strings.Repeat("0", 1<<20)} {
		wrong := filepath.Join(t.TempDir(), "wrong")
		if err := os.WriteFile(wrong, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadKey(wrong); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadKey(t.TempDir()); !errors.Is(err, ErrKey) {
		t.Errorf("a folder: %v", err)
	}
}

func TestAURLIsAGrants(t *testing.T) {
	key, _ := newKey(t)
	for _, url := range []string{"", "127.0.0.1:1", "https://127.0.0.1:1", "http://", "http://user:password@127.0.0.1:1", "http://127.0.0.1:1/?a", "unix:///a"} {
		if _, err := (Client{url, key}).Ask(t.Context(), nil); !errors.Is(err, ErrURL) {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func FuzzHandler(f *testing.F) {
	f.Add("/ask", "00", "11", "22", []byte("get\n"))
	f.Add("/nonce", "", "", "", []byte(nil))
	f.Fuzz(func(t *testing.T, path, server, client, mac string, body []byte) {
		h := newHandler(Key{secret: newNonce()}, func(context.Context, []byte) ([]byte, error) { t.Error("the grant was asked"); return nil, nil }, time.Now)
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Host, r.URL.Path = host, path
		r.Header[headerServerNonce], r.Header[headerClientNonce], r.Header[headerMAC] = []string{server}, []string{client}, []string{mac}
		h.ServeHTTP(httptest.NewRecorder(), r)
	})
}
