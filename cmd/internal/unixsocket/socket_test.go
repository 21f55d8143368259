//go:build unix

package unixsocket

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// shortDir is a folder whose path leaves room for a socket's.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "sock-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestAQuestionAndItsAnswerGoThroughASocket(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	l, err := Listen(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	served := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Minute))
			var text []byte
			if text, err = io.ReadAll(conn); err == nil {
				_, err = conn.Write(append(text, '!'))
			}
			if conn.Peer.UID != os.Geteuid() {
				t.Errorf("%+v asks", conn.Peer)
			}
		}
		served <- err
	}()
	conn, err := Dial(path, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(conn); err != nil || string(text) != "hello!" || conn.Peer.UID != os.Geteuid() {
		t.Errorf("%q, %v, %+v answers", text, err, conn.Peer)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := Listen(path, 0o600); err == nil {
		t.Error("there are two at one path")
	}
}

func TestCloseEndsAnAcceptThatWaits(t *testing.T) {
	l, err := Listen(filepath.Join(shortDir(t), "s"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

func TestASilentServerIsGivenUp(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	l, err := Listen(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := Dial(path, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("it has said something: %v", err)
	}
}

func TestAPathMustFitAndBeAFile(t *testing.T) {
	for _, path := range []string{"", "@abstract", "\x00abstract", "/" + strings.Repeat("a", 200)} {
		_, listenErr := Listen(path, 0o600)
		_, dialErr := Dial(path, time.Second)
		_, claimErr := Claim(path)
		if listenErr == nil || dialErr == nil || claimErr == nil {
			t.Errorf("%q was taken: %v, %v, %v", path, listenErr, dialErr, claimErr)
		}
	}
}

func TestASocketIsClaimedOnceItsOwnerHasEnded(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	first, err := Claim(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Claim(path); !errors.Is(err, ErrClaimed) {
		t.Errorf("of an owner that lives: %v", err)
	}
	// It ends, without a chance to remove anything.
	if err := errors.Join(l.Close(), first.file.Close()); err != nil {
		t.Fatal(err)
	}
	second, err := Claim(path)
	if err != nil {
		t.Fatalf("of one that has ended: %v", err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the stale socket: %v", err)
	}
	if err := second.Release(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Claim(path); err == nil {
		t.Error("a file was claimed")
	}
}

// TestASocketOfAnotherProgramIsNotClaimed, whether that program lives or not, and
// also where a dead owner has left its lock.
func TestASocketOfAnotherProgramIsNotClaimed(t *testing.T) {
	for name, c := range map[string]struct{ listens, lock, want bool }{
		"it listens":                             {listens: true},
		"it has ended":                           {},
		"it listens where one of ours has ended": {listens: true, lock: true},
		"ours, which has ended":                  {lock: true, want: true},
	} {
		path := filepath.Join(shortDir(t), "s")
		if c.lock {
			lock, err := Claim(path)
			if err != nil || lock.Abandon() != nil {
				t.Fatal(err)
			}
		}
		l, err := Listen(path, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if !c.listens {
			_ = l.Close()
		}
		lock, err := Claim(path)
		if (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			_ = lock.Release()
			continue
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("%s: it is gone: %v", name, err)
		}
		_ = l.Close()
	}
}

func TestAFileOfTheUsersIsNoLock(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	for name, make := range map[string]func() error{
		"a file":   func() error { return os.WriteFile(LockPath(path), []byte("kept"), 0o600) },
		"a longer": func() error { return os.WriteFile(LockPath(path), []byte(mark+"kept"), 0o600) },
		"a link":   func() error { return os.Symlink(path, LockPath(path)) },
		"a folder": func() error { return os.Mkdir(LockPath(path), 0o700) },
		"a pipe":   func() error { return syscall.Mkfifo(LockPath(path), 0o600) },
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		before, _ := os.Lstat(LockPath(path))
		if _, err := Claim(path); err == nil {
			t.Errorf("%s was taken", name)
		}
		if after, err := os.Lstat(LockPath(path)); err != nil || !os.SameFile(before, after) || after.Size() != before.Size() {
			t.Errorf("%s was changed: %v", name, err)
		}
		if err := os.Remove(LockPath(path)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path+".lock", []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	lock, err := Claim(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = lock.Release()
	if text, err := os.ReadFile(path + ".lock"); string(text) != "kept" {
		t.Errorf("the user's own file: %q, %v", text, err)
	}
}

func TestALockIsOneProcesssAtATime(t *testing.T) {
	path := filepath.Join(shortDir(t), "lock")
	held := make(chan struct{}, 1)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				lock, err := TakeLock(path)
				if err != nil {
					continue
				}
				select {
				case held <- struct{}{}:
					<-held
				default:
					t.Error("two hold it")
				}
				_ = lock.Release()
			}
		})
	}
	all.Wait()
}

// TestAServersOwnFolderIsTrustedWhereOnlyRootCouldPutIt, as one that is mounted into a
// container whose user is root.
