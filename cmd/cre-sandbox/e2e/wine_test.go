//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"cre-credential-helper/cmd/cre-sandbox/internal/winetest"
)

// TestWindows runs the Windows builds under Wine: the tests of the packages
// that Windows makes a difference to, and the scripts.
func TestWindows(t *testing.T) {
	t.Parallel()
	windows := winetest.Start(t)
	dir := t.TempDir()
	t.Run("packages", func(t *testing.T) { testPackages(t, windows, dir) })
	t.Run("programs", func(t *testing.T) { testPrograms(t, windows, dir) })
}

func testPackages(t *testing.T, windows *winetest.Windows, dir string) {
	packages := []string{"./keyring", "./fallback", "./helper", "./cmd/internal/oauth", "./cmd/internal/setup"}
	goForWindows(t, append([]string{"test", "-c", "-o", dir + string(filepath.Separator)}, packages...)...)
	for _, folder := range packages {
		name := filepath.Base(folder)
		t.Run(name, func(t *testing.T) {
			windows.Run(t, 2*time.Minute, filepath.Join(repository, folder), filepath.Join(dir, name+".test.exe"))
		})
	}
	if left := windows.Credentials(t); len(left) > 0 {
		t.Errorf("left in the Credential Manager: %q", left)
	}
}

func testPrograms(t *testing.T, windows *winetest.Windows, dir string) {
	goForWindows(t, append([]string{"build", "-o", dir + string(filepath.Separator)}, shipped...)...)
	for _, name := range []string{"cre", "cre-credential-helper"} {
		windows.Link(t, filepath.Join(dir, name+".exe"), filepath.Join(dir, name))
	}
	// Wine opens a URL as a Unix desktop does.
	winetest.Script(t, filepath.Join(dir, "xdg-open"), "exec '"+filepath.Join(bin, "cre-sandbox")+`' browse "$1"`)
	env := append(windows.Env(),
		"HOME="+windows.Profile(t),
		"PATH="+dir+string(filepath.ListSeparator)+os.Getenv("PATH"),
		"BROWSER=",
	)
	run(t, "testdata/wine", env, func(cmds commands) {
		cmds["items"] = func(ts *testscript.TestScript, neg bool, args []string) {
			checkCredentials(ts, neg, args, windows.Credentials(t))
		}
	})
}

// checkCredentials compares how many items the Credential Manager holds for
// the script's origin, its pieces included: items N. Negated, it fails if
// there are items of any origin, or the index.
func checkCredentials(ts *testscript.TestScript, neg bool, args, names []string) {
	want, found := "0", 0
	for _, name := range names {
		if neg || strings.HasPrefix(name, "cre-credential-helper:"+ts.Getenv("ORIGIN")) {
			found++
		}
	}
	if !neg {
		want = args[0]
	}
	if strconv.Itoa(found) != want {
		ts.Fatalf("%d items in the Credential Manager, want %s: %q", found, want, names)
	}
}

func goForWindows(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = repository
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", args[0], err, out)
	}
}
