package official

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joho/godotenv"
)

// write puts files into a new folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheEnvironmentIsTheOneThatTheOfficialCLIComputes(t *testing.T) {
	env := []string{"A=process", "B=process", "CRE_API_KEY=old", "A=last"}
	for name, c := range map[string]struct {
		files map[string]string
		args  string
		want  map[string]string // variable: value, then @file
	}{
		"no file":               {want: map[string]string{"A": "last@", "B": "process@", "C": "@"}},
		"the usual file":        {map[string]string{".env": "A=file\nC=new"}, "", map[string]string{"A": "file@.env", "C": "new@.env", "B": "process@"}},
		"the public one wins":   {map[string]string{".env": "A=1\nC=2", ".env.public": "A=3"}, "", map[string]string{"A": "3@.env.public", "C": "2@.env"}},
		"the named one":         {map[string]string{".env": "A=1", "x": "A=2"}, "-e x", map[string]string{"A": "2@x"}},
		"the last named one":    {map[string]string{"y": "A=1", "x": "A=2"}, "-e x -vey", map[string]string{"A": "1@y"}},
		"a named one is absent": {map[string]string{".env": "A=1"}, "-e x", map[string]string{"A": "last@"}},
		"empty means usual":     {map[string]string{".env": "A=1"}, "-e x --env=", map[string]string{"A": "1@.env"}},
		"a public one named":    {map[string]string{".env": "A=1", "p": "A=2"}, "-E p", map[string]string{"A": "2@p"}},
		"an empty value":        {map[string]string{".env": "CRE_API_KEY="}, "", map[string]string{"CRE_API_KEY": "@.env"}},
		"a reference":           {map[string]string{".env": "CRE_API_KEY=op://vault/key"}, "", map[string]string{"CRE_API_KEY": "old@"}},
		"quotes and comments":   {map[string]string{".env": "# x\nexport A = 'q # x' \nB: \"two\\nlines\" # y\n"}, "", map[string]string{"A": "q # x@.env", "B": "two\nlines@.env"}},
		"references to others":  {map[string]string{".env": "X=1\nA=${X}2$B\n"}, "", map[string]string{"A": "12@.env"}},
		"a damaged file":        {map[string]string{".env": "A=1\nB=\"open\n", ".env.public": "B=2"}, "", map[string]string{"A": "last@", "B": "2@.env.public"}},
		"what can't be set":     {map[string]string{".env": "A=\x00\nB=2"}, "", map[string]string{"A": "last@", "B": "2@.env"}},
		"a folder of that name": {map[string]string{".env/A": "A=1"}, "", map[string]string{"A": "last@"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, c.files)
			f, err := Environ(Parse(strings.Fields("workflow list "+c.args)), env, dir)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range c.want {
				value, file := f.Lookup(name)
				if got := value + "@" + strings.TrimPrefix(file, dir+string(filepath.Separator)); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
				if f.Getenv(name) != value {
					t.Errorf("%s: %q", name, f.Getenv(name))
				}
			}
		})
	}
}

func TestAFileThatSaysWhereTokensGoIsRefused(t *testing.T) {
	names := append(forbidden(), "CRE_CREDENTIAL_HELPER", "CRE_CREDENTIAL_ANYTHING")
	for _, name := range names {
		for _, assignment := range []string{"%s=x", "export %s=x", "%s: x", " %s = ''", "%s=", "%s=op://a/b", "%s=\"two\nlines\""} {
			text := "# a\r\nA='1\n2'\n" + strings.ReplaceAll(assignment, "%s", name) + "\n"
			dir := write(t, map[string]string{".env": text})
			_, err := Environ(Line{}, nil, dir)
			want := filepath.Join(dir, ".env") + ":4 sets " + name + ","
			if !errors.Is(err, ErrEnvFile) || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", text, err, want)
			}
		}
	}
	for _, line := range []string{"-e f", "-E f", "--env=f"} {
		dir := write(t, map[string]string{"f": "CRE_CLI_ENV=STAGING"})
		if _, err := Environ(Parse(strings.Fields("workflow list "+line)), nil, dir); !errors.Is(err, ErrEnvFile) {
			t.Errorf("%s: %v", line, err)
		}
	}
	dir := write(t, map[string]string{".env": "CRE_CLI_ENV=STAGING\nA=\"open\n"})
	if _, err := Environ(Line{}, nil, dir); !errors.Is(err, ErrEnvFile) {
		t.Errorf("in a damaged file: %v", err)
	}
	dir = write(t, map[string]string{".env": "MY_HOME=x\nHOMES=x\nXCRE_CREDENTIAL_HELPER=x\nCRE_TARGET=x\n#HOME=x\nA='\nHOME=x'\n"})
	if _, err := Environ(Line{}, nil, dir); err != nil {
		t.Errorf("names that only look like it: %v", err)
	}
}

func TestAKeyFromAFileThatNobodyNamedIsNoticed(t *testing.T) {
	const key = "secret-key"
	files := map[string]string{".env": "CRE_API_KEY=" + key, "empty": "CRE_API_KEY="}
	for args, want := range map[string]bool{"": true, "-e .env": false, "-E empty": false} {
		dir := write(t, files)
		f, err := Environ(Parse(strings.Fields("workflow list "+args)), nil, dir)
		if err != nil {
			t.Fatal(err)
		}
		notice := f.KeyNotice()
		if (notice != "") != want || want && !strings.Contains(notice, filepath.Join(dir, ".env")) || strings.Contains(notice, key) {
			t.Errorf("%q: %q", args, notice)
		}
	}
	f, err := Environ(Line{}, []string{"CRE_API_KEY=" + key}, t.TempDir())
	if err != nil || f.KeyNotice() != "" {
		t.Errorf("from the process's environment: %q, %v", f.KeyNotice(), err)
	}
}

// TestWhatAFileSetsInVainIsNoticed: an account that is chosen in one would else be
// ignored in silence.
func TestWhatAFileSetsInVainIsNoticed(t *testing.T) {
	for text, want := range map[string]string{
		"CRE_ACCOUNT=a@x":                     " sets CRE_ACCOUNT, which is read from the shell's environment alone: set it there",
		"CRE_ACCOUNT=a@x\nCRE_API_KEY_FILE=k": " sets CRE_ACCOUNT, CRE_API_KEY_FILE, which",
		"CRE_ACCOUNT=":                        "",
		"CRE_ACCOUNTS=a@x":                    "",
	} {
		f, err := Environ(Line{}, nil, write(t, map[string]string{".env": text}))
		said := strings.Join(f.Notices, "\n")
		if err != nil || want == "" && said != "" || !strings.Contains(said, want) || strings.Contains(said, "a@x") {
			t.Errorf("%q: %q, %v", text, said, err)
		}
	}
}

func TestFilesInTheFoldersAboveAreOnlyWarnedAbout(t *testing.T) {
	dir := write(t, map[string]string{
		".env":        "CRE_API_KEY=secret\nCRE_CLI_ENV=STAGING\nOTHER=x\n",
		".env.public": "OTHER=x\n",
		"a/b/c/.keep": "",
	})
	f, err := Environ(Line{}, nil, filepath.Join(dir, "a", "b", "c"))
	if err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, ".env") + " sets CRE_API_KEY, CRE_CLI_ENV:"
	if len(f.Notices) != 1 || !strings.HasPrefix(f.Notices[0], want) || strings.Contains(f.Notices[0], "secret") {
		t.Errorf("%q, want %q", f.Notices, want)
	}
	if f.Getenv("CRE_API_KEY") != "" {
		t.Error("it was used")
	}
	near := write(t, map[string]string{".env": "HOME=/x", "a/.env": "B=1"})
	if f, err := Environ(Line{}, nil, filepath.Join(near, "a")); err != nil || len(f.Notices) > 0 {
		t.Errorf("where one is here: %q, %v", f.Notices, err)
	}
}

func TestFilesOfAnySizeTakeBoundedTime(t *testing.T) {
	grows := "A=0123456789abcdef\n" + strings.Repeat("A=$A$A$A$A\n", 60)
	for name, c := range map[string]struct {
		text    string
		refused bool
	}{
		"too large":               {strings.Repeat("#\n", maxFile/2) + "#", true},
		"nothing but comments":    {strings.Repeat("#\n", maxFile/2), false},
		"nothing but assignments": {strings.Repeat("A=\n", maxFile/3), false},
		"one long line":           {"A=" + strings.Repeat("x", maxFile-2), false},
		"no end of a quote":       {"A=\"" + strings.Repeat("x\\\"", maxFile/4), false},
		"dollars":                 {"A=" + strings.Repeat("$", maxFile/32), false},
		"variables that grow":     {grows, true},
		"no sign":                 {strings.Repeat("A", maxFile), false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Environ(Line{}, nil, write(t, map[string]string{".env": c.text}))
			if errors.Is(err, ErrEnvFile) != c.refused || !c.refused && err != nil {
				t.Error(err)
			}
		})
	}
}

// FuzzEnvFile compares with the library that the official CLI uses: the scan
// sees every name that it sets, and bounds what it makes of it.
func FuzzEnvFile(f *testing.F) {
	for _, seed := range []string{
		"A=1\nexport B='2'\n#c\nC: \"$A\\n\" # x", "A=1\r\nA=$A$A\rB=2", "A=\"\\\"\"B=2", "export=1\nexport export =x", "A\n=1", "A==", "=x", "A",
		"A='$A\nHOME=1'\nHOME=2", "\u00a0A\u0085=1", "A=\xa0\x85\nB=2", "A=${A}$(B)\\$C$", "B=x\nA=$B\\$B\\\\$B", "CRE_CLI_ENV =x",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64<<10 {
			return
		}
		statements := scan(data)
		bound := grown(statements)
		if bound > maxExpanded {
			return
		}
		values, err := godotenv.UnmarshalBytes(data)
		names, total, last := map[string]bool{}, 0, 1
		for _, s := range statements {
			if s.line < last || s.line > 1+strings.Count(string(data), "\n") {
				t.Fatalf("%q: line %d after %d", data, s.line, last)
			}
			names[s.name], last = true, s.line
		}
		for name, value := range values {
			if total += len(value); !names[name] {
				t.Fatalf("%q: %q isn't seen in %+v", data, name, statements)
			}
		}
		if total > 3*bound { // a byte that is no UTF-8 becomes three
			t.Fatalf("%q: %d bytes, bound %d", data, total, bound)
		}
		if err == nil && len(values) != len(names) {
			t.Fatalf("%q: %q, but %+v", data, values, statements)
		}
	})
}

func ExampleEnviron() {
	f, err := Environ(Parse([]string{"workflow", "list"}), []string{"CRE_CLI_ENV=STAGING"}, "/nowhere/at/all")
	fmt.Println(f.Getenv("CRE_CLI_ENV"), err)
	// Output: STAGING <nil>
}
