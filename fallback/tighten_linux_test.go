package fallback

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"cre-credential-helper/fallback/internal/accounts"
	"cre-credential-helper/fallback/plain"
)

// looseDir is a directory with a session that a group may write to.
func looseDir(t *testing.T, gid int, mode fs.FileMode) (d Dir, said *[]string) {
	t.Helper()
	said = new([]string)
	d = newDir(t).Saying(func(line string) { *said = append(*said, line) })
	plant(t, d, sessionName, fiveKeys)
	if err := errors.Join(os.Chown(d.path, -1, gid), os.Chmod(d.path, mode)); err != nil {
		leftOut(t, err)
	}
	return d, said
}

// ownGroup is the group that is nobody's but this user's.
func ownGroup(t *testing.T) int {
	t.Helper()
	if !accounts.System().IsPrivate(uint32(os.Geteuid()), uint32(os.Getegid())) {
		leftOut(t, errors.New("this user has no group of its own"))
	}
	return os.Getegid()
}

const strangers = 12345 // a group that is in no list

// checkTightened locks d, which is then tight, and said so once.
func checkTightened(t *testing.T, d Dir, said *[]string) {
	t.Helper()
	before := mode(t, d.path)
	for range 2 {
		unlock, err := d.Lock(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := unlock(); err != nil {
			t.Error(err)
		}
	}
	if got := mode(t, d.path); got != before&^0o022 {
		t.Errorf("the mode is %v, and was %v", got, before)
	}
	if want := []string{"tightened " + d.path + ", which its group could write to"}; !slices.Equal(*said, want) {
		t.Errorf("said %q", *said)
	}
	if _, err := d.ReadSession(); err != nil {
		t.Error(err)
	}
}

// TestADirectoryOfTheUsersOwnGroup is what a umask of 002 makes where every user
// has a group: it is read, and the next writer tightens it.
func TestADirectoryOfTheUsersOwnGroup(t *testing.T) {
	for _, mode := range []fs.FileMode{0o775, 0o770, 0o770 | fs.ModeSetgid} {
		d, said := looseDir(t, ownGroup(t), mode)
		if f, err := d.ReadSession(); err != nil || f.IsZero() {
			t.Errorf("%v: ReadSession: %v", mode, err)
		}
		if s, err := plain.Read(d.path); err != nil || s.Tokens.IsZero() {
			t.Errorf("%v: plain.Read: %v", mode, err)
		}
		checkTightened(t, d, said)
	}
}

// TestADirectoryOfAnotherGroup isn't read until a writer has tightened it.
func TestADirectoryOfAnotherGroup(t *testing.T) {
	d, said := looseDir(t, strangers, 0o775)
	_, err := d.ReadSession()
	checkRefused(t, "ReadSession", err, "chmod go-w "+d.path)
	_, err = plain.Read(d.path)
	checkRefused(t, "plain.Read", err, "chmod go-w "+d.path)
	checkRefused(t, "Check without the lock", d.Check(), d.path)
	checkTightened(t, d, said)
}

// TestADirectoryThatAListOpens has the user's own group, whose right to write
// is the bound of what an access control list grants to somebody else.
func TestADirectoryThatAListOpens(t *testing.T) {
	d, said := looseDir(t, ownGroup(t), 0o770)
	const nobody = ^uint32(0)
	var list []byte
	list = binary.LittleEndian.AppendUint32(list, 2) // the version
	for _, e := range []struct {
		tag, rights uint16
		id          uint32
	}{{1, 7, nobody}, {2, 7, 12345}, {4, 0, nobody}, {16, 7, nobody}, {32, 0, nobody}} {
		list = binary.LittleEndian.AppendUint16(list, e.tag)
		list = binary.LittleEndian.AppendUint16(list, e.rights)
		list = binary.LittleEndian.AppendUint32(list, e.id)
	}
	if err := unix.Setxattr(d.path, "system.posix_acl_access", list, 0); err != nil {
		leftOut(t, err)
	}
	_, err := d.ReadSession()
	checkRefused(t, "ReadSession", err, d.path)
	checkTightened(t, d, said)
}

// TestWhatTighteningDoesNotMend: everybody may write, or somebody else owns it.
func TestWhatTighteningDoesNotMend(t *testing.T) {
	for name, spoil := range map[string]func(Dir) error{
		"everybody may write": func(d Dir) error { return os.Chmod(d.path, 0o777) },
		"somebody else's":     func(d Dir) error { return os.Chown(d.path, 12345, -1) },
	} {
		d, said := looseDir(t, os.Getegid(), 0o775)
		if err := spoil(d); err != nil {
			leftOut(t, err)
		}
		before := mode(t, d.path)
		_, err := d.Lock(soon(t))
		checkRefused(t, name, err, d.path)
		if got := mode(t, d.path); got != before || len(*said) > 0 {
			t.Errorf("%s: the mode is %v, and %q was said", name, got, *said)
		}
	}
}

// TestFilesThatTheGroupMayWriteTo are refused, the lock among them: who wrote
// them can't be told any more.
func TestFilesThatTheGroupMayWriteTo(t *testing.T) {
	d, _ := looseDir(t, os.Getegid(), 0o700)
	plant(t, d, lockName, "")
	for _, name := range []string{sessionName, lockName} {
		if err := os.Chmod(d.file(name), 0o664); err != nil {
			t.Fatal(err)
		}
	}
	_, err := d.ReadSession()
	checkRefused(t, "ReadSession", err, "chmod go-w "+d.SessionPath())
	_, err = plain.Read(d.path)
	checkRefused(t, "plain.Read", err, "chmod go-w "+d.SessionPath())
	_, err = d.Lock(soon(t))
	checkRefused(t, "Lock", err, "chmod go-w "+d.file(lockName))
}
