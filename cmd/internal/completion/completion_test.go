package completion

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// example is a program with everything that can be completed.
func example() Program {
	output := Flag{Name: "output", Short: "o", Usage: "where to", Value: "FILE"}
	return Program{
		Root: Command{
			Commands: []Command{
				{Name: "login", Usage: "log in", Flags: []Flag{{Name: "no-browser", Usage: "none"}, {Name: "to", Value: "keychain|file"}, {Name: "host", Value: "HOST"}}},
				{Name: "logout", Usage: "log out"},
				{Name: "look", Arguments: "near|far"},
				{Name: "work", Commands: []Command{{Name: "do", Files: true, Flags: []Flag{output, {Name: "env", Short: "e", Value: "FILE"}}}}},
			},
			Flags: []Flag{{Name: "verbose", Short: "v", Usage: "say more"}},
		},
		Anywhere: []Flag{{Name: "env", Short: "e", Value: "FILE"}, {Name: "target", Short: "T", Value: "NAME"}, {Name: "verbose", Short: "v"}},
	}
}

func TestWhatMayComeNext(t *testing.T) {
	for line, want := range map[string]string{ // of candidates; "files" for files
		"":                      "login logout look work",
		"log":                   "login logout",
		"login":                 "login",
		"x":                     "",
		"x ":                    "",
		"login ":                "--no-browser --to --host", // there are no arguments
		"login x":               "",
		"login -":               "--no-browser --to --host",
		"login --no":            "--no-browser",
		"login x --no":          "--no-browser",
		"login --to ":           "keychain file",
		"login --to f":          "file",
		"login --to=":           "keychain file",
		"login --to=k":          "keychain",
		"login --to k -":        "--no-browser --to --host",
		"login --to -":          "",
		"login --host ":         "",
		"login --host=":         "",
		"login --no-browser=":   "",
		"login --unknown=":      "",
		"login --unknown ":      "--no-browser --to --host",
		"login -- -":            "",
		"login -- ":             "",
		"look ":                 "near far",
		"look n":                "near",
		"look near ":            "near far", // there may be several
		"look -- f":             "far",
		"work ":                 "do",
		"work do ":              "files",
		"work do x ":            "files",
		"work do -- -":          "files",
		"work do -o ":           "files",
		"work do --output ":     "files",
		"work do --output=x":    "files",
		"work do -o=x":          "files",
		"work do -":             "--output -o --env -e",
		"work do --":            "--output --env",
		"-":                     "--verbose -v",
		"--":                    "--verbose",
		"-v log":                "login logout",
		"-T login ":             "login logout look work", // the target
		"-vT login ":            "login logout look work",
		"-Tx login --no":        "--no-browser",
		"-T=x login --no":       "--no-browser",
		"--target=x login --no": "--no-browser",
		"--target x login --no": "--no-browser",
		"login --target ":       "",
		"login -e ":             "files",
		"-x login --no":         "--no-browser",
		"login logout":          "",
		"- login ":              "",
	} {
		answer := example().Complete(strings.Split(line, " "))
		var got []string
		for _, c := range answer.Candidates {
			got = append(got, c.Text)
		}
		if answer.Files {
			got = append(got, "files")
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestNoWordsAreAnEmptyOne(t *testing.T) {
	if got := example().Complete(nil); len(got.Candidates) != 4 {
		t.Errorf("%+v", got)
	}
}

func TestTheAnswerIsCobras(t *testing.T) {
	answer := Answer{Candidates: []Candidate{{"login", "log\n in\t"}, {"x", ""}}}
	for want, write := range map[string]func(*strings.Builder) error{
		"login\tlog in\nx\n:4\n": func(w *strings.Builder) error { return answer.Write(w, true) },
		"login\nx\n:4\n":         func(w *strings.Builder) error { return answer.Write(w, false) },
		":0\n":                   func(w *strings.Builder) error { return Answer{Files: true}.Write(w, true) },
	} {
		var text strings.Builder
		if err := write(&text); err != nil || text.String() != want {
			t.Errorf("%q, %v, want %q", text.String(), err, want)
		}
	}
	if err := answer.Write(closed{}, true); !errors.Is(err, errClosed) {
		t.Errorf("error %v", err)
	}
}

var errClosed = errors.New("closed")

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errClosed }

func TestEveryShellHasAScriptThatAsksUs(t *testing.T) {
	for _, shell := range Shells() {
		script, err := shell.Script()
		if err != nil || !strings.Contains(script, "__complete") || !strings.Contains(script, "cre") {
			t.Errorf("%s: %v\n%s", shell.Name, err, script)
		}
		for _, forbidden := range []string{"eval ", "Invoke-Expression", "\r"} {
			if strings.Contains(script, forbidden) {
				t.Errorf("%s: %q", shell.Name, forbidden)
			}
		}
	}
}

// FuzzComplete: whatever is on the line, each candidate goes on with what is
// typed, and the line's words stay as they are.
func FuzzComplete(f *testing.F) {
	for _, seed := range []string{"", "login\x00--", "-vT\x00x\x00work\x00do\x00-o=", "--\x00-", "login\x00--to=f", "-\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := strings.Split(text, "\x00")
		before := slices.Clone(words)
		answer := example().Complete(words)
		if !slices.Equal(words, before) {
			t.Fatalf("%q became %q", before, words)
		}
		typed := words[len(words)-1]
		_, value, _ := strings.Cut(typed, "=")
		for _, c := range answer.Candidates {
			if !strings.HasPrefix(c.Text, typed) && !strings.HasPrefix(c.Text, value) {
				t.Fatalf("%q: %q", words, c.Text)
			}
		}
	})
}
