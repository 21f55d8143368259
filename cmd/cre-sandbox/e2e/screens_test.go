//go:build unix

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// updateScreens is set to write the screens anew, for a person to look at.
const updateScreens = "CRE_TEST_UPDATE_SCREENS"

// TestLoginScreens holds what a person reads to testdata/screens, at 80 and 40
// columns, with color and without.
func TestLoginScreens(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.setenv(overSSH...)
	m.setenv("CRE_CREDENTIAL_STORE=file") // no warning with a path, whose length differs
	callbackPort.Lock()
	defer callbackPort.Unlock()
	browser := "BROWSER=" + m.script("browser", "exit 0")
	for name, screen := range map[string]struct {
		env  []string
		args []string
		play func(*onTerminal)
	}{
		"ssh":        {nil, nil, (*onTerminal).logsIn},
		"browser":    {[]string{browser}, nil, (*onTerminal).logsIn},
		"no-browser": {[]string{browser}, []string{"--no-browser"}, (*onTerminal).logsIn},
		"again": {nil, nil, func(s *onTerminal) {
			s.expect("[y/N] ")
			s.types("n\r")
		}},
		"wrong": {nil, nil, func(s *onTerminal) {
			s.expect("Waiting for ")
			s.types("what?\r")
			s.expect("Not logged in yet")
			s.types("\x03")
		}},
		"denied": {nil, nil, func(s *onTerminal) {
			s.expect("Waiting for ")
			s.types("http://localhost:53682/callback?error=access_denied&state=" + regexp.MustCompile(`state=(\w+)`).FindStringSubmatch(s.lastURL())[1] + "\r")
		}},
		"interrupted":     {nil, nil, func(s *onTerminal) { s.expect("Waiting for "); s.types("\x03") }},
		"browser-fails":   {[]string{"BROWSER=/no/such"}, nil, func(s *onTerminal) { s.expect("yourself"); s.types("\x03") }},
		"non-interactive": {nil, []string{"--non-interactive"}, func(*onTerminal) {}},
	} {
		for _, columns := range []uint16{80, 40} {
			for _, color := range []bool{false, true} {
				if name != "again" {
					_ = m.run("", "cre", "logout")
				} else {
					m.logIn()
				}
				file := fmt.Sprintf("%s.%d", name, columns)
				env := append(screen.env, "NO_COLOR=1")
				if color {
					file, env = file+".color", append(screen.env, "NO_COLOR=", "TERM=xterm-256color")
				}
				m.Run(file, func(t *testing.T) {
					cmd := m.in(t, env...).command(t.Context(), "cre", append([]string{"login"}, screen.args...)...)
					s := m.in(t).runOnTerminal(columns, cmd)
					screen.play(s)
					s.wait()
					s.mustLookLike(file, int(columns))
				})
			}
		}
	}
}

// logsIn carries the address over.
func (s *onTerminal) logsIn() {
	s.Helper()
	s.expect("Waiting for ")
	s.expect("…")
	s.types(s.carry(s.lastURL()) + "\r")
	s.expect("Logged in as")
}

// mustLookLike compares the screen with a file, which shows escape sequences with
// ^[ and has names in place of what differs from run to run.
func (s *onTerminal) mustLookLike(name string, columns int) {
	s.Helper()
	text := regexp.MustCompile(`http://127\.0\.0\.1:\d+/authorize\?[^\s\x1b]+`).ReplaceAllString(s.text(), "<authorize URL>")
	text = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).ReplaceAllString(text, "http://127.0.0.1:PORT")
	text = regexp.MustCompile(`\S+@192\.0\.2\.1`).ReplaceAllString(text, "someone@192.0.2.1")
	text = strings.ReplaceAll(text, s.home, "HOME")
	text = strings.ReplaceAll(asShown(text, columns), "\x1b", "^[")
	path := filepath.Join("testdata", "screens", name)
	if os.Getenv(updateScreens) != "" {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			s.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	if text != string(want) {
		s.Errorf("%s shows\n%s\nwant\n%s", name, text, want)
	}
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
