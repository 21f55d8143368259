//go:build unix

package e2e

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	promiseRow  = regexp.MustCompile(`(?m)^\| (.+) \| (.+) \|$`)
	namedTest   = regexp.MustCompile("`([a-z0-9/-]+)\\.((?:Test|Fuzz)[A-Za-z0-9_]*)(?:/([^`]+))?`")
	notAPromise = []string{"promise", "---"}
)

// TestSecurityDocument makes sure that every promise in docs/security.md names
// a test, and that every test it names exists.
func TestSecurityDocument(t *testing.T) {
	document := readFile(t, repository+"/docs/security.md")
	promises := 0
	for _, row := range promiseRow.FindAllStringSubmatch(document, -1) {
		if slices.Contains(notAPromise, row[1]) {
			continue
		}
		promises++
		if !namedTest.MatchString(row[2]) {
			t.Errorf("no test holds: %s", row[1])
		}
	}
	if promises < 2 {
		t.Errorf("only %d promises were found", promises)
	}
	for _, named := range namedTest.FindAllStringSubmatch(document, -1) {
		checkTestExists(t, named[1], named[2], named[3])
	}
}

// checkTestExists looks for a test in the source of a folder, and for each part
// of its subtest's name as a text there or as a script.
func checkTestExists(t *testing.T, folder, name, subtest string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, file := range files {
		source.WriteString(readFile(t, file))
	}
	if !strings.Contains(source.String(), "\nfunc "+name+"(") {
		t.Errorf("there is no test %s in %s", name, folder)
	}
	scripts, err := filepath.Glob(filepath.Join(repository, folder, "testdata/*/*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(subtest, "/") {
		isScript := slices.ContainsFunc(scripts, func(path string) bool { return filepath.Base(path) == part+".txtar" })
		spelled := strings.NewReplacer("_", "[_ ]").Replace(regexp.QuoteMeta(part))
		if !isScript && !regexp.MustCompile(spelled).MatchString(source.String()) {
			t.Errorf("there is no subtest %s of %s in %s", part, name, folder)
		}
	}
}
