package fallback

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"cre-credential-helper/fallback/internal/guarded"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

const (
	fiveKeys = "AccessToken: acc.ess.token\nIDToken: id.tok.en\nRefreshToken: v1.refresh\nExpiresIn: 86400\nTokenType: Bearer\n"
	pointer  = pointerComment + "\nKeychain:\n  - https://api.cre.chain.link\n"

	standIn     = plain.StandInPrefix + "eyJleHAiOjQxMDI0NDQ4MDB9.cmFuZG9t"
	standInLine = "AccessToken: " + standIn + "\n"
)

var noFile = File{}

func tokens() Tokens {
	return Tokens{
		Access:    helper.NewSecret("acc.ess.token"),
		ID:        helper.NewSecret("id.tok.en"),
		Refresh:   helper.NewSecret("v1.refresh"),
		ExpiresIn: 86400,
		Type:      "Bearer",
	}
}

// tempDir is t.TempDir for Wine, too, which lacks the call that os.RemoveAll
// makes on Windows.
func tempDir(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "windows" {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("", "fallback")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := removeTree(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if entry.IsDir() {
			err = errors.Join(err, removeTree(path))
		} else {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return errors.Join(err, os.Remove(dir))
}

// newDir returns a directory that doesn't exist yet.
func newDir(t *testing.T) Dir {
	t.Helper()
	return Open(filepath.Join(tempDir(t), ".cre"))
}

// plant puts a file into d as somebody else would have left it.
func plant(t *testing.T, d Dir, name, content string) {
	t.Helper()
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.file(name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, d Dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(d.file(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func names(t *testing.T, d Dir) []string {
	t.Helper()
	entries, err := os.ReadDir(d.path)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

// overwrite makes cre.yaml say f, whatever it says.
func overwrite(d Dir, f File) error {
	old, _ := d.ReadSession() // damaged or unsafe, it is there to be replaced
	_, err := d.ReplaceSession(old, f)
	return err
}

// pointing is a pointer with a stand-in.
func pointing(standIn string) File {
	return File{Keychain: []string{"https://api.cre.chain.link"}, StandIn: helper.NewSecret(standIn)}
}

// diff says in what two files differ, "" if in nothing.
func diff(a, b File) string {
	switch {
	case keysOf(a.Tokens) != keysOf(b.Tokens):
		return fmt.Sprintf("tokens %+v and %+v", keysOf(a.Tokens), keysOf(b.Tokens))
	case a.Details != b.Details:
		return fmt.Sprintf("details %+v and %+v", a.Details, b.Details)
	case !slices.Equal(a.Keychain, b.Keychain):
		return fmt.Sprintf("keychain %q and %q", a.Keychain, b.Keychain)
	case !a.StandIn.Equal(b.StandIn):
		return fmt.Sprintf("stand-in %q and %q", a.StandIn.Reveal(), b.StandIn.Reveal())
	case !slices.EqualFunc(a.unknown, b.unknown, sameNode):
		return "unknown keys"
	}
	return ""
}

func sameNode(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.ShortTag() == b.ShortTag() && a.Value == b.Value &&
		slices.EqualFunc(a.Content, b.Content, sameNode)
}

func TestSessionBytes(t *testing.T) {
	for _, tt := range []struct {
		name string
		file File
		want string
	}{
		{"tokens are exactly the five documented lines", File{Tokens: tokens()}, fiveKeys},
		{
			"an absent ID token is an empty one",
			File{Tokens: Tokens{Access: helper.NewSecret("a"), Refresh: helper.NewSecret("r"), ExpiresIn: 5, Type: "Bearer"}},
			"AccessToken: a\nIDToken: \"\"\nRefreshToken: r\nExpiresIn: 5\nTokenType: Bearer\n",
		},
		{
			"tokens that look like something else are quoted",
			File{Tokens: Tokens{Access: helper.NewSecret("1e5"), ID: helper.NewSecret("yes"), Refresh: helper.NewSecret("0123"), Type: "~"}},
			"AccessToken: \"1e5\"\nIDToken: \"yes\"\nRefreshToken: \"0123\"\nExpiresIn: 0\nTokenType: \"~\"\n",
		},
		{"a pointer has none of the five keys", File{Keychain: []string{"https://api.cre.chain.link"}}, pointer},
		{"a stand-in comes before its pointer", pointing(standIn), standInComment + "\n" + standInLine + pointer},
		{"tokens and a pointer", File{Tokens: tokens(), Keychain: []string{"https://api.cre.chain.link"}}, fiveKeys + pointer},
		{
			"long tokens are not folded",
			File{Tokens: Tokens{Access: helper.NewSecret(strings.Repeat("word ", 2000) + "x")}},
			"AccessToken: " + strings.Repeat("word ", 2000) + "x\nIDToken: \"\"\nRefreshToken: \"\"\nExpiresIn: 0\nTokenType: \"\"\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t)
			if err := overwrite(d, tt.file); err != nil {
				t.Fatal(err)
			}
			if got := content(t, d, sessionName); got != tt.want {
				t.Errorf("wrote\n%s\nwant\n%s", got, tt.want)
			}
			got, err := d.ReadSession()
			if err != nil {
				t.Fatal(err)
			}
			if what := diff(got, tt.file); what != "" {
				t.Errorf("read back differs: %s", what)
			}
		})
	}
}

func TestOfficialReaderTakesWhatIsWritten(t *testing.T) {
	type official struct {
		AccessToken  string `yaml:"AccessToken"`
		IDToken      string `yaml:"IDToken"`
		RefreshToken string `yaml:"RefreshToken"`
		ExpiresIn    int    `yaml:"ExpiresIn"`
		TokenType    string `yaml:"TokenType"`
	}
	for _, tt := range []struct {
		name string
		file File
		want official
	}{
		{"tokens", File{Tokens: tokens()}, official{"acc.ess.token", "id.tok.en", "v1.refresh", 86400, "Bearer"}},
		{"a pointer is no token", File{Keychain: []string{"https://a.example"}}, official{}},
		{"a stand-in is one", pointing(standIn), official{AccessToken: standIn}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, err := tt.file.encode()
			if err != nil {
				t.Fatal(err)
			}
			var got official
			if err := yaml.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestReadSession(t *testing.T) {
	accessOnly := File{Tokens: Tokens{Access: helper.NewSecret("a")}}
	for _, tt := range []struct {
		name, content string
		want          File
	}{
		{"the official CLI's file", fiveKeys, File{Tokens: tokens()}},
		{"an empty file", "", noFile},
		{"a file of comments", "# nothing\n", noFile},
		{"an empty document", "---\n", noFile},
		{"keys without values", "AccessToken:\nIDToken: ~\nExpiresIn:\nKeychain:\n", noFile},
		{"missing keys", "AccessToken: a\n", accessOnly},
		{"CRLF line ends", strings.ReplaceAll(fiveKeys, "\n", "\r\n"), File{Tokens: tokens()}},
		{"a byte order mark", "\ufeff" + fiveKeys, File{Tokens: tokens()}},
		{"JSON", `{"AccessToken": "a", "ExpiresIn": 0}`, accessOnly},
		{"a pointer in flow style", "Keychain: [https://a.example, https://b.example]", File{Keychain: []string{"https://a.example", "https://b.example"}}},
		{"a stand-in", standInLine + pointer, pointing(standIn)},
		{"a stand-in after its pointer, quoted", pointer + "AccessToken: '" + standIn + "'\nTokenType: Bearer\nExpiresIn: 1\n", pointing(standIn)},
		{"a stand-in without a pointer", standInLine, noFile},
		{"a stand-in beside a refresh token", standInLine + "RefreshToken: r\n" + pointer,
			File{Tokens: Tokens{Refresh: helper.NewSecret("r")}, Keychain: []string{"https://api.cre.chain.link"}}},
		{"a stand-in with a sixth key", standInLine + "Session: {access_sha256: " + digest(helper.NewSecret(standIn)) + ", username: u}\n" + pointer, pointing(standIn)},
		{"a token with a stand-in within", "AccessToken: x" + standIn + "\n" + pointer,
			File{Tokens: Tokens{Access: helper.NewSecret("x" + standIn)}, Keychain: []string{"https://api.cre.chain.link"}}},
		{"both", fiveKeys + pointer, File{Tokens: tokens(), Keychain: []string{"https://api.cre.chain.link"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t)
			plant(t, d, sessionName, tt.content)
			got, err := d.ReadSession()
			if err != nil {
				t.Fatal(err)
			}
			if what := diff(got, tt.want); what != "" {
				t.Errorf("got a file that differs: %s", what)
			}
			if got.Tokens.ID.IsSet() && got.Tokens.ID.Reveal() == "" {
				t.Error("an empty secret is set")
			}
		})
	}
}

func TestReadSessionWithoutFile(t *testing.T) {
	d := newDir(t)
	got, err := d.ReadSession()
	if err != nil || diff(got, noFile) != "" {
		t.Errorf("without a directory: %v", err)
	}
	if _, err := os.Lstat(d.path); err == nil {
		t.Error("reading made the directory")
	}
}

const bomb = `a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]
f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]
g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f]
`

var damage = []struct{ name, content string }{
	{"not YAML", "AccessToken: [hunter2"},
	{"a tab for an indentation", "a:\n\thunter2: 1\n"},
	{"an undefined alias", "AccessToken: *hunter2\n"},
	{"bytes that are no text", "AccessToken: \xff\xfehunter2\n"},
	{"a NUL", "AccessToken: hunter2\x00\n"},
	{"a scalar", "hunter2\n"},
	{"a sequence", "- hunter2\n"},
	{"two documents", "AccessToken: hunter2\n---\nAccessToken: hunter2\n"},
	{"a key twice", "hunter2: a\nhunter2: b\n"},
	{"a key that isn't text", "[hunter2]: a\n"},
	{"an anchor", "a: &hunter2 b\n"},
	{"an alias bomb", bomb},
	{"a merged mapping", "<<: {AccessToken: hunter2}\n"},
	{"more than 1 MiB", "# hunter2" + strings.Repeat(" ", guarded.MaxSize)},
}

var sessionDamage = append([]struct{ name, content string }{
	{"a number for a token", "AccessToken: 31337\n"},
	{"binary for a token", "AccessToken: !!binary aHVudGVyMg==\n"},
	{"a list for a token", "RefreshToken: [hunter2]\n"},
	{"text for a number", "ExpiresIn: hunter2\n"},
	{"a fraction of a second", "ExpiresIn: 1.5\n"},
	{"too many seconds", "ExpiresIn: 31337313373133731337\n"},
	{"text for the pointer", "Keychain: hunter2\n"},
	{"numbers in the pointer", "Keychain: [31337]\n"},
	{"text for the details", "Session: hunter2\n"},
	{"a list for the details", "Session: [hunter2]\n"},
	{"a number in the details", "Session: {username: 31337}\n"},
	{"a number for the details' digest", "Session: {access_sha256: 31337}\n"},
	{"a mapping in the details", "Session: {client_id: {a: hunter2}}\n"},
	{"a key of the details twice", "Session: {hunter2: a, hunter2: b}\n"},
	{"text for a time", "Session: {issued: hunter2}\n"},
	{"a date for a time", "Session: {expires: 2026-01-02}\n"},
	{"a time in another zone", "Session: {expires: \"2026-01-02T03:04:05+01:00\"}\n"},
	{"a number for a time", "Session: {expires: 31337}\n"},
	{"a list for a time", "Session: {expires: [hunter2]}\n"},
}, damage...)

func checkDamaged(t *testing.T, err error, path string) {
	t.Helper()
	if !errors.Is(err, ErrDamaged) {
		t.Fatalf("got %v, want ErrDamaged", err)
	}
	for _, want := range []string{path, "cre login", "cre logout"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q doesn't name %s", err, want)
		}
	}
	for _, leak := range []string{"hunter2", "31337", "\n"} {
		if strings.Contains(err.Error(), leak) {
			t.Errorf("%q holds %q", err, leak)
		}
	}
}

func TestDamagedSession(t *testing.T) {
	for _, tt := range sessionDamage {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t)
			plant(t, d, sessionName, tt.content)
			_, err := d.ReadSession()
			checkDamaged(t, err, d.SessionPath())

			if err := overwrite(d, File{Tokens: tokens()}); err != nil {
				t.Errorf("writing over it: %v", err)
			}
			if got := content(t, d, sessionName); got != fiveKeys {
				t.Errorf("writing over it left %q", got)
			}
			plant(t, d, sessionName, tt.content)
			if err := overwrite(d, File{}); err != nil {
				t.Errorf("removing it: %v", err)
			}
			if left := names(t, d); len(left) > 0 {
				t.Errorf("removing it left %q", left)
			}
		})
	}
}

func TestUnknownKeysAreKept(t *testing.T) {
	const unknown = "zebra: 1\nApple:\n  - {b: 1, a: !own \"2\"}\n  - \"two\\nlines\"\nbig: 18446744073709551615\n\"on\": 2026-01-02\n"
	d := newDir(t)
	plant(t, d, sessionName, "# a comment\nzebra: 1 # first\nTokenType: x\n"+strings.TrimPrefix(unknown, "zebra: 1\n"))
	f, err := d.ReadSession()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		file File
		want string
	}{
		{File{Tokens: tokens(), unknown: f.unknown}, fiveKeys + unknown},
		{File{Keychain: []string{"https://api.cre.chain.link"}, unknown: f.unknown}, pointer + unknown},
		{File{unknown: f.unknown}, unknown},
	} {
		if err := overwrite(d, step.file); err != nil {
			t.Fatal(err)
		}
		if got := content(t, d, sessionName); got != step.want {
			t.Errorf("wrote\n%s\nwant\n%s", got, step.want)
		}
	}
}

func TestEmptySessionIsNoFile(t *testing.T) {
	for _, f := range []File{{}, {Tokens: Tokens{Access: helper.NewSecret("")}}, {Keychain: []string{}}, {StandIn: helper.NewSecret(standIn)}} {
		d := newDir(t)
		plant(t, d, sessionName, fiveKeys)
		if err := overwrite(d, f); err != nil {
			t.Fatal(err)
		}
		if left := names(t, d); len(left) > 0 {
			t.Errorf("left %q", left)
		}
	}
}

func TestReplaceSessionRefusesWhatReadWould(t *testing.T) {
	for _, tt := range []struct{ name, token string }{
		{"bytes that are no text", "hunter2\xff"},
		{"more than 1 MiB", "hunter2" + strings.Repeat("x", guarded.MaxSize)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t)
			plant(t, d, sessionName, fiveKeys)
			err := overwrite(d, File{Tokens: Tokens{Access: helper.NewSecret(tt.token)}})
			if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), d.SessionPath()) {
				t.Errorf("got error %v", err)
			}
			if got := content(t, d, sessionName); got != fiveKeys {
				t.Errorf("the old session became %q", got)
			}
		})
	}
}

// TestAStandInAndATokenTakeNotEachOthersPlace holds that no caller's mistake makes
// a token of a stand-in, or the other way round.
func TestAStandInAndATokenTakeNotEachOthersPlace(t *testing.T) {
	for name, f := range map[string]File{
		"a stand-in for a token": {Tokens: Tokens{Access: helper.NewSecret(standIn), Refresh: helper.NewSecret("r")}},
		"a token for a stand-in": pointing("acc.ess.token"),
		"nothing for a stand-in": pointing(""),
	} {
		d := newDir(t)
		if err := overwrite(d, f); !errors.Is(err, errStandIn) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := newDir(t)
	f := pointing(standIn)
	f.Tokens = tokens()
	if err := overwrite(d, f); err != nil || content(t, d, sessionName) != fiveKeys+pointer {
		t.Errorf("tokens beside a stand-in: %v, wrote\n%s", err, content(t, d, sessionName))
	}
}

func FuzzSession(f *testing.F) {
	for _, seed := range sessionDamage {
		if len(seed.content) < 1<<10 {
			f.Add([]byte(seed.content))
		}
	}
	f.Add([]byte(fiveKeys + pointer))
	f.Add([]byte(standInLine + pointer))
	f.Add([]byte(standInLine + "RefreshToken: r\nExpiresIn: 1\n" + detailLines + pointer))
	f.Add([]byte(fiveKeys + detailLines + pointer))
	f.Add([]byte("\ufeffa: |\n  b\n c: !x {d: [1, ~]}\n"))
	f.Add([]byte("a: \"\\n \\t\\u2028\"\nb: >-\n\n   c\n\n"))
	f.Add([]byte("A: [{0}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := parseSession(data)
		if err != nil {
			return
		}
		written, err := first.encode()
		if err != nil {
			t.Fatalf("what parsed can't be written: %v", err)
		}
		second, err := parseSession(written)
		if err != nil {
			t.Fatal(err)
		}
		if what := diff(first, second); what != "" {
			t.Fatalf("written as\n%s\nwhich differs: %s", written, what)
		}
	})
}
