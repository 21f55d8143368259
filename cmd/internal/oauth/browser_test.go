package oauth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// started is a login that runs and a browser for it.
type started struct {
	t        *testing.T
	provider *fakeProvider
	port     int
	asked    url.Values // the query of the URL that Show was given
	result   chan error
	saved    chan Tokens
	cancel   context.CancelFunc
}

// start runs a login until Show. Nil for save: tokens go to saved.
func start(t *testing.T, p *fakeProvider, save func(context.Context, Tokens) error, change ...func(*Login)) *started {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	s := &started{t: t, provider: p, port: freePort(t), result: make(chan error, 1), saved: make(chan Tokens, 1), cancel: cancel}
	if save == nil {
		save = func(_ context.Context, tokens Tokens) error { s.saved <- tokens; return nil }
	}
	shown := make(chan string, 1)
	login := Login{Provider: p.provider(), Port: s.port, Show: func(u string, _ error) { shown <- u }, linger: time.Millisecond}
	for _, f := range change {
		f(&login)
	}
	go func() { s.result <- login.Run(ctx, save) }()
	select {
	case u := <-shown:
		s.asked = p.visit(u)
	case err := <-s.result:
		t.Fatalf("the login ended before it began: %v", err)
	}
	return s
}

type answered struct {
	status int
	header http.Header
	body   string
}

func (a answered) shows(title string) bool { return strings.Contains(a.body, "<h1>"+title+"</h1>") }

func (a answered) String() string {
	return fmt.Sprintf("%d %q", a.status, regexp.MustCompile(`<[^>]+>`).ReplaceAllString(a.body[max(0, strings.Index(a.body, "<body>")):], ""))
}

const (
	loggedIn  = "You are logged in"
	notOurs   = "This link is no longer in use"
	noSuccess = "The login did not succeed"
	cancelled = "Login cancelled"
	settingUp = "Setting up your organization"
)

// request sends one as a browser on this machine would, by way of host.
func (s *started) request(method, host, path string) answered {
	s.t.Helper()
	a, err := s.try(method, host, path)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *started) try(method, host, path string) (answered, error) {
	request, err := http.NewRequest(method, fmt.Sprintf("http://127.0.0.1:%d%s", s.port, path), nil)
	if err != nil {
		return answered{}, err
	}
	request.Host = host
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return answered{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answered{response.StatusCode, response.Header, string(body)}, err
}

// callback comes back from the provider; pairs are names and values.
func (s *started) callback(pairs ...string) answered {
	s.t.Helper()
	query := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		query.Add(pairs[i], pairs[i+1])
	}
	return s.request(http.MethodGet, fmt.Sprintf("localhost:%d", s.port), "/callback?"+query.Encode())
}

func (s *started) end() error {
	s.t.Helper()
	select {
	case err := <-s.result:
		return err
	case <-time.After(10 * time.Second):
		s.t.Fatal("the login doesn't end")
		return nil
	}
}

func (s *started) mustStillRun() {
	s.t.Helper()
	select {
	case err := <-s.result:
		s.t.Fatalf("the login ended: %v", err)
	default:
	}
}

func (s *started) mustSucceed() {
	s.t.Helper()
	if a := s.callback("state", s.asked.Get("state"), "code", "good"); !a.shows(loggedIn) {
		s.t.Errorf("the page is %v", a)
	}
	if err := s.end(); err != nil {
		s.t.Error(err)
	}
}
