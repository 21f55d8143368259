//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/helper"
)

func TestOneUseIsConfirmedAtATime(t *testing.T) {
	asked := make(chan struct{}, 1)
	c := confirmation{name: "box", turn: make(chan struct{}, 1), ask: func(context.Context, string) (bool, error) {
		select {
		case asked <- struct{}{}:
			defer func() { <-asked }()
		default:
			t.Error("two questions at a time")
		}
		return true, nil
	}}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := c.confirm(t.Context(), grant.Use{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestNoAnswerInTimeIsANo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := confirmation{name: "box", turn: make(chan struct{}, 1), ask: func(ctx context.Context, _ string) (bool, error) {
			<-ctx.Done()
			return true, nil // which comes too late
		}}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := c.confirm(t.Context(), grant.Use{}); !errors.Is(err, helper.ErrAccount) || !strings.Contains(err.Error(), "in time") {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestWhatAProgramAnswersIsReadAsSSHDoes(t *testing.T) {
	for script, want := range map[string]bool{
		"exit 0": true, "echo yes": true, "echo YES": true, "echo": true, "exit 1": false, "echo no": false, "echo y": false, "echo yes; exit 1": false,
		"yes | head -c 100000": false,
	} {
		path := filepath.Join(t.TempDir(), "ask")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		if yes, err := askProgram(path)(t.Context(), "question"); yes != want || err != nil {
			t.Errorf("%s: %v, %v", script, yes, err)
		}
	}
	if yes, err := askProgram("/nowhere/ask")(t.Context(), "question"); yes || err == nil {
		t.Error("nobody said yes")
	}
}

func TestAProgramThatHangsEndsWithAllThatItHasStarted(t *testing.T) {
	dir := t.TempDir()
	path, pid := filepath.Join(dir, "ask"), filepath.Join(dir, "pid")
	script := "#!/bin/sh\nsleep 1000 &\necho $! >" + pid + ".new; mv " + pid + ".new " + pid + "\nwait\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan bool, 1)
	go func() {
		yes, _ := askProgram(path)(ctx, "question")
		asked <- yes
	}()
	var text []byte
	until(t, func() (started bool) {
		text, _ = os.ReadFile(pid)
		return len(text) > 0
	})
	cancel()
	if <-asked {
		t.Error("that was a yes")
	}
	started, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return !runs(started) })
}

// until waits for something that comes.
func until(t *testing.T, come func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !come(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it has not come")
		}
	}
}

// runs is false of a process that has ended, also of one that nobody has waited for.
func runs(pid int) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(string(out), "Z")
}

func TestWhoAsksIsShownOnOneLine(t *testing.T) {
	var shown string
	c := confirmation{name: "box", turn: make(chan struct{}, 1), ask: func(_ context.Context, question string) (bool, error) {
		shown = question
		return true, nil
	}}
	who := grant.Peer{UID: 1000, PID: 7, Program: "a\x1b[2J\nGrant \"box\": may root have"}
	if err := c.confirm(t.Context(), grant.Use{Peer: who, Origin: "https://example.com"}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(shown, "\x1b\n") || !strings.HasPrefix(shown, `Grant "box": may user 1000, process 7 (`) {
		t.Errorf("%q", shown)
	}
}

func TestWhoseASubordinateUserIs(t *testing.T) {
	const file = "ann:100000:65536\n# a comment\nbob:200000:65536\n1000:300000:10\n:0:4294967295\nann:x:1\nann:1:x\nann:4294967295:4294967295\n"
	for uid, want := range map[int]bool{
		99999: false, 100000: true, 165535: true, 165536: false, 200000: false, 300000: true, 300009: true, 300010: false, 0: false, 1: false,
	} {
		if got := hasSubuid(strings.NewReader(file), "ann", 1000, uid); got != want {
			t.Errorf("%d: %v", uid, got)
		}
	}
	if hasSubuid(strings.NewReader(file), "", 1001, 5) {
		t.Error("who has no name has everybody")
	}
}

func TestAUsersNameIsThatOfItsNumber(t *testing.T) {
	const file = "root:x:0:0::/:/bin/sh\n# a comment\n\nann:x:1000:1000::/home/ann:/bin/sh\nann2:x:1000:1000::/:/bin/sh\nbob:x:10:1000\n"
	for uid, want := range map[int]string{0: "root", 1000: "ann", 10: "bob", 100: "", 1: ""} {
		if got := nameOf(strings.NewReader(file), uid); got != want {
			t.Errorf("%d: %q", uid, got)
		}
	}
}

func FuzzPasswd(f *testing.F) {
	f.Add("ann:x:1000:1000::/home/ann:/bin/sh\n")
	f.Fuzz(func(t *testing.T, file string) {
		if name := nameOf(strings.NewReader(file), 1000); name != "" && !strings.Contains(file, name+":") {
			t.Errorf("%q in %q", name, file)
		}
	})
}

func FuzzSubuid(f *testing.F) {
	f.Add("ann:100000:65536\n", 100001)
	f.Fuzz(func(t *testing.T, file string, uid int) {
		if hasSubuid(strings.NewReader(file), "ann", 1000, uid) && !strings.Contains(file, "ann:") && !strings.Contains(file, "1000:") {
			t.Errorf("%d is somebody's by %q", uid, file)
		}
	})
}
