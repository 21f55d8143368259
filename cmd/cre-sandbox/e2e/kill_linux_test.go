package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/killpoint"
	"cre-credential-helper/cmd/cre-sandbox/internal/provider"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// operations are the helper's that write, each with a test that has it killed at
// every step.
var operations = map[string]func(*machine, killer){
	"first store": killFirstStore,
	"store":       killStore,
	"erase":       killErase,
}

// killer ends a program at its n-th point that does one of the helper's
// operations.
type killer func(m *machine, n int, op string, attributes ...string) killpoint.Result

// TestKilledAtEveryStep ends the helper, and cre-credential-net, which does what
// the helper is asked for, with SIGKILL before and after each call by which they
// change a file, a lock, the keychain or the provider. What is left is the old
// session or the new one, whole; nothing stands in the next command's way; and
// the next write leaves nothing of the one that was killed.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	for program, kill := range map[string]killer{"helper": (*machine).kill, "net": (*machine).killErrand} {
		for name, test := range operations {
			t.Run(program+" "+name, func(t *testing.T) {
				t.Parallel()
				eachStore(t, sandbox.Options{}, func(m *machine) {
					m.setenv("CRE_KEYRING_TIMEOUT=1m") // a program that is traced is slow
					m.useOwnPrograms()
					test(m, kill)
				})
			})
		}
	}
}

func killFirstStore(m *machine, kill killer) {
	m.killEach(func(n int) killpoint.Result {
		s := m.newSession()
		killed := kill(m, n, "store", m.attributes(s)...)
		m.settled(killed, s.Access, "")
		m.logOut(killed)
		return killed
	})
}

func killStore(m *machine, kill killer) {
	old := m.logIn()
	m.killEach(func(n int) killpoint.Result {
		s := m.newSession()
		killed := kill(m, n, "store", m.attributes(s)...)
		m.settled(killed, old.Access, s.Access)
		old = m.logInAfter(killed)
		return killed
	})
}

// killErase finds what an erase can't do in one step: what has been removed
// here, but not revoked yet, lives on at the provider.
func killErase(m *machine, kill killer) {
	var outlived []string
	m.killEach(func(n int) killpoint.Result {
		before := m.platform.Stats().LiveFamilies
		s := m.logIn()
		killed := kill(m, n, "erase")
		got := m.settled(killed, s.Access, "")
		m.logOut(killed)
		if m.platform.Stats().LiveFamilies == before {
			return killed
		}
		if outlived = append(outlived, killed.Point); got.token() != "" || !killed.Killed {
			m.Errorf("%s: the session lives on at the provider", killed.Point)
		}
		return killed
	})
	m.Logf("not revoked when killed %q", outlived)
}

// TestTheHelperKilledWhileItWaits loses nothing at any step of a renewal: who
// renews is another process.
func TestTheHelperKilledWhileItWaits(t *testing.T) {
	t.Parallel()
	eachStore(t, sandbox.Options{}, func(m *machine) {
		m.setenv("CRE_KEYRING_TIMEOUT=1m") // a program that is traced is slow
		m.useOwnPrograms()
		s := m.logIn()
		m.killEach(func(n int) killpoint.Result {
			m.expire(s.Access)
			before := m.platform.Stats()
			killed := m.kill(n, "get")
			got := m.promptGet()
			m.settle()
			if after := m.platform.Stats(); got.status != 0 || !m.takes(got.token()) ||
				after.Refreshes != before.Refreshes+1 || after.RefreshReuses != 0 {
				m.Errorf("%s: %v; the provider saw %+v, and before %+v", killed.Point, got, after, before)
			}
			if answered := (outcome{stdout: killed.Stdout}).token(); answered != "" && got.token() != answered {
				m.Errorf("%s: what was answered wasn't saved: %v", killed.Point, got)
			}
			s = m.logInAfter(killed)
			return killed
		})
	})
}

// The calls between the provider's answer and the end of a commit, the latter
// included: while they are done, the new session is in one process' hands alone.
var windows = map[string][]string{
	fileMode:     {"write to ", "ftruncate", "fsync", "renameat"},
	keychainMode: {"write to " + killpoint.Unix, "write to " + killpoint.Unix}, // a read, and the write
	kernelMode:   {"add_key"},
}

// TestTheRenewalKilledAtEveryStep ends cre-credential-net itself while it renews.
// That can end the session, namely once the provider has been asked and until
// the new one is committed. The test holds how many calls wide this window is,
// and tells the time that it took.
func TestTheRenewalKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	eachStore(t, sandbox.Options{}, func(m *machine) {
		m.setenv("CRE_KEYRING_TIMEOUT=1m") // a program that is traced is slow
		m.useOwnPrograms()
		window := windows[fileMode]
		switch {
		case m.keychain != nil:
			window = windows[keychainMode]
		case m.kernel:
			window = windows[kernelMode]
		}
		var lost []string
		s := m.logIn()
		m.killEach(func(n int) killpoint.Result {
			m.expire(s.Access)
			before := m.platform.Stats()
			killed := m.killErrand(n, "get")
			got := m.promptGet()
			m.settle()
			asked, since := sinceAsked(killed.Done)
			refreshes, reuses := m.platform.Stats().Refreshes-before.Refreshes, m.platform.Stats().RefreshReuses-before.RefreshReuses
			switch {
			case got.status == 0:
				if refreshes != 1 || reuses != 0 {
					m.Errorf("%s: %d refreshes, %d reuses", killed.Point, refreshes, reuses)
				}
			case !strings.Contains(got.stderr, sessionEnded) || refreshes != 1 || reuses != 1:
				m.Errorf("%s: %d refreshes, %d reuses: %v", killed.Point, refreshes, reuses, got)
			case !asked || len(since) >= len(window):
				m.Errorf("%s: the session is lost, with these calls done since the provider was asked: %v", killed.Point, since)
			default:
				lost = append(lost, killed.Point)
			}
			if answered := secretOf(killed.Stdout); answered != "" && got.token() != answered {
				m.Errorf("%s: what was answered wasn't saved: %v", killed.Point, got)
			}
			if !killed.Killed {
				m.measure(killed.Done, window)
			}
			s = m.logInAfter(killed)
			return killed
		})
		if len(lost) == 0 {
			m.Error("no session was lost, so nothing was measured")
		}
		m.Logf("the session is lost when killed %q", lost)
	})
}

// sinceAsked reports whether the provider was asked, and returns the calls that
// count since then.
func sinceAsked(done []killpoint.Call) (asked bool, since []killpoint.Call) {
	for _, call := range done {
		switch {
		case call.Name == "write to "+killpoint.TCP:
			asked, since = true, nil
		case !call.Reads:
			since = append(since, call)
		}
	}
	return asked, since
}

// measure logs how long the window took, and fails if its calls aren't those
// that were expected.
func (m *machine) measure(done []killpoint.Call, window []string) {
	m.Helper()
	_, since := sinceAsked(done)
	if len(since) < len(window) {
		m.Fatalf("after the answer there are only the calls %v", since)
	}
	for i, want := range window {
		if !strings.HasPrefix(since[i].Name, want) {
			m.Errorf("call %d after the answer is %s, want %s", i+1, since[i].Name, want)
		}
	}
	commit := since[len(window)-1]
	var answer killpoint.Call
	for _, call := range done {
		if call.Name == "read from "+killpoint.TCP && call.At.Before(commit.At) {
			answer = call
		}
	}
	m.Logf("from the provider's answer to the end of the commit there are %d calls that count, and they took %v under the tracer",
		len(window), commit.At.Sub(answer.At))
}

// secretOf is the secret in cre-credential-net's answer, "" if it isn't complete.
func secretOf(text string) string {
	var answer struct{ Credentials []struct{ Secret []byte } }
	if json.Unmarshal([]byte(text), &answer) != nil || len(answer.Credentials) == 0 {
		return ""
	}
	return string(answer.Credentials[0].Secret)
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

// promptGet fails if something that was left behind holds get up: a lock that
// nobody frees would for two minutes.
func (m *machine) promptGet() outcome {
	m.Helper()
	got := m.get()
	if got.took > 30*time.Second {
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
	return m.killCommand(n, cmd)
}

// killErrand ends cre-credential-net at its n-th point while it does what the
// helper is asked for. Its standard input stays open: somebody waits for the
// answer.
func (m *machine) killErrand(n int, op string, attributes ...string) killpoint.Result {
	m.Helper()
	in, asker, err := os.Pipe()
	if err != nil {
		m.Fatal(err)
	}
	defer asker.Close()
	defer in.Close()
	question := m.question(op, attributes...)
	go asker.WriteString(question) //nolint:errcheck // what is killed need not read
	cmd := m.command(m.Context(), "cre-credential-net")
	cmd.Stdin = in
	killed := m.killCommand(n, cmd)
	if !killed.Killed && (killed.Stdout == "" || strings.Contains(strings.ToLower(killed.Stdout), `"failure"`)) {
		m.Errorf("%s of %s answers %s", op, question, killed.Stdout)
	}
	return killed
}

// question is what the helper asks cre-credential-net when it is asked to do
// something: it is written down by what stands in that program's place.
func (m *machine) question(op string, attributes ...string) string {
	m.Helper()
	stand := m.in(m.T)
	stand.bin = m.TempDir()
	file := filepath.Join(stand.bin, "question")
	script := "#!/bin/sh\nexec dd bs=1M count=1 of='" + file + "' 2>/dev/null\n"
	err := copyFile(filepath.Join(m.bin, "cre-credential-helper"), filepath.Join(stand.bin, "cre-credential-helper"))
	if err == nil {
		err = os.WriteFile(filepath.Join(stand.bin, "cre-credential-net"), []byte(script), 0o755)
	}
	if err != nil {
		m.Fatal(err)
	}
	stand.run(m.request(attributes...), "cre-credential-helper", op) // it gets no answer
	question, err := os.ReadFile(file)
	if err != nil || !json.Valid(question) {
		m.Fatalf("the helper asks %q, %v", question, err)
	}
	return string(question)
}

func (m *machine) killCommand(n int, cmd *exec.Cmd) killpoint.Result {
	m.Helper()
	killed, err := killpoint.Run(cmd, n)
	if err != nil {
		m.Fatal(err)
	}
	if !killed.Killed && killed.Status != 0 {
		m.Fatalf("%q, which wasn't killed: %+v", cmd.Args, killed)
	}
	return killed
}

// settled returns what get finds, at once and, if something was left to itself,
// when that has ended. Both times it must be one of two tokens; "" stands for no
// session.
func (m *machine) settled(killed killpoint.Result, tokens ...string) outcome {
	m.Helper()
	alone := len(m.processes("")) == 0
	got := m.promptGet()
	m.expect(killed, got, tokens...)
	if !alone {
		m.settle()
		got = m.promptGet()
		m.expect(killed, got, tokens...)
	}
	return got
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
	switch {
	case m.kernel:
		wantItems = []string{m.platform.URL}
	case m.keychain == nil:
		wantItems = nil
	}
	files, items := m.files(), m.items()
	if !slices.Equal(files, []string{".cre/cre.lock", ".cre/cre.yaml"}) || !slices.Equal(items, wantItems) {
		m.Errorf("%s: the next store leaves %q and %q", killed.Point, files, items)
	}
	return s
}
