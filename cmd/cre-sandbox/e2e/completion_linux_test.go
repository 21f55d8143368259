package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cre-credential-helper/keyring/keyringtest"
)

// completingShell is a shell as somebody has set it up.
type completingShell struct {
	script  string            // of which shell
	argv    []string          // how it is started
	files   map[string]string // below HOME; SCRIPT stands for the script
	program string            // that has to be there besides; empty: none
}

const readyPrompt = "ready> "

var completingShells = map[string]completingShell{
	"bash alone": {
		script: "bash", argv: []string{"bash", "--rcfile", ".rc", "-i"},
		files: map[string]string{".rc": "PS1='" + readyPrompt + "'\neval \"$(cre completion bash)\"\n"},
	},
	"bash that lists at once": {
		script: "bash", argv: []string{"bash", "--rcfile", ".rc", "-i"},
		files: map[string]string{".rc": "PS1='" + readyPrompt + "'\nbind 'set show-all-if-ambiguous on'\neval \"$(cre completion bash)\"\n"},
	},
	"bash-completion": {
		script: "bash", argv: []string{"bash", "--rcfile", ".rc", "-i"}, program: "/usr/share/bash-completion/bash_completion",
		files: map[string]string{
			".rc": "PS1='" + readyPrompt + "'\nsource /usr/share/bash-completion/bash_completion\n",
			".local/share/bash-completion/completions/cre": "SCRIPT",
		},
	},
	"zsh, sourced": {
		script: "zsh", argv: []string{"zsh", "-d", "-i"},
		files: map[string]string{".zshrc": "PS1='" + readyPrompt + "'\nautoload -Uz compinit\ncompinit -u -D\nsource <(cre completion zsh)\n"},
	},
	"zsh, loaded": {
		script: "zsh", argv: []string{"zsh", "-d", "-i"},
		files: map[string]string{
			".zshrc":         "PS1='" + readyPrompt + "'\nfpath=(~/functions $fpath)\nautoload -Uz compinit\ncompinit -u -D\n",
			"functions/_cre": "SCRIPT",
		},
	},
	"fish": {
		script: "fish", argv: []string{"fish", "-i"},
		files: map[string]string{
			".config/fish/config.fish":          "function fish_prompt; printf '" + readyPrompt + "'; end\nfunction fish_greeting; end\n",
			".config/fish/completions/cre.fish": "SCRIPT",
		},
	},
}

// TestCompletionInEachShell presses the tab key as a person does.
func TestCompletionInEachShell(t *testing.T) {
	for name, shell := range completingShells {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			term, home := shell.start(t)
			for typed, want := range map[string]string{
				"cre who":                         "cre whoami",
				"cre completion po":               "cre completion powershell",
				"cre setup git --un":              "cre setup git --undo",
				"cre -R . workflow dep":           "cre -R . workflow deploy",
				"cre workflow deploy --owner":     "cre workflow deploy --owner-label",
				"cre workflow deploy my-fi":       "cre workflow deploy my-file.yaml",
				"cre workflow deploy -e my-fi":    "cre workflow deploy -e my-file.yaml",
				"cre execution list --status SU":  "cre execution list --status SUCCESS",
				"cre execution list --status=SU":  "cre execution list --status=SUCCESS",
				"cre workflow deploy --env=my-fi": "cre workflow deploy --env=my-file.yaml",
				"cre whoami my-fi":                "cre whoami my-fi", // takes no file
				"cre doctor keych":                "cre doctor keychain",
				"cre doctor clo":                  "cre doctor clock",
				"cre doctor git plat":             "cre doctor git platform",
				"cre frobni":                      "cre frobni",
			} {
				term.forget()
				// The line that it became is printed instead of run.
				term.typed(typed + "\t\x01echo @ \x05 @\r")
				term.await(printedLine)
				if got := regexp.MustCompile(printedLine).FindStringSubmatch(term.text())[1]; got != want {
					t.Errorf("%q became %q, want %q", typed, got, want)
				}
			}
			term.list("cre login --", "--no-browser +.*print the URL", "--help +.*show help")
			term.list("cre setup ", "docker +.*have docker", "official +.*name the")
			term.list("cre workflow li", "limits +.*limits of", "list +.*list workflows")
			if _, err := os.Stat(filepath.Join(home, "started")); err == nil {
				t.Error("completion has started something")
			}
		})
	}
}

const printedLine = `(?m)^@ (.*) @$`

// list has what may come next listed, and takes the line back.
func (term *line) list(typed string, want ...string) {
	term.m.Helper()
	term.forget()
	term.typed(typed + "\t\t")
	for _, pattern := range want {
		term.await(pattern)
	}
	term.clear()
}

// clear empties the line that is typed, and waits until the shell has done all.
func (term *line) clear() {
	term.m.Helper()
	term.typed("\x15echo @ done @\r")
	term.await(`(?m)^@ done @`)
}

// TestCompletionRunsNothing types what a shell would run if a script had it
// evaluated, on a machine where the helper and the official CLI leave a trace.
func TestCompletionRunsNothing(t *testing.T) {
	for name, shell := range completingShells {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			term, home := shell.start(t)
			for _, typed := range []string{
				"cre $(touch started) --", "cre `touch started` --", "cre login '$(touch started)' --", `cre workflow "$(touch started)" `,
				"cre workflow deploy --", "cre account ", "cre whoami --", "cre --env=$(touch started) wh",
			} {
				if shell.script == "fish" && strings.Contains(typed, "`") {
					continue // no command there
				}
				term.forget()
				term.typed(typed + "\t\t")
				term.clear()
			}
			if _, err := os.Stat(filepath.Join(home, "started")); err == nil {
				t.Error("completion has started something")
			}
		})
	}
}

// start sets the shell up in a new home, and starts it there.
func (s completingShell) start(t *testing.T) (term *line, home string) {
	t.Helper()
	keyringtest.Need(t, s.argv[0])
	if _, err := os.Stat(s.program); s.program != "" && err != nil {
		keyringtest.Need(t, s.program)
	}
	home = t.TempDir()
	script, err := exec.Command(filepath.Join(bin, "cre"), "completion", s.script).Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"my-file.yaml": "", "trace": "#!/bin/sh\n: > " + filepath.Join(home, "started") + "\n"}
	for name, text := range s.files {
		files[name] = strings.ReplaceAll(text, "SCRIPT", string(script))
	}
	for name, text := range files {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(s.argv[0], s.argv[1:]...)
	cmd.Dir = home
	cmd.Env = []string{
		"HOME=" + home, "PATH=" + bin + ":" + os.Getenv("PATH"), "TERM=xterm", "LC_ALL=C.UTF-8", "GORACE=" + noSleep,
		"CRE_CREDENTIAL_HELPER=" + filepath.Join(home, "trace"), "CRE_OFFICIAL_CLI=" + filepath.Join(home, "trace"),
	}
	m := &machine{T: t}
	term = &line{screen: m.onScreen(cmd)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the screen: %q", term.text())
		}
	})
	term.await(readyPrompt)
	return term, home
}

// line is a screen of which one command line is looked at, and what comes after it.
type line struct {
	*screen
	from int // where it begins
}

var escapeSequence = regexp.MustCompile("\x1b\\[[0-9;?<>=]*[a-zA-Z]|\x1b\\][^\x07\x1b]*(\x07|\x1b\\\\)|\x1b[()][A-Z0-9]|\x1b[=>78]|[\x00\x07\x0e\x0f\r]")

// text is what has been shown, without what steers the terminal.
func (term *line) text() string { return escapeSequence.ReplaceAllString(term.shown()[term.from:], "") }

// forget begins anew.
func (term *line) forget() { term.from = len(term.shown()) }

// await waits until what is shown matches.
func (term *line) await(pattern string) {
	term.m.Helper()
	want := regexp.MustCompile(pattern)
	term.m.until(pattern+" is shown", func() bool { return want.MatchString(term.text()) })
}
