package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func env(variables ...string) func(string) string {
	return func(name string) string {
		for _, v := range variables {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

func columns(n int) func() int { return func() int { return n } }

func TestLinesFitTheTerminal(t *testing.T) {
	const text = "On another computer, run this there first, so that its browser reaches this machine:"
	for _, width := range []int{20, 40, 80, 200, 0} {
		u := newUI(nil, true, columns(width), env())
		wrapped := u.wrapped(text)
		for line := range strings.SplitSeq(wrapped, "\n") {
			if len(line) > 80 || width > 0 && len(line) > width {
				t.Errorf("%d columns: %q", width, line)
			}
		}
		if strings.Join(strings.Fields(wrapped), " ") != text {
			t.Errorf("%d columns: %q", width, wrapped)
		}
	}
	if got := newUI(nil, true, columns(10), env()).wrapped("a word-longer-than-the-line b"); got != "a\nword-longer-than-the-line\nb" {
		t.Errorf("%q", got)
	}
}

func TestLinksAreForTerminalsThatAreKnownToShowThem(t *testing.T) {
	for variables, want := range map[string]bool{
		"":                                    false,
		"TERM=xterm-256color":                 false,
		"TERM=xterm-kitty":                    true,
		"TERM=dumb VTE_VERSION=7600":          false,
		"VTE_VERSION=7600":                    true,
		"VTE_VERSION=4999":                    false,
		"VTE_VERSION=x":                       false,
		"TERM=tmux-256color VTE_VERSION=7600": false,
		"TERM=screen TERM_PROGRAM=iTerm.app":  false,
		"TERM_PROGRAM=vscode":                 true,
		"TERM_PROGRAM=Apple_Terminal":         false,
		"WT_SESSION=1":                        true,
		"KONSOLE_VERSION=230800":              true,
	} {
		u := newUI(nil, true, columns(80), env(strings.Fields(variables)...))
		if got := u.link("http://x") != "http://x"; got != want {
			t.Errorf("%q: %v", variables, got)
		}
		if newUI(nil, false, columns(0), env(strings.Fields(variables)...)).links {
			t.Errorf("%q: links where there is no terminal", variables)
		}
	}
}

func TestColorAndMovement(t *testing.T) {
	for _, tt := range []struct {
		terminal          bool
		variables         string
		colored, animated bool
	}{
		{true, "", true, true},
		{false, "", false, false},
		{true, "TERM=dumb", false, false},
		{true, "NO_COLOR=1", false, true},
		{true, "CRE_NO_SPINNER=1", true, false},
		{false, "CLICOLOR_FORCE=1", true, false},
		{false, "CLICOLOR_FORCE=0", false, false},
		{false, "CLICOLOR_FORCE=1 NO_COLOR=1", false, false},
	} {
		u := newUI(nil, tt.terminal, columns(80), env(strings.Fields(tt.variables)...))
		if u.colored != tt.colored || u.animated != tt.animated {
			t.Errorf("%+v: colored %v, animated %v", tt, u.colored, u.animated)
		}
	}
}

func TestWhatIsOverSoonMovesNothing(t *testing.T) {
	var out bytes.Buffer
	u := newUI(&out, true, columns(80), env())
	u.wait("Fetching…")
	time.Sleep(spinnerDelay / 4)
	u.done()
	if out.Len() != 0 {
		t.Errorf("%q", out.String())
	}
	u.wait("Fetching…")
	time.Sleep(3 * spinnerDelay)
	u.done()
	if !strings.Contains(out.String(), "| Fetching…") || !strings.HasSuffix(out.String(), clearLine) {
		t.Errorf("%q", out.String())
	}
}

func TestALineThatDoesNotFitIsNotRedrawn(t *testing.T) {
	var out bytes.Buffer
	u := newUI(&out, true, columns(20), env())
	u.wait("Waiting for the browser…")
	u.done()
	if out.String() != "Waiting for the\nbrowser…\n" {
		t.Errorf("%q", out.String())
	}
}

func TestQuietSaysWhatMustBeKnown(t *testing.T) {
	var out bytes.Buffer
	u := newUI(&out, false, columns(0), env())
	u.quiet = true
	u.remark("removed it")
	u.wait("Fetching…")
	u.done()
	u.notice("revoked it")
	u.notice("warning: careful")
	u.say("the URL")
	if out.String() != "warning: careful\nthe URL\n" {
		t.Errorf("%q", out.String())
	}
}

func TestTheLineForSSH(t *testing.T) {
	for connection, want := range map[string]string{
		"192.0.2.7 50000 192.0.2.1 22":       "@192.0.2.1",
		"2001:db8::7 50000 2001:db8::1 2222": "@2001:db8::1",
	} {
		line := sshLine(env("SSH_CONNECTION=" + connection))
		if !strings.HasPrefix(line, "ssh -L 53682:localhost:53682 ") || !strings.HasSuffix(line, want) || strings.Contains(line, "-p 2222") != strings.HasSuffix(connection, "2222") {
			t.Errorf("%q: %q", connection, line)
		}
	}
	if line := sshLine(env("SSH_CONNECTION=\x1b[2J x")); strings.Contains(line, "\x1b") || strings.Contains(line, "x ") {
		t.Errorf("%q", line)
	}
}
