//go:build unix

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/agent"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// overSSH is what a shell over SSH has, on a machine with a desktop.
var overSSH = []string{"BROWSER=", "DISPLAY=:0", "SSH_CONNECTION=192.0.2.7 50000 192.0.2.1 2222", "SSH_TTY=/dev/pts/7"}

// pastes is the line that offers to paste an address.
const pastes = "paste here the address"

// carry logs in with a browser that can't reach the callback, and returns the
// address that it ends up on.
func (m *machine) carry(authorizeURL string) (address string) {
	m.Helper()
	page, err := agent.Browse(m.Context(), authorizeURL, agent.Options{Password: "any", Stop: "http://localhost:53682/"})
	if err != nil || !strings.HasPrefix(page.URL, "http://localhost:53682/callback?") {
		m.Fatalf("the browser ended on %+v, %v", page, err)
	}
	return page.URL
}

// shownURL waits for the URL to open.
func (s *onTerminal) shownURL() string {
	s.Helper()
	s.expect("Waiting for the ")
	return s.lastURL()
}

func (s *onTerminal) lastURL() string {
	all := regexp.MustCompile(`http://127\.0\.0\.1:\d+/authorize\?[^\s\x1b]+`).FindAllString(s.text(), -1)
	return all[len(all)-1]
}

// loginOnTerminal starts cre login, and holds the port for the test.
func (m *machine) loginOnTerminal(args ...string) *onTerminal {
	m.Helper()
	callbackPort.Lock()
	m.Cleanup(callbackPort.Unlock)
	return m.runOnTerminal(80, m.command(m.Context(), "cre", append([]string{"login"}, args...)...))
}

func (s *onTerminal) mustBeLoggedIn() {
	s.Helper()
	s.expect("Logged in as email@domain.com. The session is in ~/.cre/cre.yaml.\n")
	if status := s.wait(); status != 0 {
		s.Errorf("exit status %d", status)
	}
	s.mustGet()
}

func TestALoginOverSSHByPasting(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.setenv(overSSH...)
	opened := m.witnessDesktop()
	s := m.loginOnTerminal()
	url := s.shownURL()
	address := m.carry(url)
	for _, want := range []string{"ssh -L 53682:localhost:53682 -p 2222 ", "@192.0.2.1\n", pastes} {
		if !strings.Contains(s.text(), want) {
			t.Errorf("%q isn't shown:\n%s", want, s.text())
		}
	}
	m.until("the terminal hides what is pasted", func() bool { return !s.echoes() })
	s.types("\x1b[200~'" + address[:50] + "\n" + address[50:] + "'\x1b[201~\r")
	s.mustBeLoggedIn()
	if code := regexp.MustCompile(`code=([^&]+)`).FindStringSubmatch(address); strings.Contains(s.text(), code[1]) {
		t.Errorf("the terminal shows the code:\n%s", s.text())
	}
	if opened() {
		t.Error("a browser was opened")
	}
}

func TestALoginOverSSHByAForwardedPort(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.setenv(overSSH...)
	s := m.loginOnTerminal()
	page, err := agent.Browse(t.Context(), s.shownURL(), agent.Options{Password: "any"})
	if err != nil || page.Title != "You are logged in – CRE login" {
		t.Errorf("the browser ended on %+v, %v", page, err)
	}
	s.mustBeLoggedIn()
}

// TestABrowserThatIsNamedOpensOverSSH is about editors, which forward the port.
func TestABrowserThatIsNamedOpensOverSSH(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.setenv(overSSH...)
	m.setenv("BROWSER=" + m.script("a browser", "exec cre-sandbox browse \"$1\""))
	s := m.loginOnTerminal()
	s.expect("Opening your browser to log in. If no page appears, open:\n")
	s.expect("Waiting for the browser, up to 8 minutes (Ctrl-C cancels)…")
	s.mustBeLoggedIn()
}

func TestAWrongAddressAsksAgain(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.setenv(overSSH...)
	s := m.loginOnTerminal()
	url := s.shownURL()
	s.types("what?\r")
	s.expect("Not logged in yet: that is not the address that the browser ended up on.")
	s.types("http://localhost:53682/callback?code=stolen&state=old\r")
	s.expect("Not logged in yet: that address is from another login, or from an older one.")
	s.types(m.carry(url) + "\r")
	s.mustBeLoggedIn()
	if stats := m.platform.Stats(); stats.CodeExchanges != 1 {
		t.Errorf("the provider saw %+v", stats)
	}
}

func TestWithoutThePortTheAddressIsPasted(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	callbackPort.Lock()
	defer callbackPort.Unlock()
	listener, err := net.Listen("tcp", "127.0.0.1:53682")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	opened := m.witnessBrowser()
	s := m.runOnTerminal(80, m.command(t.Context(), "cre", "login"))
	s.expect("The browser can't come back to this program: port 53682 is in use by another\nprogram: cre doctor port names it.")
	s.types(m.carry(s.shownURL()) + "\r")
	s.mustBeLoggedIn()
	if opened() {
		t.Error("a browser was opened, which would have gone to another program")
	}
}

func TestASecondLoginNamesTheFirst(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.setenv(overSSH...)
	first := m.loginOnTerminal()
	url := first.shownURL()
	want := fmt.Sprintf("port 53682 is in use by another cre login (PID %d): finish or stop that one", first.cmd.Process.Pid)
	o := m.run("", "cre", "login", "--no-browser")
	if o.status != 1 || !strings.Contains(o.stderr, want) || o.took > 10*time.Second {
		t.Errorf("a second login: %v", o)
	}
	second := m.runOnTerminal(200, m.command(t.Context(), "cre", "login"))
	second.expect("in use by another cre\nlogin ")
	second.expect(fmt.Sprintf("(PID %d)", first.cmd.Process.Pid))
	second.shownURL()
	second.types("\x03")
	if status := second.wait(); status != 130 {
		t.Errorf("exit status %d:\n%s", status, second.text())
	}
	first.types(m.carry(url) + "\r")
	first.mustBeLoggedIn()
}

// TestTheProviderMaySendTheBrowserTwice asks for the callback's page once more
// when it was answered.
func TestTheProviderMaySendTheBrowserTwice(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.setenv(overSSH...)
	s := m.loginOnTerminal()
	address := m.carry(s.shownURL())
	for range 2 {
		answer, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("HTTP status %d", answer.StatusCode)
		}
	}
	s.mustBeLoggedIn()
}

// TestALoginInTheBackgroundReadsNothing stops a login by ^Z, as a person does who
// wants the shell back, and lets it go on in the background.
func TestALoginInTheBackgroundReadsNothing(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.setenv(overSSH...)
	callbackPort.Lock()
	defer callbackPort.Unlock()
	shell := m.command(t.Context(), "cre")
	shell.Path, shell.Args = "/bin/bash", []string{"bash", "--norc", "--noprofile", "-i"}
	shell.Env = append(shell.Env, "PS1=ready> ", "HISTFILE=")
	s := m.runOnTerminal(200, shell)
	s.expect("ready> ")
	s.types("cre login\r")
	url := s.shownURL()
	m.until("the terminal hides what is pasted", func() bool { return !s.echoes() })
	s.types("\x1a")
	s.expect("Stopped")
	s.expect("ready> ")
	s.types("bg\r")
	s.expect("ready> ")
	for range 5 { // a prompt that steals gets some of it
		time.Sleep(200 * time.Millisecond)
		s.types("echo $((40+2))\r")
		s.expect("42\n") // the echo of it shows the question
	}
	s.types("fg\r")
	s.expect("cre login\n")
	m.until("the terminal hides what is pasted", func() bool { return !s.echoes() })
	s.types(m.carry(url) + "\r")
	s.expect("Logged in as email@domain.com.")
	s.types("exit\r")
	s.wait()
}

func TestALoginInAShellsBackgroundAsksNobody(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.setenv(overSSH...)
	callbackPort.Lock()
	defer callbackPort.Unlock()
	shell := m.command(t.Context(), "cre")
	shell.Path, shell.Args = "/bin/bash", []string{"bash", "--norc", "--noprofile", "-i"}
	s := m.runOnTerminal(200, shell)
	s.types("cre login & wait $!; echo status $?\r")
	s.expect("Error: no browser can be opened here, and there is no terminal")
	s.expect("status 2\n")
	s.types("exit\r")
	s.wait()
}

func TestALoginOverALoginAsks(t *testing.T) {
	eachMode(t, sandbox.Options{}, func(m *machine) {
		const question = "You are logged in as email@domain.com. Log in again? [y/N] "
		m.logIn()
		before := m.mustGet()
		for _, answer := range []string{"\r", "n\r", "nonsense\r"} {
			s := m.runOnTerminal(80, m.command(m.Context(), "cre", "login"))
			s.expect(question)
			s.types(answer)
			s.expect("Nothing was changed.\n")
			if status := s.wait(); status != 0 || m.mustGet() != before {
				m.Errorf("%q: exit status %d, %s", answer, status, s.text())
			}
		}
		s := m.loginOnTerminal()
		s.expect(question)
		s.types("y\r")
		s.expect("Logged in as")
		s.wait()
		if stats := m.platform.Stats(); m.mustGet() == before || stats.LiveFamilies != 1 {
			m.Errorf("the provider saw %+v", stats)
		}
		yes := m.runOnTerminal(80, m.command(m.Context(), "cre", "login", "--yes"))
		yes.expect("Logged in as")
		yes.wait()
		noTerminal := m.run("", "cre", "login")
		if strings.Contains(yes.text(), "Log in again") || noTerminal.status != 0 {
			m.Errorf("--yes: %s; without a terminal: %v", yes.text(), noTerminal)
		}
		if stats := m.platform.Stats(); stats.LiveFamilies != 1 {
			m.Errorf("the provider saw %+v", stats)
		}
	})
}

// witnessDesktop tells whether a program of the desktop's was started to open a
// browser.
func (m *machine) witnessDesktop() (opened func() bool) {
	m.Helper()
	mark := filepath.Join(m.TempDir(), "opened")
	folder := m.TempDir()
	for _, program := range []string{"xdg-open", "x-www-browser", "www-browser", "wslview"} {
		if err := os.WriteFile(filepath.Join(folder, program), []byte("#!/bin/sh\ntouch "+mark+"\n"), 0o700); err != nil {
			m.Fatal(err)
		}
	}
	for _, program := range shipped {
		name := filepath.Base(program)
		if err := os.Symlink(filepath.Join(bin, name), filepath.Join(folder, name)); err != nil {
			m.Fatal(err)
		}
	}
	m.bin = folder // which comes first on PATH
	return func() bool {
		_, err := os.Stat(mark)
		return err == nil
	}
}
