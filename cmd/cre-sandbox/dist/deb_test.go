//go:build linux

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// testDeb lives through the packages' life in a folder where nothing else is.
func testDeb(t *testing.T, folder string) {
	root := t.TempDir()
	admin := filepath.Join(root, "var/lib/dpkg")
	for _, dir := range []string{filepath.Join(admin, "info"), filepath.Join(admin, "updates"), filepath.Join(root, "var/log"), filepath.Join(root, "dev")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(admin, "status"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mknod(filepath.Join(root, "dev/null"), syscall.S_IFCHR|0o666, 1<<8|3); err != nil {
		t.Fatalf("make %s/dev/null (as root?): %v", root, err)
	}
	if err := os.Chmod(filepath.Join(root, "dev/null"), 0o666); err != nil {
		t.Fatal(err)
	}
	life(t, root, folder)
}

// testDebian does it in the smallest Debian.
func testDebian(t *testing.T, folder string) {
	root := filepath.Join(t.TempDir(), "debian")
	release := command(t, "/", nil, "sh", "-c", ". /etc/os-release && echo $VERSION_CODENAME")
	command(t, "/", nil, "debootstrap", "--variant=minbase", strings.TrimSpace(release), root)
	life(t, root, folder)
}

// machine is a root folder in which nobody is a user.
type machine struct {
	*testing.T
	root string
	env  []string
}

// life is from the older version's installation to the purge, with a session
// in between.
func life(t *testing.T, root, folder string) {
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	m := machine{T: t, root: root}
	for _, dir := range []string{"opt", "proc", "etc", "home/nobody"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "etc/hosts"), []byte("127.0.0.1 localhost\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(root, "home/nobody")
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	buildSandbox(t, filepath.Join(root, "opt/cre-sandbox"))
	s := platform(t)
	m.env = append(s.Env(), "HOME=/home/nobody", "BROWSER=/opt/cre-sandbox browse", "CRE_API_KEY=", "CRE_CREDENTIAL_STORE=file", "DBUS_SESSION_BUS_ADDRESS=disabled:")
	empty := tree(t, root)

	m.dpkg("--install", debs(t, made(t, before, "-deb"))...)
	m.expect("version "+before+" ", "", "/usr/bin/cre-credential-helper", "version")
	if left := entries(t, home); len(left) > 0 {
		t.Errorf("the installation put %q into a home", left)
	}
	m.expect("Logged in as email@domain.com.", "", "/usr/bin/cre", "login")
	m.expect("username=email@domain.com\n", "", "/usr/bin/cre-credential-helper", "get")

	m.dpkg("--install", debs(t, folder)...)
	m.expect("version "+version+" ", "", "/usr/bin/cre-credential-helper", "version")
	m.expect("version "+version+" ", "", "/usr/bin/cre", "--version")
	host := strings.TrimPrefix(s.URL, "http://")
	m.expect("username=email@domain.com\n", "protocol=http\nhost="+host+"\n\n", "/usr/bin/git-credential-cre", "get")
	m.expect(`"Secret":"eyJ`, s.URL, "/usr/bin/docker-credential-cre", "get")
	m.expect("Email:           email@domain.com", "", "/usr/bin/cre", "whoami")
	m.expect("Logged out.", "", "/usr/bin/cre", "logout") // an errand of cre-credential-net's
	if stats := s.Stats(); stats.Revocations == 0 {
		t.Error("the session wasn't revoked")
	}

	kept := entries(t, home)
	m.dpkg("--remove", frontend, project)
	m.dpkg("--purge", frontend, project)
	if left := tree(t, root); !slices.Equal(left, empty) {
		left = slices.DeleteFunc(left, func(name string) bool { return slices.Contains(empty, name) })
		t.Errorf("left after the purge: %q", left)
	}
	if now := entries(t, home); !slices.Equal(now, kept) {
		t.Errorf("the purge changed a home from %q to %q", kept, now)
	}
	if out := m.dpkg("--get-selections"); strings.Contains(out, project) {
		t.Errorf("dpkg still knows %s", out)
	}
}

func (m machine) dpkg(action string, args ...string) string {
	m.Helper()
	path := "PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin"
	return command(m.T, "/", []string{path, "DEBIAN_FRONTEND=noninteractive"}, "dpkg", append([]string{"--root=" + m.root, action}, args...)...)
}

// expect runs a program there as nobody, and looks for a text in what it prints.
func (m machine) expect(text, input, program string, args ...string) {
	m.Helper()
	const inRoot = `mount -t proc proc "$0/proc" && exec chroot --userspec=65534:65534 "$0" "$@"` // programs find themselves there
	line := append([]string{"--mount", "sh", "-c", inRoot, m.root, program}, args...)
	out, err := attempt(usePatience, "/", m.env, input, "unshare", line...)
	if err != nil || !strings.Contains(out, text) {
		m.Fatalf("%s %s: %v; want %q in:\n%s", program, strings.Join(args, " "), err, text, out)
	}
}

func entries(t *testing.T, folder string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range list {
		names = append(names, entry.Name())
	}
	return names
}
