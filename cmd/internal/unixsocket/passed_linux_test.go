package unixsocket

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestManyShareOneDescriptor(t *testing.T) {
	ours, theirs, err := NewPassed()
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		for {
			q, err := ours.Accept()
			if err != nil {
				served <- err
				return
			}
			text, _ := io.ReadAll(q)
			_ = q.SetDeadline(time.Now().Add(time.Minute))
			_, _ = q.Write([]byte(strings.ToUpper(string(text))))
			if q.Peer.UID != os.Geteuid() || q.Peer.PID != os.Getpid() {
				t.Errorf("%+v asks", q.Peer)
			}
			_ = q.Close()
		}
	}()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			answer, err := Send(int(theirs.Fd()), []byte("hello"), time.Minute)
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Close()
			if text, err := io.ReadAll(answer); err != nil || string(text) != "HELLO" {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
	all.Wait()
	for name, send := range map[string]func() error{
		"without a pipe": func() error { return unix.Sendmsg(int(theirs.Fd()), []byte("hello"), nil, nil, 0) },
		"a file in the place of the pipe": func() error {
			file, err := os.CreateTemp(t.TempDir(), "")
			if err != nil {
				return err
			}
			defer file.Close()
			defer func() {
				if text, _ := os.ReadFile(file.Name()); len(text) != 0 {
					t.Errorf("the file was written: %q", text)
				}
			}()
			return unix.Sendmsg(int(theirs.Fd()), []byte("hello"), unix.UnixRights(int(file.Fd())), nil, 0)
		},
		"several pipes": func() error {
			r, w, err := os.Pipe()
			if err != nil {
				return err
			}
			defer w.Close()
			err = unix.Sendmsg(int(theirs.Fd()), []byte("hello"), unix.UnixRights(int(w.Fd()), int(w.Fd())), nil, 0)
			_ = w.Close()
			if text, readErr := io.ReadAll(r); readErr != nil || len(text) != 0 {
				t.Errorf("%q, %v", text, readErr)
			}
			return err
		},
		"nothing": func() error { return unix.Sendmsg(int(theirs.Fd()), nil, nil, nil, 0) },
	} {
		if err := send(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	answer, err := Send(int(theirs.Fd()), []byte("still"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(answer); err != nil || string(text) != "STILL" {
		t.Errorf("%q, %v", text, err)
	}
	_ = answer.Close()
	if _, err := Send(int(theirs.Fd()), make([]byte, maxMessage+1), time.Minute); err == nil {
		t.Error("a message without end was sent")
	}
	if err := theirs.Close(); err != nil { // nobody can ask any more
		t.Fatal(err)
	}
	if err := <-served; !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

func TestAGrantThatHasEndedIsNotWaitedFor(t *testing.T) {
	ours, theirs, err := NewPassed()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	waits, err := Send(int(theirs.Fd()), []byte("hello"), time.Minute) // which nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer waits.Close()
	if err := ours.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(waits); err != nil || len(text) != 0 {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := Send(int(theirs.Fd()), []byte("hello"), time.Minute); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	if _, err := ours.Accept(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	for _, file := range []*os.File{os.Stdin, os.Stderr} {
		if _, err := Send(int(file.Fd()), nil, time.Minute); !errors.Is(err, ErrNotPassed) {
			t.Error(err)
		}
	}
}
