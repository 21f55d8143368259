package keyring_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

// This very test program is also every other process, told by roleVariable
// what to be and by addressVariable on which bus.
const (
	roleVariable    = "KEYRING_TEST_ROLE"
	addressVariable = "KEYRING_TEST_BUS"

	// folderVariable names where those who have the lock meet.
	folderVariable = "KEYRING_TEST_FOLDER"
)

// outcome is what a role printed, and how long it took.
type outcome struct {
	text  string
	spent time.Duration
}

// play runs this test program in a role, with env on top of its own.
func play(t *testing.T, role string, env []string, address string) outcome {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, program)
	c.Env = slices.Concat(os.Environ(), env, []string{roleVariable + "=" + role, addressVariable + "=" + address, "GORACE=atexit_sleep_ms=0"})
	begin := time.Now()
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", role, err, out)
	}
	return outcome{string(out), time.Since(begin)}
}

const contenders = 10 // processes

// lockers is how many goroutines each has. Under Wine, 20 take 20 seconds.
func lockers() int {
	if runtime.GOOS == "windows" {
		return 5
	}
	return 20
}

// manyLocks has each holder of the lock make and remove a folder of one name.
func manyLocks(t *testing.T, address string) {
	t.Helper()
	dir := keyringtest.TempDir(t)
	begin := time.Now()
	var wg sync.WaitGroup
	for range contenders {
		wg.Go(func() {
			if out := play(t, "contend", []string{folderVariable + "=" + dir}, address); out.text != "" {
				t.Error(out.text)
			}
		})
	}
	wg.Wait()
	t.Logf("%d locks in %v", contenders*lockers(), time.Since(begin).Round(time.Millisecond))
	counted, err := os.ReadFile(filepath.Join(dir, "counter"))
	if want := strings.Repeat(".", contenders*lockers()); err != nil || string(counted) != want {
		t.Errorf("%d locks were had, want %d (%v)", len(counted), len(want), err)
	}
}

// contend is played by a process.
func contend(s *keyring.Store) {
	dir := os.Getenv(folderVariable)
	var wg sync.WaitGroup
	for range lockers() {
		wg.Go(func() {
			if err := enter(s, dir); err != nil {
				fmt.Println(err)
			}
		})
	}
	wg.Wait()
}

func enter(s *keyring.Store, dir string) error {
	held, unlock, err := s.Lock(context.Background())
	if err != nil {
		return err
	}
	inside := filepath.Join(dir, "inside")
	err = os.Mkdir(inside, 0o700)
	if err == nil {
		counter := filepath.Join(dir, "counter")
		old, _ := os.ReadFile(counter) // the first one finds none
		time.Sleep(time.Millisecond)
		err = errors.Join(os.WriteFile(counter, append(old, '.'), 0o600), os.Remove(inside))
	}
	return errors.Join(err, held.Err(), unlock())
}

// startHolder runs a process that takes the lock, and returns when it has it.
func startHolder(t *testing.T, address string, env ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program)
	c.Env = slices.Concat(os.Environ(), env, []string{roleVariable + "=hold", addressVariable + "=" + address})
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	return c
}

// hold is played by a process: it has the lock until it is killed.
func hold(s *keyring.Store) {
	_, unlock, err := s.Lock(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer unlock() //nolint:errcheck // nobody gets as far
	fmt.Println("held")
	time.Sleep(time.Hour) // where nothing else runs, select{} would be a deadlock
}
