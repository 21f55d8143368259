//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	sandboxModule = "cmd/cre-sandbox"
	timeProgram   = "/usr/bin/time" // GNU time; "time" alone may be a shell's
	straceProgram = "/usr/bin/strace"
	libsecret     = "/usr/share/doc/git/contrib/credential/libsecret/git-credential-libsecret.c"
)

// errMissing reports a program that make bench installs.
var errMissing = errors.New("a program is missing: run make bench, which installs it")

// build builds our programs as the Makefile does, and the peers that aren't
// installed, all into dir. root is the checkout's top.
func build(ctx context.Context, root, dir string) error {
	for _, p := range []string{"docker-credential-secretservice", "secret-tool", "gnome-keyring-daemon", "dbus-daemon", "gcc", "pkg-config", timeProgram, straceProgram} {
		if _, err := exec.LookPath(p); err != nil {
			return fmt.Errorf("%w: %s", errMissing, p)
		}
	}
	peers := filepath.Join(root, sandboxModule, "bench", "peer")
	for _, step := range []struct {
		dir  string
		args []string
	}{
		{root, []string{"make", "--no-print-directory", "build"}},
		{peers, []string{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", dir, "./..."}},
		{root, []string{"cp", "bin/cre", "bin/cre-credential-helper", "bin/cre-credential-net", "bin/cre-sandbox", dir}},
	} {
		if _, err := output(ctx, step.dir, step.args...); err != nil {
			return err
		}
	}
	return buildLibsecret(ctx, dir)
}

// buildLibsecret compiles git's contributed helper as its Makefile does.
func buildLibsecret(ctx context.Context, dir string) error {
	flags, err := output(ctx, dir, "pkg-config", "--cflags", "--libs", "libsecret-1", "glib-2.0")
	if err != nil {
		return err
	}
	args := append([]string{"gcc", "-g", "-O2", "-Wall", "-o", "git-credential-libsecret", libsecret}, strings.Fields(flags)...)
	_, err = output(ctx, dir, args...)
	return err
}

// output runs a command without a shell, for at most ten minutes.
func output(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Dir, c.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
