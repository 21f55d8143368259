//go:build linux

package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/winetest"
)

// testZip unpacks Windows' archive and uses it under Wine, from login to logout.
func testZip(t *testing.T, folder string) {
	windows := winetest.Start(t)
	dir := t.TempDir()
	unpack(t, filepath.Join(folder, release{version: version}.name(project, target{"windows", "amd64"})+".zip"), dir)
	names := append([]string{"cre", project}, links...)
	for _, name := range names {
		windows.Link(t, filepath.Join(dir, name+".exe"), filepath.Join(dir, name))
	}
	buildSandbox(t, filepath.Join(dir, "cre-sandbox"))
	winetest.Script(t, filepath.Join(dir, "xdg-open"), "exec '"+filepath.Join(dir, "cre-sandbox")+`' browse "$1"`)
	s := platform(t)
	env := append(s.Env(), windows.Env()...)
	env = append(env, "HOME="+windows.Profile(t), "PATH="+dir+":"+os.Getenv("PATH"), "BROWSER=", "CRE_API_KEY=")
	for _, step := range []struct{ name, operation, input, want string }{
		{"cre", "--version", "", "cre version " + version + " "},
		{project, "version", "", "version " + version + " "},
		{"cre", "login", "", "Logged in as email@domain.com."},
		{"git-credential-cre", "get", "protocol=http\nhost=" + strings.TrimPrefix(s.URL, "http://") + "\n\n", "username=email@domain.com"},
		{"docker-credential-cre", "get", s.URL, `"Secret":"eyJ`},
		{"cre", "whoami", "", "Email:           email@domain.com"},
		{"cre", "logout", "", "Logged out."},
	} {
		out, err := attempt(usePatience, dir, env, step.input, filepath.Join(dir, step.name), step.operation)
		if err != nil || !strings.Contains(out, step.want) {
			t.Fatalf("%s %s: %v; want %q in:\n%s", step.name, step.operation, err, step.want, out)
		}
	}
	if left := windows.Credentials(t); len(left) > 0 {
		t.Errorf("left in the Credential Manager: %q", left)
	}
}

func unpack(t *testing.T, path, dir string) {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	if err := os.CopyFS(dir, archive); err != nil {
		t.Fatal(err)
	}
}
