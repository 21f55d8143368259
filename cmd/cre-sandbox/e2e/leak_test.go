//go:build unix

package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// witness reads along in what every command of every script writes.
type witness struct{ *testing.T }

// Run implements [testscript.T].
func (w witness) Run(name string, f func(testscript.T)) {
	w.T.Run(name, func(t *testing.T) { f(witness{t}) })
}

// Verbose implements [testscript.T]: else the log would leave out what
// succeeded.
func (w witness) Verbose() bool { return true }

// Log implements [testscript.T].
func (w witness) Log(args ...any) {
	w.Helper()
	w.T.Log(args...)
	for _, leak := range leaks(fmt.Sprint(args...)) {
		w.Errorf("a token shows in what is written by: %s", leak)
	}
}

var (
	stepStart    = regexp.MustCompile(`(?m)^> `)
	sectionStart = regexp.MustCompile(`(?m)^\[std(out|err)\]$`)

	// handsOut are the commands that are asked for a token.
	handsOut = regexp.MustCompile(`\bget\b|git credential fill|secret-tool lookup|curl `)
)

// leaks returns the commands of a script's log that wrote a token where none
// may be: on standard error, or anywhere if they weren't asked for it.
func leaks(log string) (commands []string) {
	for _, step := range stepStart.Split(log, -1) {
		command := firstLine(step)
		for _, section := range split(step, sectionStart) {
			mayShow := firstLine(section) == "[stdout]" && handsOut.MatchString(command)
			if !mayShow && tokenPattern.MatchString(section) {
				commands = append(commands, command)
			}
		}
	}
	return commands
}

// checkFolders fails for a file with a token that a script's commands left in
// their HOME or in their folder for temporary files, other than cre.yaml.
func checkFolders(t *testing.T, work string) {
	for _, folder := range []string{"home", ".tmp"} {
		err := filepath.WalkDir(filepath.Join(work, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(path, "/home/.cre/cre.yaml") {
				return err
			}
			data, err := os.ReadFile(path)
			if tokenPattern.Match(data) {
				t.Errorf("a token is in %s", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestTheWitnessSeesALeak makes sure that a token that shows would be found.
func TestTheWitnessSeesALeak(t *testing.T) {
	token, refresh := "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "v1."+strings.Repeat("A", 52)
	log := "> exec cre whoami\n[stdout]\nEmail: " + token + "\n> exec cre-credential-helper get\n[stdout]\npassword=" + token + "\n" +
		"> exec cre-credential-helper get\n[stdout]\nx\n[stderr]\nwarning: " + refresh + "\n> exec cre logout\n[stderr]\nsandbox-api-key\n" +
		"> env CRE_API_KEY=sandbox-api-key\n> exec cre login\n[stderr]\nfine\n"
	if got := fmt.Sprintf("%q", leaks(log)); got != `["exec cre whoami" "exec cre-credential-helper get" "exec cre logout"]` {
		t.Errorf("found %s", got)
	}
}
