package fallback

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/helper"
)

// The test binary is its own second process: childVar says what it is to do.
const (
	childVar = "FALLBACK_TEST_CHILD"
	dirVar   = "FALLBACK_TEST_DIR"
)

func TestMain(m *testing.M) {
	child := map[string]func(string) error{"contend": contend, "rewrite": rewrite}[os.Getenv(childVar)]
	if child == nil {
		os.Exit(m.Run())
	}
	if err := child(os.Getenv(dirVar)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func startChild(t *testing.T, task, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childVar+"="+task, dirVar+"="+dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

const (
	contenders = 4
	rounds     = 20
)

// afterLogout is what the unlock that finds no cre.yaml leaves.
func afterLogout() []string {
	if runtime.GOOS == "windows" {
		return []string{lockName}
	}
	return nil
}

// checkAfterLogout takes no directory for an empty one.
func checkAfterLogout(t *testing.T, d Dir) {
	t.Helper()
	var left []string
	if _, err := os.Lstat(d.path); !errors.Is(err, fs.ErrNotExist) {
		left = names(t, d)
	}
	if !slices.Equal(left, afterLogout()) {
		t.Errorf("left %q, want %q", left, afterLogout())
	}
}

// contend counts up a file under the lock, from several goroutines. No
// cre.yaml is there, so that every unlock removes the lock and the directory,
// where it ever does.
func contend(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	errs := make([]error, contenders)
	var group sync.WaitGroup
	for i := range contenders {
		group.Go(func() {
			for range rounds {
				errs[i] = errors.Join(errs[i], countUp(ctx, dir))
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func countUp(ctx context.Context, dir string) (err error) {
	unlock, err := Open(filepath.Join(dir, ".cre")).Lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock(), unlock()) }()

	inside := filepath.Join(dir, "inside")
	if err := os.Mkdir(inside, 0o700); err != nil {
		return fmt.Errorf("somebody is inside, or was killed there: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(inside)) }() // else one failure looks like many
	counter := filepath.Join(dir, "counter")
	data, err := os.ReadFile(counter)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(data))
	if err != nil {
		return err
	}
	return os.WriteFile(counter, []byte(strconv.Itoa(n+1)), 0o600)
}

func TestLockExcludesGoroutinesAndProcesses(t *testing.T) {
	dir := tempDir(t)
	counter := filepath.Join(dir, "counter")
	if err := os.WriteFile(counter, []byte("0"), 0o600); err != nil {
		t.Fatal(err)
	}
	var children []*exec.Cmd
	for range contenders - 1 {
		children = append(children, startChild(t, "contend", dir))
	}
	if err := contend(dir); err != nil {
		t.Error(err)
	}
	for _, child := range children {
		if err := child.Wait(); err != nil {
			t.Error(err)
		}
	}
	data, err := os.ReadFile(counter)
	if want := strconv.Itoa(contenders * contenders * rounds); err != nil || string(data) != want {
		t.Errorf("counted to %s, want %s (%v)", data, want, err)
	}
	checkAfterLogout(t, Open(filepath.Join(dir, ".cre")))
}

func TestLockTimesOut(t *testing.T) {
	d := newDir(t)
	unlock, err := d.Lock(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := d.Lock(short); !errors.Is(err, helper.ErrBusy) {
		t.Errorf("got %v, want helper.ErrBusy", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Lock(cancelled); !errors.Is(err, context.Canceled) || errors.Is(err, helper.ErrBusy) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, err = d.Lock(soon(t))
	if err != nil {
		t.Fatalf("after unlock: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

func TestLockGivesUpAfterTwoMinutes(t *testing.T) {
	d := newDir(t)
	unlock, err := d.Lock(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock() //nolint:errcheck // not what is tested
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := d.Lock(t.Context())
		if took := time.Since(start); took != 2*time.Minute {
			t.Errorf("it took %v", took)
		}
		if !errors.Is(err, helper.ErrBusy) || !strings.Contains(err.Error(), d.file(lockName)) {
			t.Errorf("got %v, want an ErrBusy that names %s", err, d.file(lockName))
		}
	})
}

func TestWaitingForTheLockEndsWithItsContext(t *testing.T) {
	d := newDir(t)
	unlock, err := d.Lock(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock() //nolint:errcheck // not what is tested
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if _, err := d.Lock(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, helper.ErrBusy) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		if took := time.Since(start); took > time.Second+lockPoll {
			t.Errorf("it took %v", took)
		}
		past, cancel := context.WithDeadline(t.Context(), start)
		defer cancel()
		if _, err := d.Lock(past); !errors.Is(err, helper.ErrBusy) {
			t.Errorf("past the deadline: got %v, want ErrBusy", err)
		}
	})
}

func TestUnlockTwiceLeavesTheNextHolderAlone(t *testing.T) {
	d := newDir(t)
	first, err := d.Lock(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := first(); err != nil {
		t.Fatal(err)
	}
	second, err := d.Lock(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	defer second() //nolint:errcheck // not what is tested
	if err := first(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := d.Lock(short); !errors.Is(err, helper.ErrBusy) {
		t.Errorf("got %v, want helper.ErrBusy", err)
	}
}

func TestUnlockRemovesItsFileWithTheSession(t *testing.T) {
	d := newDir(t)
	plant(t, d, contextName, contextSample)
	for _, tt := range []struct {
		name string
		file File
		want []string
	}{
		{"a session stays", File{Tokens: tokens()}, []string{contextName, lockName, sessionName}},
		{"a session goes", File{}, append([]string{contextName}, afterLogout()...)},
	} {
		unlock, err := d.Lock(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(overwrite(d, tt.file), unlock()); err != nil {
			t.Fatal(err)
		}
		if left := names(t, d); !slices.Equal(left, tt.want) {
			t.Errorf("%s: left %q", tt.name, left)
		}
	}
}

// rewrite writes two sessions by turns, until it is killed.
func rewrite(dir string) error {
	d := Open(dir)
	for i := 0; ; i++ {
		unlock, err := d.Lock(context.Background())
		if err != nil {
			return err
		}
		f := File{Tokens: tokens()}
		f.Tokens.Refresh = helper.NewSecret(fmt.Sprintf("%0100000d", i%2))
		if err := errors.Join(overwrite(d, f), unlock()); err != nil {
			return err
		}
	}
}

func TestKilledWriterLeavesAWholeSessionAndNoLock(t *testing.T) {
	d := newDir(t)
	for round := range 8 {
		child := startChild(t, "rewrite", d.path)
		waitForSession(t, d)
		time.Sleep(time.Duration(round) * 3 * time.Millisecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // killed, as it should be
		f, err := d.ReadSession()
		if err != nil || len(f.Tokens.Refresh.Reveal()) != 100000 {
			t.Fatalf("round %d: a session of %d bytes, %v", round, len(f.Tokens.Refresh.Reveal()), err)
		}
		unlock, err := d.Lock(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(overwrite(d, File{}), unlock()); err != nil {
			t.Fatal(err)
		}
		checkAfterLogout(t, d)
	}
}

// A reader takes no lock.
func TestReaderBesideAWriterSeesWholeSessions(t *testing.T) {
	d := newDir(t)
	child := startChild(t, "rewrite", d.path)
	waitForSession(t, d)
	for range 100 {
		f, err := d.ReadSession()
		if err != nil || len(f.Tokens.Refresh.Reveal()) != 100000 {
			t.Errorf("a session of %d bytes, %v", len(f.Tokens.Refresh.Reveal()), err)
			break
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed, as it should be
}

func waitForSession(t *testing.T, d Dir) {
	t.Helper()
	for ctx := soon(t); ctx.Err() == nil; time.Sleep(time.Millisecond) {
		if _, err := os.Lstat(d.SessionPath()); err == nil {
			return
		}
	}
	t.Fatal("the child wrote no session")
}
