package fallback

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// withMounts runs f where the mounts that it makes are seen by nobody else.
func withMounts(t *testing.T, f func()) {
	t.Helper()
	apart(t, func() error {
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return fmt.Errorf("mount namespaces are not permitted: %w", err)
		}
		return unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	}, f)
}

func mount(t *testing.T, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		t.Fatalf("mount %s: %v", target, err)
	}
}

// failing runs f where one system call does nothing but fail.
func failing(t *testing.T, call uint32, errno syscall.Errno, f func()) {
	t.Helper()
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	apart(t, func() error {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
	}, f)
}

// checkExplained wants one line that names the path and what to do.
func checkExplained(t *testing.T, what string, err error, is error, path, todo string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Errorf("%s: got %v, want %v", what, err, is)
		return
	}
	text := err.Error()
	if !strings.Contains(text, path) || !strings.Contains(text, todo) || strings.Contains(text, "\n") || strings.Contains(text, tempPrefix) {
		t.Errorf("%s: %q doesn't name %s and %q alone", what, text, path, todo)
	}
}

func checkUntouched(t *testing.T, d Dir) {
	t.Helper()
	if got := content(t, d, sessionName); got != fiveKeys {
		t.Errorf("the session became %q", got)
	}
	if left := names(t, d); len(left) != 1 {
		t.Errorf("left %q", left)
	}
}

// TestMountPointIsFoundBeforehand is docker run -v …/cre.yaml:…/cre.yaml, where
// the file is there and where it isn't.
func TestMountPointIsFoundBeforehand(t *testing.T) {
	withMounts(t, func() {
		d := newDir(t)
		plant(t, d, sessionName, fiveKeys)
		mount(t, d.SessionPath(), d.SessionPath(), "", unix.MS_BIND, "")
		for what, err := range everyAccess(d) {
			if what != "ReadSession" {
				checkExplained(t, what, err, unix.EBUSY, d.SessionPath(), "mount the directory")
			}
		}
		checkUntouched(t, d)
	})
	withMounts(t, func() {
		d := newDir(t)
		if err := os.MkdirAll(d.SessionPath(), 0o700); err != nil {
			t.Fatal(err)
		}
		mount(t, d.SessionPath(), d.SessionPath(), "", unix.MS_BIND, "")
		for what, err := range everyAccess(d) {
			if what != "ReadSession" {
				checkExplained(t, what, err, unix.EBUSY, d.SessionPath(), "mount the directory")
			}
		}
	})
}

// setImmutable is chattr +i, or -i.
func setImmutable(path string, immutable bool) error {
	const flag = 0x10 // FS_IMMUTABLE_FL in linux/fs.h
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return err
	}
	flags &^= flag
	if immutable {
		flags |= flag
	}
	return unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags)
}

func TestImmutableFileIsFoundBeforehand(t *testing.T) {
	for _, name := range []string{sessionName, "."} {
		d := newDir(t)
		plant(t, d, sessionName, fiveKeys)
		path := d.file(name)
		if err := setImmutable(path, true); err != nil {
			leftOut(t, fmt.Errorf("chattr +i %s: %w", path, err))
		}
		for what, err := range everyAccess(d) {
			if what != "ReadSession" {
				checkExplained(t, what, err, unix.EPERM, d.SessionPath(), "chattr -i")
			}
		}
		if err := setImmutable(path, false); err != nil {
			t.Fatal(err)
		}
		checkUntouched(t, d)
	}
}

func TestReadOnlyFileSystemIsFoundBeforehand(t *testing.T) {
	withMounts(t, func() {
		d := newDir(t)
		plant(t, d, sessionName, fiveKeys)
		mount(t, d.path, d.path, "", unix.MS_BIND, "")
		mount(t, "", d.path, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
		accesses := everyAccess(d)
		_, accesses["Lock"] = d.Lock(soon(t))
		for what, err := range accesses {
			if what != "ReadSession" {
				checkExplained(t, what, err, unix.EROFS, d.path, "for writing")
			}
		}
		checkUntouched(t, d)
	})
}

// fillUp leaves no room on d's own small file system.
func fillUp(t *testing.T, d Dir) {
	t.Helper()
	err := os.WriteFile(d.file("ballast"), make([]byte, 4<<20), 0o600)
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("filling the disk up: %v", err)
	}
}

func smallDisk(t *testing.T) Dir {
	t.Helper()
	d := Open(filepath.Join(t.TempDir(), ".cre"))
	if err := os.Mkdir(d.path, 0o700); err != nil {
		t.Fatal(err)
	}
	mount(t, "tmpfs", d.path, "tmpfs", 0, "size=1m,mode=0700")
	return d
}

func TestFullDiskIsFoundBeforehand(t *testing.T) {
	withMounts(t, func() {
		d := smallDisk(t)
		plant(t, d, sessionName, fiveKeys)
		fillUp(t, d)
		checkExplained(t, "Check", d.Check(), unix.ENOSPC, d.SessionPath(), "room")
		checkExplained(t, "a write", overwrite(d, File{Tokens: tokens()}), unix.ENOSPC, d.SessionPath(), "room")
		if _, err := d.StageSession(); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("StageSession: %v", err)
		}
		if err := os.Remove(d.file("ballast")); err != nil {
			t.Fatal(err)
		}
		checkUntouched(t, d)
	})
}

func TestAStageNeedsNoRoomOnceItIsMade(t *testing.T) {
	withMounts(t, func() {
		d := smallDisk(t)
		plant(t, d, sessionName, fiveKeys)
		old := read(t, d)
		s, err := d.StageSession()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Discard()
		fillUp(t, d)
		fresh := fileOf(strings.Repeat("x", room-100))
		if err := s.Replace(old, fresh); err != nil {
			t.Fatal(err)
		}
		if what := diff(read(t, d), fresh); what != "" {
			t.Errorf("read back differs: %s", what)
		}
	})
}

func TestAStageIsUsedAgainAfterAFault(t *testing.T) {
	d := newDir(t)
	plant(t, d, sessionName, fiveKeys)
	old := read(t, d)
	s, err := d.StageSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Discard()
	failing(t, unix.SYS_FSYNC, unix.EIO, func() {
		if err := s.Replace(old, fileOf("fresh")); !errors.Is(err, unix.EIO) {
			t.Errorf("got %v, want EIO", err)
		}
	})
	if got := content(t, d, sessionName); got != fiveKeys {
		t.Errorf("the session became %q", got)
	}
	if err := s.Replace(old, fileOf("fresh")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, d).Tokens.Access.Reveal(); got != "fresh" {
		t.Errorf("wrote %q", got)
	}
}

func TestFileSystemWithoutLocksIsNamed(t *testing.T) {
	for _, errno := range []syscall.Errno{unix.ENOLCK, unix.EOPNOTSUPP, unix.ENOSYS} {
		d := newDir(t)
		plant(t, d, sessionName, fiveKeys)
		failing(t, unix.SYS_FLOCK, errno, func() {
			_, err := d.Lock(soon(t))
			checkExplained(t, "Lock", err, errno, "file system of "+d.path, "link to it")
		})
	}
}
