package e2e

import (
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/cmd/internal/oauth"
	"cre-credential-helper/keyring/keyringtest"
)

// neighbour is a computer of its own, as far as the network goes: its loopback is
// another one.
type neighbour struct {
	*machine
	thread chan func() // what is done there
}

// newNeighbour makes one that is gone with the test.
func newNeighbour(m *machine) neighbour {
	m.Helper()
	keyringtest.Need(m, "ip")
	if os.Getuid() != 0 {
		m.Skip("left out: only root can make a network namespace")
	}
	e := neighbour{m, make(chan func())}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread's namespace ends with it
		err := syscall.Unshare(syscall.CLONE_NEWNET)
		if err == nil {
			err = exec.Command("ip", "link", "set", "lo", "up").Run()
		}
		made <- err
		for do := range e.thread {
			do()
		}
	}()
	m.Cleanup(func() { close(e.thread) })
	if err := <-made; errors.Is(err, syscall.EPERM) {
		m.Skipf("left out: network namespace: %v", err)
	} else if err != nil {
		m.Fatal(err)
	}
	return e
}

func (e neighbour) do(what func()) {
	done := make(chan struct{})
	e.thread <- func() { defer close(done); what() } // also if it fails the test
	<-done
}

// forward has a port there lead to the same one here, as ssh -L does, and as the
// internet leads to a provider.
func (e neighbour) forward(port string) {
	e.Helper()
	var listener net.Listener
	var err error
	e.do(func() { listener, err = net.Listen("tcp", "127.0.0.1:"+port) })
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			there, err := listener.Accept()
			if err != nil {
				return
			}
			go splice(there, port)
		}
	}()
}

func splice(there net.Conn, port string) {
	defer there.Close()
	here, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return
	}
	defer here.Close()
	go func() {
		_, _ = io.Copy(here, there)
		_ = here.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(there, here)
}

// browse opens a URL there, and returns what the browser says, which may hold the
// login's code.
func (e neighbour) browse(authorizeURL string) (said string, err error) {
	cmd := exec.CommandContext(e.Context(), filepath.Join(bin, "cre-sandbox"), "browse", authorizeURL)
	e.do(func() {
		var out []byte
		out, err = cmd.CombinedOutput()
		said = string(out)
	})
	return said, err
}

// TestALoginWithABrowserOnAnotherMachine is a login over SSH with the browser at
// home, once with nothing between the two but the person, and once with ssh -L.
func TestALoginWithABrowserOnAnotherMachine(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	home := newNeighbour(m)
	platform, err := url.Parse(m.platform.URL)
	if err != nil {
		t.Fatal(err)
	}
	home.forward(platform.Port())
	m.setenv(overSSH...)
	opened := m.witnessDesktop()
	callbackPort.Lock()
	defer callbackPort.Unlock()

	s := m.runOnTerminal(80, m.command(t.Context(), "cre", "login"))
	said, err := home.browse(s.shownURL())
	address := regexp.MustCompile(`http://localhost:53682/callback\?[^" ]+`).FindString(said)
	if err == nil || address == "" || !strings.Contains(said, "connection refused") {
		t.Fatalf("the browser reaches the port: %s", said)
	}
	s.types(address + "\r")
	s.mustBeLoggedIn()

	home.forward(strconv.Itoa(oauth.Port))
	s = m.runOnTerminal(80, m.command(t.Context(), "cre", "login", "--yes"))
	if said, err := home.browse(s.shownURL()); err != nil || !strings.Contains(said, "You are logged in") {
		t.Errorf("through the forwarded port: %v: %s", err, said)
	}
	s.mustBeLoggedIn()
	if opened() {
		t.Error("a browser was opened on this machine")
	}
}
