//go:build unix

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// updatePicture is set to write the picture of the imports anew.
const updatePicture = "CRE_TEST_UPDATE_PICTURE"

var (
	pictureBlock = regexp.MustCompile("(?ms)^### What imports what\n.*?^```text\n(.*?)^```$")
	namedPath    = regexp.MustCompile("`([\\w.-]+(?:/[\\w.*-]+)+/?|[A-Za-z]+\\.(?:md|go)|Makefile)`")
	layoutName   = regexp.MustCompile(`[a-z-]+/`)
	namedTarget  = regexp.MustCompile("`make ([a-z-]+)")
)

// TestThePictureIsWhatTheCodeImports holds CONTRIBUTING.md's picture to go list.
func TestThePictureIsWhatTheCodeImports(t *testing.T) {
	path := repository + "/CONTRIBUTING.md"
	document, want := readFile(t, path), drawImports(t)
	at := pictureBlock.FindStringSubmatchIndex(document)
	if at == nil {
		t.Fatal("there is no picture")
	}
	if document[at[2]:at[3]] == want {
		return
	}
	if os.Getenv(updatePicture) == "" {
		t.Fatalf("the picture is out of date: set %s=1 to have it written, and look at it. It should be\n%s", updatePicture, want)
	}
	if err := os.WriteFile(path, []byte(document[:at[2]]+want+document[at[3]:]), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestContributingNamesWhatIsThere follows CONTRIBUTING.md's paths and its targets
// of make.
func TestContributingNamesWhatIsThere(t *testing.T) {
	document, makefile := readFile(t, repository+"/CONTRIBUTING.md"), readFile(t, repository+"/Makefile")
	paths := namedPath.FindAllStringSubmatch(document, -1)
	for _, named := range paths {
		if found, err := filepath.Glob(filepath.Join(repository, named[1])); err != nil || len(found) == 0 {
			t.Errorf("there is no %s: %v", named[1], err)
		}
	}
	targets := namedTarget.FindAllStringSubmatch(document, -1)
	for _, named := range targets {
		if !strings.Contains(makefile, "\n"+named[1]+":") {
			t.Errorf("there is no make %s", named[1])
		}
	}
	if len(paths) < 30 || len(targets) < 8 {
		t.Errorf("only %d paths and %d targets were found", len(paths), len(targets))
	}
}

// TestTheLayoutNamesEveryPackage holds architecture.md's list of folders to the
// folders, two levels of each tree: none is forgotten, gone or there twice.
func TestTheLayoutNamesEveryPackage(t *testing.T) {
	_, layout, _ := strings.Cut(readFile(t, repository+"/docs/architecture.md"), "## Layout\n\n```text\n")
	layout, _, _ = strings.Cut(layout, "```")
	var named []string
	above := make([]string, 4) // by how far in a line is
	for line := range strings.Lines(layout) {
		in := (len(line) - len(strings.TrimLeft(line, " "))) / 2
		if in >= len(above) {
			continue // more words on the line above
		}
		for _, name := range layoutName.FindAllString(strings.TrimSpace(line), -1) {
			above[in] = name
			named = append(named, strings.Join(above[:in+1], ""))
		}
	}
	var there []string
	for _, pattern := range []string{"cmd/*", "cmd/internal/*", "helper", "helper/*", "keyring", "keyring/*", "fallback", "fallback/*"} {
		for _, path := range globbed(t, filepath.Join(repository, pattern)) {
			if info, err := os.Stat(path); err == nil && info.IsDir() && filepath.Base(path) != "testdata" {
				there = append(there, strings.TrimPrefix(path, repository+"/")+"/")
			}
		}
	}
	for _, name := range there {
		i := slices.Index(named, name)
		if i < 0 {
			t.Errorf("the layout doesn't name %s", name)
			continue
		}
		named = slices.Delete(named, i, i+1)
	}
	named = slices.DeleteFunc(named, func(name string) bool { return name == "cmd/" || strings.HasPrefix(name, "docs/") })
	if len(named) > 0 {
		t.Errorf("the layout names twice, or for nothing: %q", named)
	}
}

func globbed(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// imports are the main module's packages that people install, each with those of
// them that it imports on any platform.
type imports map[string]map[string]bool

func readImports(t *testing.T) imports {
	t.Helper()
	const module = "cre-credential-helper/"
	all := imports{}
	for _, platform := range []string{"linux", "darwin", "windows", "freebsd"} {
		out := goOutput(t, []string{"GOOS=" + platform, "CGO_ENABLED=0"}, append([]string{"list", "-deps", "-f",
			`{{with .Module}}{{if .Main}}{{$.ImportPath}}{{range $.Imports}} {{.}}{{end}}{{end}}{{end}}`}, shipped...)...)
		for line := range strings.Lines(out) {
			fields := strings.Fields(line)
			if len(fields) == 0 {
				continue
			}
			name := strings.TrimPrefix(fields[0], module)
			if all[name] == nil {
				all[name] = map[string]bool{}
			}
			for _, imported := range fields[1:] {
				if own, ok := strings.CutPrefix(imported, module); ok {
					all[name][own] = true
				}
			}
		}
	}
	return all
}

// height is the longest way down to a package that imports none of ours.
func (all imports) height(name string) (height int) {
	for imported := range all[name] {
		height = max(height, 1+all.height(imported))
	}
	return height
}

// reaches reports whether one package imports another, by others or itself.
func (all imports) reaches(from, to string) bool {
	return all[from][to] || slices.ContainsFunc(slices.Collect(maps.Keys(all[from])), func(next string) bool { return all.reaches(next, to) })
}

// needed are a package's imports but for those that another one of them brings.
func (all imports) needed(name string) (names []string) {
	for imported := range all[name] {
		brought := slices.ContainsFunc(slices.Collect(maps.Keys(all[name])), func(other string) bool { return all.reaches(other, imported) })
		if !brought {
			names = append(names, shortName(imported))
		}
	}
	slices.Sort(names)
	return names
}

// drawImports draws a line for each package, by height, the highest first. Those
// that import nothing of ours share the last lines.
func drawImports(t *testing.T) string {
	t.Helper()
	all := readImports(t)
	floors := map[int][]string{}
	for name := range all {
		floors[all.height(name)] = append(floors[all.height(name)], name)
	}
	var picture strings.Builder
	for _, height := range slices.Backward(slices.Sorted(maps.Keys(floors))) {
		slices.Sort(floors[height])
		var ground []string
		for _, name := range floors[height] {
			if height == 0 {
				ground = append(ground, shortName(name))
				continue
			}
			writeWrapped(&picture, fmt.Sprintf("%-26s", shortName(name)), all.needed(name))
		}
		if height == 0 {
			writeWrapped(&picture, fmt.Sprintf("%-26s", "(nothing of ours)"), ground)
		} else {
			picture.WriteString("\n")
		}
	}
	return picture.String()
}

func shortName(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, "cmd/internal/"), "cmd/")
}

// writeWrapped writes words behind a head, in lines of at most 90 columns.
func writeWrapped(to *strings.Builder, head string, words []string) {
	line := head
	for _, word := range words {
		if len(line)+1+len(word) > 90 {
			to.WriteString(line + "\n")
			line = strings.Repeat(" ", len(head))
		}
		line += " " + word
	}
	to.WriteString(strings.TrimRight(line, " ") + "\n")
}

var nameOfVariable = regexp.MustCompile(`"CRE_[A-Z][A-Z_]*"`)

// TestEachVariableIsWrittenOnceInTheCode: as one constant, which all use.
func TestEachVariableIsWrittenOnceInTheCode(t *testing.T) {
	written := map[string][]string{}
	for _, folder := range strings.Fields(goOutput(t, nil, append([]string{"list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}"}, shipped...)...)) {
		for _, file := range globbed(t, folder+"/*.go") {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, name := range nameOfVariable.FindAllString(readFile(t, file), -1) {
				written[name] = append(written[name], filepath.Base(file))
			}
		}
	}
	for name, files := range written {
		if len(files) > 1 {
			t.Errorf("%s is written in %q", name, files)
		}
	}
	if len(written) < 20 {
		t.Errorf("only %d variables were found", len(written))
	}
}
