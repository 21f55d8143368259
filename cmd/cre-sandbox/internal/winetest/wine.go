//go:build unix

// Package winetest runs Windows programs in tests: under Wine, in a Windows of
// their own that is made once and thrown away.
package winetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/keyring/keyringtest"
)

const (
	bootTimeout  = time.Minute
	bootAttempts = 3
	callTimeout  = 30 * time.Second
)

// Windows is one that runs. It is made by [Start].
type Windows struct {
	dir  string // the prefix, and HOME
	wine string

	// A program that runs all the while. Without one, Wine's services end, and
	// the next program that starts them passes its output on to them: whoever
	// reads that to its end waits for them.
	session *exec.Cmd
}

// Start makes a Windows and ends it with the test. Without Wine the test is
// left out or, in CI, fails, as with [keyringtest.Need]. On another machine
// than an amd64 it is always left out.
func Start(t testing.TB) *Windows {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("left out: Wine runs programs for amd64 only on an amd64")
	}
	wine := program()
	keyringtest.Need(t, wine)
	dir, err := os.MkdirTemp("", "wine")
	if err != nil {
		t.Fatal(err)
	}
	w := &Windows{dir: dir, wine: wine}
	t.Cleanup(func() { w.stop(t) })
	if err := w.boot(); err != nil {
		t.Fatal(err)
	}
	if err := w.addRandomDLL(); err != nil {
		t.Fatal(err)
	}
	if err := w.startSession(); err != nil {
		t.Fatalf("start a session in Wine: %v", err)
	}
	return w
}

// boot fills the prefix. On a busy machine, Wine 8 now and then can't load a
// library of its own that it has just put there, and gives up; then the prefix
// is made anew. Nothing of ours has run by then.
func (w *Windows) boot() error {
	for attempt := 1; ; attempt++ {
		out, err := w.run(bootTimeout, "", w.wine, "wineboot", "--init")
		if err == nil {
			return nil
		}
		if attempt == bootAttempts {
			return fmt.Errorf("wineboot: %w: %s", err, out)
		}
		if err := errors.Join(w.stopServer(), os.RemoveAll(w.dir), os.Mkdir(w.dir, 0o700)); err != nil {
			return err
		}
	}
}

func (w *Windows) addRandomDLL() error {
	path := filepath.Join(w.dir, "drive_c", "windows", "system32", "bcryptprimitives.dll")
	if _, err := os.Stat(path); err == nil {
		return nil // a later Wine's own
	}
	return os.WriteFile(path, randomDLL(), 0o644)
}

// startSession returns when the session's shell has greeted.
func (w *Windows) startSession() error {
	cmd := w.command(context.Background(), "", w.wine, "cmd")
	if _, err := cmd.StdinPipe(); err != nil { // the shell ends when this is closed
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.session = cmd
	late := time.AfterFunc(callTimeout, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_, err = out.Read(make([]byte, 1))
	return err
}

// program is wine64, which Debian keeps off PATH.
func program() string {
	if path, err := exec.LookPath("wine64"); err == nil {
		return path
	}
	return "/usr/lib/wine/wine64"
}

func (w *Windows) stop(t testing.TB) {
	if err := w.stopServer(); err != nil {
		t.Error(err)
	}
	if w.session != nil {
		_ = w.session.Process.Kill() // it has ended, unless the server has not
		_ = w.session.Wait()
	}
	if err := os.RemoveAll(w.dir); err != nil {
		t.Error(err)
	}
}

// stopServer ends the server, and with it everything in this Windows.
func (w *Windows) stopServer() error {
	server := filepath.Join(filepath.Dir(w.wine), "wineserver")
	_, _ = w.run(callTimeout, "", server, "--kill") // fails when it has ended by itself
	if out, err := w.run(callTimeout, "", server, "--wait"); err != nil {
		return fmt.Errorf("wineserver --wait: %w: %s", err, out)
	}
	return nil
}

// Env returns the variables, as for [exec.Cmd].Env, with which Wine is this
// Windows.
func (w *Windows) Env() []string {
	return []string{
		"WINEPREFIX=" + w.dir,
		"WINEARCH=win64",
		"WINEDEBUG=-all",
		"WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe=",
		"DISPLAY=",
		// Debian's Wine looks for the server that runs below TMPDIR, and leaves
		// a folder there: with another one it would start a second server.
		"TMPDIR=" + w.dir,
	}
}

// Profile returns the folder that programs in this Windows know as
// %USERPROFILE%.
func (w *Windows) Profile(t testing.TB) string {
	t.Helper()
	users := filepath.Join(w.dir, "drive_c", "users")
	out, err := w.run(callTimeout, "", w.wine, "cmd", "/c", "echo %USERPROFILE%")
	_, name, ok := strings.Cut(strings.TrimSpace(out), `C:\users\`)
	if err != nil || !ok {
		t.Fatalf("%%USERPROFILE%%: %v: %q", err, out)
	}
	return filepath.Join(users, name)
}

// Link makes name a command of Unix that runs a Windows program, for a minute
// at the most.
func (w *Windows) Link(t testing.TB, exe, name string) {
	t.Helper()
	Script(t, name, fmt.Sprintf(`exec timeout 60 '%s' '%s' "$@"`, w.wine, exe))
}

// Script makes name a command of Unix that runs one line of shell.
func Script(t testing.TB, name, line string) {
	t.Helper()
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+line+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// Run runs a Windows program in a folder, "" for the current one, and fails the
// test unless it exits with 0 in time.
func (w *Windows) Run(t testing.TB, timeout time.Duration, dir, exe string, args ...string) {
	t.Helper()
	if out, err := w.run(timeout, dir, append([]string{w.wine, exe}, args...)...); err != nil {
		t.Errorf("%s: %v\n%s", filepath.Base(exe), err, out)
	}
}

// Credentials returns the names that the Credential Manager holds, each the
// service and the account with a colon in between. They are read where Wine
// keeps them, in the registry.
func (w *Windows) Credentials(t testing.TB) []string {
	t.Helper()
	const key = `HKEY_CURRENT_USER\Software\Wine\Credential Manager`
	out, err := w.run(callTimeout, "", w.wine, "reg", "query", key)
	if err != nil && !strings.Contains(out, "Unable to find") {
		t.Fatalf("reg query: %v: %s", err, out)
	}
	var names []string
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), key+`\Generic: `); ok {
			names = append(names, name)
		}
	}
	return names
}

// run runs a program of Unix in this Windows' environment and returns what it
// wrote. That goes to a file: a pipe's end might be a service's.
func (w *Windows) run(timeout time.Duration, dir string, args ...string) (string, error) {
	out, err := os.CreateTemp(w.dir, "output")
	if err != nil {
		return "", err
	}
	defer out.Close()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	cmd := w.command(ctx, dir, args...)
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	text, readErr := os.ReadFile(out.Name())
	return string(text), cmp.Or(err, readErr)
}

func (w *Windows) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(w.Env(), "HOME="+w.dir)...)
	return cmd
}
