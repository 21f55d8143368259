package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/killpoint"
	"cre-credential-helper/cmd/cre-sandbox/internal/provider"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestKilledAtEveryStep ends the helper with SIGKILL before and after each call
// by which it changes a file, a lock, the keychain or the provider. What is left
// is the old session or the new one, whole; nothing stands in the next command's
// way; and the next write leaves nothing of the one that was killed.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*machine){
		"first store": killFirstStore,
		"store":       killStore,
		"refresh":     killRefresh,
		"erase":       killErase,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachMode(t, sandbox.Options{}, func(m *machine) {
				m.usePlainPrograms()
				test(m)
			})
		})
	}
}

func killFirstStore(m *machine) {
	m.killEach(func(n int) killpoint.Result {
		s := m.newSession()
		killed := m.kill(n, "store", m.attributes(s)...)
		m.expect(killed, m.promptGet(), s.Access, "")
		m.logOut(killed)
		return killed
	})
}

func killStore(m *machine) {
	old := m.logIn()
	m.killEach(func(n int) killpoint.Result {
		s := m.newSession()
		killed := m.kill(n, "store", m.attributes(s)...)
		m.expect(killed, m.promptGet(), old.Access, s.Access)
		old = m.logInAfter(killed)
		return killed
	})
}

// killRefresh finds the one gap that nothing can close: when the provider has
// rotated the refresh token and the new one isn't saved, the session has ended.
func killRefresh(m *machine) {
	s := m.logIn()
	m.killEach(func(n int) killpoint.Result {
		m.expire(s.Access)
		before := m.platform.Stats()
		killed := m.kill(n, "get")
		got := m.promptGet()
		after := m.platform.Stats()
		refreshes, reused := after.Refreshes-before.Refreshes, after.RefreshReuses > before.RefreshReuses
		switch answered := (outcome{stdout: killed.Stdout}).token(); {
		case answered != "" && got.token() != answered:
			m.Errorf("%s: what was answered wasn't saved: %v", killed.Point, got)
		case got.status == 0 && (refreshes != 1 || reused):
			m.Errorf("%s: %d refreshes, reuse %v", killed.Point, refreshes, reused)
		case got.status != 0 && (refreshes != 1 || !strings.Contains(got.stderr, sessionEnded)):
			m.Errorf("%s: %v", killed.Point, got)
		}
		s = m.logInAfter(killed)
		return killed
	})
}

func killErase(m *machine) {
	m.killEach(func(n int) killpoint.Result {
		s := m.logIn()
		killed := m.kill(n, "erase")
		m.expect(killed, m.promptGet(), s.Access, "")
		m.logOut(killed)
		if live := m.platform.Stats().LiveFamilies; live != 0 {
			m.Errorf("%s: the session lives on at the provider", killed.Point)
		}
		return killed
	})
}

// killEach does test for every point, until the program ends by itself.
func (m *machine) killEach(test func(n int) killpoint.Result) {
	m.Helper()
	for n := 1; ; n++ {
		killed := test(n)
		if m.Failed() || !killed.Killed {
			m.Logf("%d points, the last one %s", n, killed.Point)
			return
		}
	}
}

// promptGet fails if something that was left behind holds get up.
func (m *machine) promptGet() outcome {
	m.Helper()
	got := m.get()
	if got.took > 5*time.Second {
		m.Errorf("get was held up: %v", got)
	}
	return got
}

// kill ends the helper at its n-th point.
func (m *machine) kill(n int, op string, attributes ...string) killpoint.Result {
	m.Helper()
	cmd := m.command(m.Context(), "cre-credential-helper", op)
	if op != "get" {
		cmd.Stdin = strings.NewReader(m.request(attributes...))
	}
	killed, err := killpoint.Run(cmd, n)
	if err != nil {
		m.Fatal(err)
	}
	if !killed.Killed && killed.Status != 0 {
		m.Fatalf("%s, which wasn't killed: %+v", op, killed)
	}
	return killed
}

// expect fails unless get found one of two tokens; "" stands for no session.
func (m *machine) expect(killed killpoint.Result, got outcome, tokens ...string) {
	m.Helper()
	if got.status != 0 && !strings.Contains(got.stderr, notLoggedIn) || !slices.Contains(tokens, got.token()) {
		m.Errorf("%s: neither the old nor the new session: %v", killed.Point, got)
	}
}

// logOut fails if anything is left.
func (m *machine) logOut(killed killpoint.Result) {
	m.Helper()
	if o := m.helper("erase"); o.status != 0 {
		m.Errorf("%s: the next erase: %v", killed.Point, o)
	}
	if files, items := m.files(), m.items(); len(files)+len(items) != 0 {
		m.Errorf("%s: the next erase leaves %q and %q", killed.Point, files, items)
	}
}

// logInAfter is the next write: it leaves nothing of the one that was killed.
func (m *machine) logInAfter(killed killpoint.Result) provider.Session {
	m.Helper()
	s := m.logIn()
	wantItems := []string{m.platform.URL, "index"}
	if m.keychain == nil {
		wantItems = nil
	}
	files, items := m.files(), m.items()
	if !slices.Equal(files, []string{".cre/cre.lock", ".cre/cre.yaml"}) || !slices.Equal(items, wantItems) {
		m.Errorf("%s: the next store leaves %q and %q", killed.Point, files, items)
	}
	return s
}
