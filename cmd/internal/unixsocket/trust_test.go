//go:build unix

package unixsocket

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhoMayAnswerAtASocket(t *testing.T) {
	self, other := os.Geteuid(), os.Geteuid()+12345
	safe, open := shortDir(t), shortDir(t)
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		uid  int
		dir  string
		want bool
	}{
		"this user":                               {self, open, true},
		"root":                                    {0, open, true},
		"another, where anybody could put it":     {other, open, false},
		"another, where this user alone could":    {other, safe, true},
		"somebody unknown, where anybody could":   {-1, open, false},
		"somebody unknown, where this user could": {-1, safe, true},
		"another, in /tmp":                        {other, "/tmp", false},
	} {
		err := CheckServer(Conn{Peer: Peer{UID: c.uid}}, filepath.Join(c.dir, "s"))
		if (err == nil) != c.want || err != nil && !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALinkToAFolderOfOthersIsNotTrusted(t *testing.T) {
	safe, open := shortDir(t), shortDir(t)
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	foreign, own := filepath.Join(open, "s"), filepath.Join(safe, "s")
	for _, path := range []string{foreign, own} {
		l, err := Listen(path, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	for _, c := range []struct { // one leads to another before it
		link, target string
		want         bool
	}{
		{filepath.Join(safe, "out"), foreign, false},
		{filepath.Join(safe, "relative"), "../" + filepath.Base(open) + "/s", false},
		{filepath.Join(safe, "further"), filepath.Join(safe, "out"), false},
		{filepath.Join(safe, "in"), "s", true},
		{filepath.Join(open, "in"), own, false}, // others may turn it
	} {
		if err := os.Symlink(c.target, c.link); err != nil {
			t.Fatal(err)
		}
		if err := CheckServer(Conn{Peer: Peer{UID: os.Geteuid() + 12345}}, c.link); (err == nil) != c.want {
			t.Errorf("%s to %s: %v", c.link, c.target, err)
		}
	}
}

func TestAServersOwnFolderIsTrustedWhereOnlyRootCouldPutIt(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	const server, stranger = 12345, 12346
	safe, open := shortDir(t), shortDir(t)
	if err := os.Chmod(open, 0o1777); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		parent string
		owner  int
		mode   os.FileMode
		want   bool
	}{
		"its own":                          {safe, server, 0o700, true},
		"its own, into which others look":  {safe, server, 0o755, false},
		"a stranger's":                     {safe, stranger, 0o700, false},
		"its own, where anybody could put": {open, server, 0o700, false},
	} {
		dir := filepath.Join(c.parent, strings.ReplaceAll(name, " ", "-"))
		if err := errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, c.mode), os.Chown(dir, c.owner, -1)); err != nil {
			t.Fatal(err)
		}
		if err := CheckServer(Conn{Peer: Peer{UID: server}}, filepath.Join(dir, "s")); (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
