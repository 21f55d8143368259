package oauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

// pasting is a login at a terminal.
type pasting struct {
	*started
	texts   chan string
	refused chan error
}

func startPasting(t *testing.T, p *fakeProvider, change ...func(*Login)) *pasting {
	t.Helper()
	s := &pasting{texts: make(chan string), refused: make(chan error, 10)}
	s.started = start(t, p, nil, append([]func(*Login){func(l *Login) {
		l.Pasted, l.Refuse = s.texts, func(err error) { s.refused <- err }
	}}, change...)...)
	return s
}

// address is where the browser ends up.
func (s *pasting) address(pairs ...string) string {
	query := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		query.Add(pairs[i], pairs[i+1])
	}
	return fmt.Sprintf("http://localhost:%d/callback?%s", s.port, query.Encode())
}

func (s *pasting) paste(text string) {
	s.t.Helper()
	select {
	case s.texts <- text:
	case <-time.After(10 * time.Second):
		s.t.Fatal("nobody reads what is pasted")
	}
}

func (s *pasting) mustRefuse(text string, want error) {
	s.t.Helper()
	s.paste(text)
	select {
	case err := <-s.refused:
		if !errors.Is(err, want) || strings.Contains(err.Error(), s.asked.Get("state")) {
			s.t.Errorf("%q was refused: %v", text, err)
		}
	case <-time.After(10 * time.Second):
		s.t.Errorf("%q wasn't refused", text)
	}
	s.mustStillRun()
}

func (s *pasting) mustEndWell() {
	s.t.Helper()
	if err := s.end(); err != nil {
		s.t.Error(err)
	}
	if codes := s.provider.codes(); len(codes) != 1 || codes[0] != "good" {
		s.t.Errorf("codes %q were redeemed", codes)
	}
}

func TestAPastedAddressEndsTheLogin(t *testing.T) {
	for name, spoil := range map[string]func(string) string{
		"as it is":               func(a string) string { return a },
		"with Enter":             func(a string) string { return a + "\n" },
		"in quotes":              func(a string) string { return `  "` + a + `" ` + "\r\n" },
		"in angle brackets":      func(a string) string { return "<" + a + ">" },
		"wrapped":                func(a string) string { return a[:40] + "\n" + a[40:60] + "\r\n  " + a[60:] + "\n" },
		"in a bracketed paste":   func(a string) string { return "\x1b[200~" + a + "\x1b[201~\r" },
		"after other words":      func(a string) string { return "the address: " + a },
		"after an older one":     func(a string) string { return strings.Replace(a, "good", "old", 1) + " " + a },
		"without its scheme":     func(a string) string { return strings.TrimPrefix(a, "http://") },
		"by the literal address": func(a string) string { return strings.Replace(a, "localhost", "127.0.0.1", 1) },
		"in capitals":            func(a string) string { return strings.Replace(a, "http://localhost", "HTTP://LOCALHOST", 1) },
		"with a fragment":        func(a string) string { return a + "#" },
	} {
		t.Run(name, func(t *testing.T) {
			s := startPasting(t, newFakeProvider(t))
			s.paste(spoil(s.address("code", "good", "state", s.asked.Get("state"))))
			s.mustEndWell()
		})
	}
}

func TestAWrongAddressAsksAgain(t *testing.T) {
	s := startPasting(t, newFakeProvider(t))
	state := s.asked.Get("state")
	s.mustRefuse(s.address("code", "good", "state", "old"), errAnotherLogin)
	s.mustRefuse(s.address("error", "access_denied", "state", "old"), errAnotherLogin)
	s.mustRefuse("y\n", errNoAddress)
	s.mustRefuse("\n", errNoAddress)
	s.mustRefuse(strings.Repeat("x", maxPasted+1), errNoAddress)
	s.mustRefuse("https://login.example/authorize?state="+state, errNoAddress)
	s.mustRefuse("http://elsewhere.example/callback?code=good&state="+state, errNoAddress)
	s.mustRefuse(s.address("code", "good"), errCut)
	s.mustRefuse(s.address("state", state), errCut)
	s.mustRefuse(s.address("code", "good", "state", state, "code", "other"), errCut)
	s.mustRefuse(s.address("code", "good", "state", state)+"&x=%z", errCut)
	s.paste(s.address("code", "good", "state", state))
	s.mustEndWell()
}

func TestAnAddressInTwoPiecesIsPutTogether(t *testing.T) {
	for _, at := range []int{45, 60, 70} { // before, in and after the state's name
		s := startPasting(t, newFakeProvider(t))
		address := s.address("code", "good", "state", s.asked.Get("state"))
		s.paste(address[:at] + "\n")
		<-s.refused
		s.paste(address[at:] + "\n")
		s.mustEndWell()
	}
}

func TestTheFirstOfCallbackAndPasteEndsTheLogin(t *testing.T) {
	s := startPasting(t, newFakeProvider(t))
	s.mustRefuse(s.address("code", "x", "state", "old"), errAnotherLogin)
	s.mustSucceed()
}

func TestWithoutThePortTheAddressIsPasted(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	why := make(chan error, 1)
	s := startPasting(t, newFakeProvider(t), func(l *Login) {
		l.Port = listener.Addr().(*net.TCPAddr).Port
		show := l.Show
		l.Show = func(u string, unheard error) { why <- unheard; show(u, unheard) }
	})
	s.port = listener.Addr().(*net.TCPAddr).Port
	var port *PortError
	if err := <-why; !errors.As(err, &port) {
		t.Errorf("shown with %v", err)
	}
	s.paste(s.address("code", "good", "state", s.asked.Get("state")))
	s.mustEndWell()
}

func TestADeniedLoginMayBePasted(t *testing.T) {
	s := startPasting(t, newFakeProvider(t))
	s.paste(s.address("error", "access_denied", "state", s.asked.Get("state")))
	if err := s.end(); !errors.Is(err, ErrDenied) || !errors.Is(err, ErrDeclined) {
		t.Errorf("error %v", err)
	}
}

func TestAPastedAddressMayAskForAnotherTry(t *testing.T) {
	urls := make(chan string, 2)
	s := startPasting(t, newFakeProvider(t), func(l *Login) {
		show := l.Show
		l.Show = func(u string, unheard error) {
			urls <- u
			if len(urls) == 1 {
				show(u, unheard)
			}
		}
	})
	s.paste(s.address("error", "access_denied", "error_description", "user does not belong to any organization", "state", s.asked.Get("state")))
	<-s.refused
	first, second := <-urls, <-urls
	if first == second {
		t.Error("the same URL once more")
	}
	s.asked = s.provider.visit(second)
	s.paste(s.address("code", "good", "state", s.asked.Get("state")))
	s.mustEndWell()
}

func FuzzPaste(f *testing.F) {
	f.Add("http://localhost:53682/callback?code=c&state=right")
	f.Add("\x1b[200~'http://[::1]:53682/callback?code=c&\nstate=right'\x1b[201~")
	f.Add("localhost:53682/callback?state=%zz#")
	f.Fuzz(func(t *testing.T, text string) {
		saved := false
		run := &flow{
			login: Login{Refuse: func(err error) {
				if err == nil || strings.ContainsAny(err.Error(), "\n\x1b") {
					t.Errorf("%q: %v", text, err)
				}
			}},
			save:    func(context.Context, Tokens) error { saved = true; return nil },
			attempt: attempt{state: "the-right-state"},
		}
		if strings.Contains(text, "the-right-state") {
			return // that one would be sent
		}
		if ended, err := run.take(t.Context(), text); ended || err != nil || saved {
			t.Errorf("%q: ended %v, error %v", text, ended, err)
		}
	})
}
