//go:build linux

package main

import (
	"bytes"
	"context"
	"flag"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

var (
	ringFlag = flag.String("ring", "", "what to test of the packages: deb or all; nothing unless it is set")
	madeFlag = flag.String("made", "", "a `folder` that make dist VERSION=v0.3.0 has filled, to test instead of building it twice")
)

const (
	repository  = "../../.."
	version     = "v0.3.0"
	before      = "v0.2.99" // the version that is upgraded
	nobody      = 65534
	patience    = 30 * time.Minute // a build with an empty cache, beside others
	usePatience = 2 * time.Minute  // a command of a person's
)

// TestRing is the ring of the packages. It takes minutes and wants root, so that
// it is a job of its own: make test-dist.
func TestRing(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the sandbox's library logs every refusal
	switch *ringFlag {
	case "":
		t.Skip("left out: make test-dist runs it")
	case "deb":
		folder := made(t, version, "-deb")
		t.Run("deb", func(t *testing.T) { testDeb(t, folder) })
		t.Run("lintian", func(t *testing.T) { testLintian(t, folder) })
	case "all":
		folder := *madeFlag
		if folder == "" {
			folder = testRebuild(t)
		}
		t.Run("files", func(t *testing.T) { testFiles(t, folder) })
		t.Run("lists", func(t *testing.T) { testLists(t, folder) })
		t.Run("deb", func(t *testing.T) { testDeb(t, folder) })
		t.Run("deb in a Debian", func(t *testing.T) { testDebian(t, folder) })
		t.Run("lintian", func(t *testing.T) { testLintian(t, folder) })
		t.Run("zip", func(t *testing.T) { testZip(t, folder) })
	default:
		t.Fatalf("-ring is deb or all, not %q", *ringFlag)
	}
}

// made has make dist make a version from this checkout, for flags.
func made(t *testing.T, version, flags string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "dist")
	command(t, repository, nil, "make", "dist", "VERSION="+version, "DIST_FLAGS="+flags+" -out "+folder)
	return folder
}

// command runs a program and returns what it printed, with the test's
// environment and env.
func command(t *testing.T, folder string, env []string, program string, args ...string) string {
	t.Helper()
	out, err := attempt(patience, folder, env, "", program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return out
}

func attempt(patience time.Duration, folder string, env []string, input, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.WaitDelay = time.Second // what it leaves behind may hold its output
	cmd.Dir, cmd.Env, cmd.Stdin = folder, append(os.Environ(), env...), strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// testRebuild makes a release in two clones: in another folder, as another user
// with a home, a cache, a umask, a time zone and a locale of its own, from files
// of another date. It returns the first one's files.
func testRebuild(t *testing.T) string {
	if os.Getuid() != 0 {
		t.Fatal("only root can build as another user: sudo make test-dist")
	}
	top := t.TempDir()
	one, home := filepath.Join(top, "one"), filepath.Join(top, "home")
	two := filepath.Join(top, "somewhere", "else", "two")
	for dir := top; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&1 == 0 {
			if err := os.Chmod(dir, 0o755); err != nil { // nobody has to get through
				t.Fatal(err)
			}
		}
	}
	command(t, repository, nil, "git", "clone", "-q", ".", one)
	command(t, repository, nil, "sh", "-c", `umask 077; mkdir -p "$1" && git clone -q . "$2"`, "sh", home, two)
	command(t, two, nil, "find", ".", "-type", "f", "-not", "-path", "./.git/*", "-exec", "touch", "-d", "1999-12-31", "{}", "+")
	command(t, top, nil, "chmod", "755", filepath.Join(top, "somewhere"), filepath.Join(top, "somewhere", "else"))
	command(t, top, nil, "chown", "-R", "65534:65534", home, two)

	command(t, one, nil, "make", "dist", "VERSION="+version)
	command(t, two, nil, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
		"env", "-i", "PATH="+os.Getenv("PATH"), "HOME="+home, "GOPROXY="+os.Getenv("GOPROXY"), "TZ=Pacific/Kiritimati", "LANG=C.UTF-8", "LC_ALL=C.UTF-8",
		"sh", "-c", "umask 077; exec make dist VERSION="+version)
	ours, theirs := filepath.Join(one, "dist"), filepath.Join(two, "dist")
	if out, err := attempt(patience, top, nil, "", "diff", "-rq", ours, theirs); err != nil {
		t.Errorf("two builds differ: %v\n%s", err, out)
	}
	return ours
}

// testFiles looks for each artifact with its SBOM and its checksum, and for
// nothing else.
func testFiles(t *testing.T, folder string) {
	r := release{version: version, formats: formats}
	want := map[string]bool{sumsFile: true}
	for _, target := range targets {
		for artifact := range r.artifacts(target) {
			want[artifact], want[artifact+".cdx.json"] = true, true
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !want[entry.Name()] {
			t.Errorf("%s is nothing that make dist should make", entry.Name())
		}
		delete(want, entry.Name())
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
	command(t, folder, nil, "sha256sum", "--check", "--strict", "--quiet", sumsFile)
}

// testLintian lets no error pass. Its warnings are shown.
func testLintian(t *testing.T, folder string) {
	t.Log(command(t, folder, nil, "lintian", append([]string{"--fail-on", "error", "--allow-root"}, debs(t, folder)...)...))
}

// debs are the paths of the two packages for this machine, the helper's first.
func debs(t *testing.T, folder string) []string {
	t.Helper()
	machine := strings.TrimSpace(command(t, folder, nil, "dpkg", "--print-architecture"))
	var paths []string
	for _, name := range []string{project, frontend} {
		found, err := filepath.Glob(filepath.Join(folder, name+"_*_linux_"+machine+".deb"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %q, %v", name, found, err)
		}
		paths = append(paths, found...)
	}
	return paths
}

// platform is a sandbox, with the one port for logins to this test alone.
func platform(t *testing.T) *sandbox.Server {
	t.Helper()
	file, err := os.OpenFile("/tmp/cre-e2e-callback.lock", os.O_CREATE|os.O_RDWR, 0o666) // the end-to-end tests', too
	if err == nil {
		t.Cleanup(func() { _ = file.Close() })
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// buildSandbox builds cre-sandbox, which fills in the login form.
func buildSandbox(t *testing.T, path string) {
	t.Helper()
	command(t, "..", []string{"CGO_ENABLED=0"}, "go", "build", "-o", path, ".")
}

// tree lists the files and folders below root, but those that are the tests' own
// or dpkg's.
func tree(t *testing.T, root string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, root)
		switch name {
		case "/opt", "/home", "/var/lib/dpkg", "/dev", "/proc", "/sys", "/tmp":
			return fs.SkipDir
		case "/var/log/dpkg.log", "/var/log/alternatives.log":
			return nil
		}
		paths = append(paths, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
