package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func redactedOn(m Machine, text string, names ...string) string {
	r := Report{Findings: []Finding{{What: text, Advice: text, Remedy: text, names: names}}}
	r.Redact(m)
	return r.Findings[0].What
}

func redacted(text, home string) string {
	return redactedOn(Machine{Home: home, Getenv: func(string) string { return "" }}, text)
}

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"/home/me/.cre is here":               "~/.cre is here",
		"/home/me":                            "~",
		"/home/me2/.cre, file:///home/me.":    "/home/me2/.cre, file://~.",
		"'/home/me/it'\\''s'":                 "'~/it'\\''s'",
		"for first.last+tag@domain.co.uk:":    "for [e-mail address]:",
		`for "jane doe"@corp.example.`:        "for [e-mail address]",
		`for \"jane doe\"@corp.example.`:      `for [e-mail address]`,
		"for jane@[10.0.0.1]: no":             "for [e-mail address]: no",
		"for jane＠corp.example":               "for [e-mail address]",
		"for o'brien@corp.example":            "for [e-mail address]",
		`use 'o'\''brien@corp.example'`:       `use '[e-mail address]'`,
		"https://me:secret@host.example/path": "https://[hidden]@host.example/path",
		"https://me%40domain.com@host":        "https://[hidden]@host",
		"me%40domain.com":                     "[e-mail address]",
		"key eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4In0.c2ln end": "key [hidden] end",
		"key eyJhbGciOiJub25l end":                                     "key [hidden] end",
		"key AKIAIOSFODNN7EXAMPLE end":                                 "key [hidden] end",
		"key v1.MRjS0Zl0dd_abc end":                                    "key [hidden] end",
		"key Tr0ub4dor3andMore end":                                    "key [hidden] end",
		"set are CRE_CLI_AUTH_BASE, XDG_RUNTIME_DIR":                   "set are CRE_CLI_AUTH_BASE, XDG_RUNTIME_DIR",
		"of one version, v0.3.1-0.20261126225557-0f1b2718550b, v1.2.3": "of one version, v0.3.1-0.20261126225557-0f1b2718550b, v1.2.3",
		"cre, cre-credential-helper and cre-credential-net":            "cre, cre-credential-helper and cre-credential-net",
	} {
		if got := redacted(text, "/home/me"); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := redacted("/etc/x", "/"); got != "/etc/x" {
		t.Errorf("a home of / made it %q", got)
	}
}

func TestAHomeThatIsNamedByAnotherPathIsHidden(t *testing.T) {
	dir, err := os.MkdirTemp("", "home") // a short name, unlike a secret
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	home, link := filepath.Join(dir, "me"), filepath.Join(dir, "link")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(home, link); err != nil {
		t.Skip(err) // Windows, without the right to
	}
	for text, want := range map[string]string{
		link + "/.cre: no":                      "~/.cre: no",
		dir + "/me/../me/x":                     "~/x",
		dir + "/link/../link":                   "~",
		dir + "/other/x":                        dir + "/other/x",
		"'" + link + "/a' and " + home + "/b'c": "'~/a' and ~/b'c",
	} {
		if got := redacted(text, home); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestValuesAndAccountsAreHidden, whatever they look like.
func TestValuesAndAccountsAreHidden(t *testing.T) {
	long := strings.Repeat("hunter two ", 30)
	m := Machine{Home: "/home/me", Getenv: only(func(name string) string {
		return map[string]string{
			"CRE_ACCOUNT": "Jürgen", "CRE_API_KEY_FILE": "/nonexistent/it's hunter2", "CRE_CREDENTIAL_STORE": "file", "CRE_KEYRING_TIMEOUT": long,
			"CRE_CLI_GRAPHQL_URL": "https://api.corp.example/graphql", "CRE_CLI_ENV": "staging",
		}[name]
	}, notable()...)}
	for text, want := range map[string]string{
		"CRE_ACCOUNT is Jürgen, and":                               "CRE_ACCOUNT is [CRE_ACCOUNT], and",
		"there is no file /nonexistent/it's hunter2":               "there is no file [CRE_API_KEY_FILE]",
		`run rm '/nonexistent/it'\''s hunter2'`:                    "run rm '[CRE_API_KEY_FILE]'",
		"api.corp.example can be reached":                          "[CRE_CLI_GRAPHQL_URL] can be reached",
		"takes a duration such as 10s, not \"" + long[:40] + "…\"": "takes a duration such as 10s, not \"[CRE_KEYRING_TIMEOUT]…\"",
		"CRE_CREDENTIAL_STORE=file in STAGING, a file, staging":    "CRE_CREDENTIAL_STORE=file in STAGING, a file, staging",
		"also logged in: auth0|5f7c, plain":                        "also logged in: [account], [account]",
	} {
		if got := redactedOn(m, text, "auth0|5f7c", "plain"); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestAVariablesValueIsNotSaid in a finding, where it isn't one of those that it takes.
func TestAVariablesValueIsNotSaid(t *testing.T) {
	for _, name := range []string{"CRE_CREDENTIAL_STORE", "CRE_KEYRING_TIMEOUT", "CRE_CLI_ENV"} {
		for _, text := range []string{"hunter2", "it's \"quoted\"", strings.Repeat("hunter2", 20), "schlüssel\n2"} {
			d := newDesk(Machine{Home: t.TempDir(), WorkDir: t.TempDir(), Getenv: only(func(string) string { return text }, name)})
			found := d.environment(t.Context())
			if len(found) == 0 || found[0].Level != Problem || strings.Contains(found[0].What, text[:4]) || !strings.Contains(found[0].What, name) {
				t.Errorf("%s=%q: %+v", name, text, found)
			}
		}
	}
}

// FuzzRedact holds that an address is hidden whatever is around it.
func FuzzRedact(f *testing.F) {
	f.Add("before ", " after")
	f.Add("https://", ":x@y")
	f.Add("a@", "@b")
	f.Add("://", "")
	f.Add("\"", "\"@x")
	f.Fuzz(func(t *testing.T, before, after string) {
		const address = "somebody@example.org"
		if got := redacted(before+address+after, "/home/me"); strings.Contains(got, address) {
			t.Errorf("%q, %q: %q", before, after, got)
		}
	})
}
