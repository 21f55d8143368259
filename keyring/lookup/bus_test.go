//go:build linux

package lookup

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestBusAddress(t *testing.T) {
	const user, guess = "unix:path=/run/user/1/bus", "unix:path=/x/bus;unix:path=/run/user/1/bus"
	for name, c := range map[string]struct{ address, xdg, want string }{
		"the variable first":        {"unix:path=/some/bus", "/x", "unix:path=/some/bus;" + guess},
		"the user's own":            {user, "/run/user/1", user},
		"an abstract socket":        {"unix:abstract=/x,guid=1", "", "unix:abstract=/x,guid=1;" + user},
		"disabled on purpose":       {"disabled:", "/x", ""},
		"not set":                   {"", "/x", guess + ";disabled:"},
		"a relative runtime folder": {"", ".", user + ";disabled:"},
		"a folder to escape":        {"", "/a b;c", "unix:path=/a%20b%3bc/bus;" + user + ";disabled:"},
		"never followed":            {"autolaunch:", "/x", "autolaunch:;" + guess},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{busVariable: c.address, "XDG_RUNTIME_DIR": c.xdg}
			if got := busAddress(func(k string) string { return env[k] }, "/run/user/1"); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestOnlySocketsAreDialed: over TCP nobody can tell who listens.
func TestOnlySocketsAreDialed(t *testing.T) {
	for address, want := range map[string]string{
		"unix:path=/run/user/1/bus": "/run/user/1/bus",
		"unix:path=/a%20bus,guid=1": "/a bus",
		"unix:guid=1,path=/a":       "/a",
		"unix:abstract=/x,guid=1":   "@/x",
		"unix:path=/a;unix:path=/b": "/a /b",
		"unix:path=/a;disabled:":    "/a",

		"unix:dir=/tmp":                       "",
		"unix:runtime=yes":                    "",
		"unix:path=/%zz":                      "",
		"unix:path=/a%00b":                    "",
		"unix:path=bus":                       "",
		"unix:path=/a,abstract=b":             "",
		"unix:":                               "",
		"tcp:host=localhost,port=1":           "",
		"tcp:host=localhost,port=1,path=/bus": "",
		"nonce-tcp:host=localhost,port=1":     "",
		"unix:path=/a;tcp:host=h,port=1":      "",
		"tcp:host=h,port=1;unix:path=/a":      "",
		"unixexec:path=/bin/sh":               "",
		"launchd:env=X":                       "",
		"autolaunch:":                         "",
		"autolaunch:scope=*user":              "",
		"/dev/null":                           "",
	} {
		var got []string
		_, err := Dial(address, func(socket string) (int, error) {
			got = append(got, socket)
			return 0, syscall.ENOENT
		})
		switch {
		case strings.Join(got, " ") != want:
			t.Errorf("%q: %q, want %q", address, got, want)
		case want == "" && (!errors.Is(err, ErrBus) || !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), busVariable)):
			t.Errorf("%q: %v, want ErrBus and the variable", address, err)
		}
	}
}

// TestNoKeychainIsCertain holds when there is none, and what is an error.
func TestNoKeychainIsCertain(t *testing.T) {
	const named, guessed = "unix:path=/a;unix:path=/b", "unix:path=/a;unix:path=/b;disabled:"
	gone, dead := syscall.ENOENT, syscall.ECONNREFUSED
	for name, c := range map[string]struct {
		address string
		errs    []error
		want    error
	}{
		"nobody anywhere":         {guessed, []error{gone, dead}, ErrUnavailable},
		"no address":              {"", nil, ErrUnavailable},
		"disabled":                {"disabled:", nil, ErrUnavailable},
		"the second answers":      {named, []error{dead, nil}, nil},
		"the first answers":       {named, []error{nil}, nil},
		"named, and nobody":       {named, []error{gone, gone}, ErrBus},
		"no permission":           {guessed, []error{syscall.EACCES}, ErrBus},
		"no permission, then":     {guessed, []error{gone, syscall.EACCES}, ErrBus},
		"crowded":                 {guessed, []error{syscall.EAGAIN}, ErrBus},
		"no descriptor":           {guessed, []error{syscall.EMFILE}, ErrBus},
		"no descriptor anywhere":  {guessed, []error{syscall.ENFILE}, ErrBus},
		"late":                    {guessed, []error{os.ErrDeadlineExceeded}, ErrBus},
		"another user's":          {guessed, []error{errors.New("foreign")}, ErrBus},
		"a folder that's no such": {guessed, []error{syscall.ENOTDIR, gone}, ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			left := slices.Clone(c.errs)
			_, err := Dial(c.address, func(string) (int, error) {
				err := left[0]
				left = left[1:]
				if err != nil {
					err = fmt.Errorf("dial: %w", err)
				}
				return 0, err
			})
			if !errors.Is(err, c.want) || len(left) != 0 || errors.Is(err, ErrUnavailable) != (c.want == ErrUnavailable) {
				t.Errorf("%v, %d sockets left alone, want %v", err, len(left), c.want)
			}
		})
	}
}

// TestAStaleAddressIsNotTheEnd has a session that is gone named, and the user's
// own beside it.
func TestAStaleAddressIsNotTheEnd(t *testing.T) {
	dir := shortDir(t)
	listenAt(t, filepath.Join(dir, "bus"))
	dead := filepath.Join(dir, "dead")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	for _, stale := range []string{"unix:path=" + dir + "/gone,guid=1", "unix:path=" + dead, "unix:abstract=" + dir} {
		env := map[string]string{busVariable: stale, "XDG_RUNTIME_DIR": dir}
		c, err := Dial(busAddress(func(k string) string { return env[k] }, "/nowhere"), func(socket string) (net.Conn, error) {
			return net.Dial("unix", socket)
		})
		if err != nil {
			t.Errorf("%s: %v", stale, err)
			continue
		}
		if to := c.RemoteAddr().String(); to != filepath.Join(dir, "bus") {
			t.Errorf("%s: connected to %s", stale, to)
		}
		_ = c.Close()
	}
}

// shortDir is a folder whose sockets' paths stay under 108 bytes.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func listenAt(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
}
