//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	dependencyRow = regexp.MustCompile(`(?m)^\| (\S+/\S+) \| (v\S+) \|`)
	majorVersion  = regexp.MustCompile(`/v\d+$`)
)

// TestDependenciesAreExplained holds docs/architecture.md to the three go.mod
// files: what each needs directly, at which version, and nothing else.
func TestDependenciesAreExplained(t *testing.T) {
	document := readFile(t, repository+"/docs/architecture.md")
	_, document, _ = strings.Cut(document, "\n## Dependencies\n")
	main, sandbox, found := strings.Cut(document, "\n### The sandbox's module\n")
	sandbox, fleet, both := strings.Cut(sandbox, "\n### The fleet's module\n")
	if !found || !both {
		t.Fatal("the three tables weren't found")
	}
	for folder, text := range map[string]string{repository: main, "..": sandbox, "../fleet": fleet} {
		var explained []string
		for _, row := range dependencyRow.FindAllStringSubmatch(text, -1) {
			explained = append(explained, row[1]+" "+row[2])
		}
		slices.Sort(explained)
		if direct := directRequirements(t, folder); !slices.Equal(explained, direct) || len(direct) < 4 {
			t.Errorf("%s/go.mod requires\n%q, and explained are\n%q", folder, direct, explained)
		}
	}
	all := strings.Fields(goOutput(t, nil, "list", "-m", "-f", "{{.Path}}", "all"))
	if figure := fmt.Sprintf("names %d modules besides itself", len(all)-1); !strings.Contains(main, figure) {
		t.Errorf("go list -m all %s, and the document says something else", figure)
	}
	needed := shippedModules(t)
	for _, module := range needed {
		if short := majorVersion.ReplaceAllString(strings.TrimPrefix(module, "github.com/"), ""); !strings.Contains(main, short) {
			t.Errorf("%s is in a shipped program and isn't explained", module)
		}
	}
	for _, requirement := range directRequirements(t, repository) {
		if module, _, _ := strings.Cut(requirement, " "); !slices.Contains(needed, module) {
			t.Errorf("no shipped program needs %s", module)
		}
	}
}

// directRequirements returns the modules and versions that a go.mod requires
// for its own packages, sorted.
func directRequirements(t *testing.T, folder string) (direct []string) {
	t.Helper()
	var file struct {
		Require []struct {
			Path, Version string
			Indirect      bool
		}
	}
	if err := json.Unmarshal([]byte(goOutput(t, nil, "mod", "edit", "-json", folder+"/go.mod")), &file); err != nil {
		t.Fatal(err)
	}
	for _, r := range file.Require {
		if !r.Indirect && strings.Contains(r.Path, "/") {
			direct = append(direct, r.Path+" "+r.Version)
		}
	}
	slices.Sort(direct)
	return direct
}

// shippedModules returns the modules of every package in the programs that people
// install, on any of the platforms.
func shippedModules(t *testing.T) (modules []string) {
	t.Helper()
	for _, platform := range []string{"linux", "darwin", "windows", "freebsd"} {
		out := goOutput(t, []string{"GOOS=" + platform, "CGO_ENABLED=0"}, append([]string{"list", "-deps", "-f",
			"{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}"}, shipped...)...)
		modules = append(modules, strings.Fields(out)...)
	}
	slices.Sort(modules)
	return slices.Compact(modules)
}

// goOutput runs the go command on the main module, or on a file.
func goOutput(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	if args[0] == "list" {
		cmd.Dir = repository
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %q: %v", args, err)
	}
	return string(out)
}

// TestTheParserOfRequestsLinksLittle holds that what reads strangers' requests
// has no part in what speaks to the network or writes, and that on Linux it
// starts without what takes long to start.
func TestTheParserOfRequestsLinksLittle(t *testing.T) {
	t.Parallel()
	nowhere := []string{
		"net/http", "crypto/tls", "crypto/x509", "html/template", "golang.org/x/oauth2", "gopkg.in/yaml.v3", "github.com/godbus/dbus/v5",
		"cre-credential-helper/fallback", "cre-credential-helper/cmd/internal/session", "cre-credential-helper/cmd/internal/oauth",
	}
	notOnLinux := []string{"regexp", "net", "crypto/sha256", "github.com/zalando/go-keyring", "github.com/gofrs/flock", "cre-credential-helper/keyring"}
	for _, platform := range []string{"linux", "darwin", "windows", "freebsd"} {
		deps := strings.Fields(goOutput(t, []string{"GOOS=" + platform, "CGO_ENABLED=0"}, "list", "-deps", "./cmd/cre-credential-helper"))
		barred := nowhere
		if platform == "linux" {
			barred = slices.Concat(nowhere, notOnLinux)
		}
		for _, p := range barred {
			if slices.Contains(deps, p) {
				t.Errorf("on %s, cre-credential-helper links %s", platform, p)
			}
		}
		if !slices.Contains(deps, "encoding/json") {
			t.Errorf("on %s: %d packages, among them none that is known to be there", platform, len(deps))
		}
	}
}
