package e2e

import (
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// updateScreens is set to write the screens anew, for a person to look at.
const updateScreens = "CRE_TEST_UPDATE_SCREENS"

// play is a command of cre on a terminal, with a person before it.
type play struct {
	mode   string         // of the machine; "": without a keychain
	before func(*machine) // done each time that it is played; nil: nothing
	env    []string
	args   []string
	person func(*onTerminal) // what the person does; nil: looks on
	port   bool              // the login's port has a part in it
}

// views are the terminals that a command is played on.
var views = []struct {
	name    string
	columns int
	env     []string
}{
	{"80 columns", 80, nil},
	{"40 columns", 40, nil},
	{"80 columns, color", 80, inColor},
	{"40 columns, color", 40, inColor},
}

var inColor = []string{"NO_COLOR=", "TERM=xterm-256color"}

// TestScreens holds what a person sees to testdata/screens.
func TestScreens(t *testing.T) {
	t.Parallel()
	plays := maps.Clone(commandPlays)
	maps.Copy(plays, loginPlays)
	maps.Copy(plays, helpPlays(newMachine(t, fileMode, sandbox.Options{}), nil))
	for name, p := range plays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.perform(onStage(t, p.mode), name)
		})
	}
	files, err := os.ReadDir(screensFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := plays[f.Name()]; !ok {
			t.Errorf("%s is the screen of nothing", f.Name())
		}
	}
}

var screensFolder = filepath.Join("testdata", "screens")

// onStage is a machine whose paths are as long each time, because lines are broken
// by length, and which nothing of the test's own surroundings gets to.
func onStage(t *testing.T, mode string) *machine {
	t.Helper()
	if mode == "" {
		mode = fileMode
	}
	m := newMachine(t, mode, withAccess)
	m.usePlainPrograms()
	m.home = "/tmp/cre-screen-" + rand.Text()[:8]
	t.Cleanup(func() { _ = os.RemoveAll(m.home) })
	folder := filepath.Join(m.home, "bin")
	err := os.MkdirAll(folder, 0o700)
	for _, program := range []string{"cre", "cre-credential-helper", "cre-credential-net"} {
		if err == nil {
			err = copyFile(filepath.Join(m.bin, program), filepath.Join(folder, program))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	m.bin = folder
	m.env = slices.DeleteFunc(m.env, func(pair string) bool {
		name, value, _ := strings.Cut(pair, "=")
		return slices.Contains(surrounding, name) || strings.HasPrefix(name, "CRE_") && value == os.Getenv(name)
	})
	m.setenv("HOME="+m.home, "GIT_CONFIG_NOSYSTEM=1", "XDG_CONFIG_HOME="+m.home, "LC_ALL=C.UTF-8")
	if mode == fileMode {
		m.setenv("CRE_CREDENTIAL_STORE=file", "XDG_RUNTIME_DIR=")
	}
	return m
}

// surrounding are variables that the doctor or git would look at.
var surrounding = []string{
	"CI", "GODEBUG", "SSH_CONNECTION", "SSH_TTY", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "WSL_DISTRO_NAME", "FLATPAK_ID", "SNAP_NAME", "DOCKER_CONFIG", "GIT_CONFIG_GLOBAL",
}

// perform plays it on each terminal, and compares. What looks as on an earlier one
// is in the file once.
func (p play) perform(m *machine, name string) {
	m.Helper()
	if p.port {
		callbackPort.Lock()
		defer callbackPort.Unlock()
	}
	var text strings.Builder
	shown := map[string]string{} // by screen, the first terminal with it
	for _, v := range views {
		if p.before != nil {
			p.before(m)
		}
		cmd := m.in(m.T, slices.Concat(p.env, []string{"NO_COLOR=1"}, v.env)...).command(m.Context(), "cre", p.args...)
		cmd.Dir = m.home
		s := m.runOnTerminal(uint16(v.columns), cmd)
		if p.person != nil {
			p.person(s)
		}
		status := s.wait()
		screen := fmt.Sprintf("%s[exit status %d]\n", strings.ReplaceAll(asShown(s.stable(), v.columns), "\x1b", "^["), status)
		if first, ok := shown[screen]; ok {
			fmt.Fprintf(&text, "--- %s: as with %s\n", v.name, first)
			continue
		}
		shown[screen] = v.name
		fmt.Fprintf(&text, "--- %s\n%s", v.name, screen)
	}
	m.mustBe(filepath.Join(screensFolder, name), text.String())
}

// mustBe compares with a file, or writes it.
func (m *machine) mustBe(path, text string) {
	m.Helper()
	if token := tokenPattern.FindString(text); token != "" {
		m.Fatalf("%s shows %q", path, token)
	}
	if os.Getenv(updateScreens) != "" {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			m.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		m.Fatal(err)
	}
	if text != string(want) {
		m.Errorf("the screen is\n%s\nwant\n%s", text, want)
	}
}

// varying is what differs from run to run.
var varying = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+/authorize\?[^\s\x1b]+`), "<authorize URL>"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`\S+@192\.0\.2\.1`), "someone@192.0.2.1"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d(\s+)\d\d:\d\d`), "2006-01-02${1}15:04"},
	{regexp.MustCompile(`\(in [^)]+\)`), "(in 10 minutes)"},
	{regexp.MustCompile(`good for(\s+)\S+(\s+)and`), "good for${1}24h${2}and"},
	{regexp.MustCompile(`one(\s+)version,(\s+)\S+`), "one${1}version,${2}v1.2.3"},
	{regexp.MustCompile(`cre version .*`), "cre version v1.2.3"},
}

// stable is what the terminal shows, with names in place of what varies.
func (s *onTerminal) stable() string {
	text := s.text()
	for _, v := range varying {
		text = v.pattern.ReplaceAllString(text, v.name)
	}
	return strings.ReplaceAll(text, s.home, "HOME")
}

var escape = regexp.MustCompile(`^\x1b\[[0-9;?]*[A-Za-z]`)

// asShown breaks lines where a terminal does.
func asShown(text string, columns int) string {
	var out strings.Builder
	for used := 0; text != ""; {
		if e := escape.FindString(text); e != "" {
			out.WriteString(e)
			text = text[len(e):]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == '\n' || r == '\r':
			used = 0
		case used == columns:
			out.WriteByte('\n')
			used = 1
		default:
			used++
		}
		out.WriteRune(r)
		text = text[size:]
	}
	return out.String()
}
