//go:build linux

package lookup

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestBusAddress(t *testing.T) {
	xdg, user, empty := shortDir(t), shortDir(t), shortDir(t)
	listenAt(t, filepath.Join(xdg, "bus"))
	listenAt(t, filepath.Join(user, "bus"))
	notSocket := shortDir(t)
	if err := os.WriteFile(filepath.Join(notSocket, "bus"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ address, xdg, user, want string }{
		"the variable wins":                  {"unix:path=/some/bus", xdg, user, "unix:path=/some/bus"},
		"an abstract socket":                 {"unix:abstract=/x,guid=1", "", empty, "unix:abstract=/x,guid=1"},
		"one of several is usable":           {"launchd:env=X;tcp:host=localhost,port=1", "", empty, "launchd:env=X;tcp:host=localhost,port=1"},
		"disabled on purpose":                {"disabled:", xdg, user, ""},
		"not an address":                     {"/dev/null", xdg, user, ""},
		"autolaunch is never followed":       {"autolaunch:", "", empty, ""},
		"autolaunch with a scope":            {"autolaunch:scope=*user", "", empty, ""},
		"autolaunch with a runtime folder":   {"autolaunch:", xdg, user, "unix:path=" + xdg + "/bus"},
		"the runtime folder before the user": {"", xdg, user, "unix:path=" + xdg + "/bus"},
		"the user's folder":                  {"", empty, user, "unix:path=" + user + "/bus"},
		"a relative runtime folder":          {"", ".", empty, ""},
		"a file that isn't a socket":         {"", notSocket, empty, ""},
		"nothing":                            {"", "", empty, ""},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"DBUS_SESSION_BUS_ADDRESS": c.address, "XDG_RUNTIME_DIR": c.xdg}
			if got := busAddress(func(k string) string { return env[k] }, c.user); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestListens(t *testing.T) {
	dir := shortDir(t)
	socket := filepath.Join(dir, "a bus")
	listenAt(t, socket)
	for address, want := range map[string]bool{
		"":                                     false,
		"disabled:":                            false,
		"unix:path=" + dir + "/missing":        false,
		"unix:path=" + dir:                     false,
		"unix:path=" + dir + "/a%20bus":        true,
		"unix:path=" + dir + "/a%20bus,guid=1": true,
		"unix:path=" + dir + "/missing;unix:path=" + dir + "/a%20bus": true,
		"unix:abstract=x":           true,
		"tcp:host=localhost,port=1": true,
	} {
		if got := listens(address); got != want {
			t.Errorf("%q: %t", address, got)
		}
	}
	if address := "unix:path=" + escape(socket); !listens(address) {
		t.Errorf("%q: false", address)
	}
}

func TestSocketOf(t *testing.T) {
	for address, want := range map[string]string{
		"unix:path=/run/user/1/bus":           "/run/user/1/bus",
		"unix:path=/a%20bus,guid=1":           "/a bus",
		"unix:guid=1,path=/a":                 "/a",
		"unix:abstract=/x,guid=1":             "@/x",
		"autolaunch:;unix:path=/a":            "/a",
		"unix:path=/a;unix:path=/b":           "", // whichever of them listens
		"unix:dir=/tmp":                       "",
		"unix:path=/%zz":                      "",
		"tcp:host=localhost,port=1":           "",
		"tcp:host=localhost,port=1,path=/bus": "",
		"":                                    "",
	} {
		if got := socketOf(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
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
