package doctor

import (
	"strings"
	"testing"
)

func redacted(text, home string) string {
	r := Report{Findings: []Finding{{What: text, Advice: text, Remedy: text}}}
	r.Redact(home)
	return r.Findings[0].What
}

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"/home/me/.cre is here":               "~/.cre is here",
		"/home/me":                            "~",
		"/home/me2/.cre, file:///home/me.":    "/home/me2/.cre, file://~.",
		"'/home/me/it'\\''s'":                 "'~/it'\\''s'",
		"for first.last+tag@domain.co.uk:":    "for [e-mail address]:",
		"https://me:secret@host.example/path": "https://[hidden]@host.example/path",
		"https://me%40domain.com@host":        "https://[hidden]@host",
		"me%40domain.com":                     "[e-mail address]",
		"key eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4In0.c2ln end": "key [hidden] end",
		"set are CRE_CLI_AUTH_BASE, XDG_RUNTIME_DIR":                        "set are CRE_CLI_AUTH_BASE, XDG_RUNTIME_DIR",
	} {
		if got := redacted(text, "/home/me"); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := redacted("/etc/x", "/"); got != "/etc/x" {
		t.Errorf("a home of / made it %q", got)
	}
}

// FuzzRedact holds that an address is hidden whatever is around it.
func FuzzRedact(f *testing.F) {
	f.Add("before ", " after")
	f.Add("https://", ":x@y")
	f.Add("a@", "@b")
	f.Add("://", "")
	f.Fuzz(func(t *testing.T, before, after string) {
		const address = "somebody@example.org"
		if got := redacted(before+address+after, "/home/me"); strings.Contains(got, address) {
			t.Errorf("%q, %q: %q", before, after, got)
		}
	})
}
