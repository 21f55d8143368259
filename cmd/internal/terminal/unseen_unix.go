//go:build unix

package terminal

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func inForeground(fd int) bool {
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// Unseen hands on each text that a person types or pastes and ends with Enter,
// without the terminal showing it, until ctx ends or the terminal is gone. A
// text may hold line ends. Started is called once, before anything is read: from
// then on nothing is shown. While another process group is in the foreground,
// nothing is read and nothing changed.
//
// The terminal is as it was when Unseen returns, as soon as ctx ends, and while
// this process is stopped by ^Z or ended by ^\.
func (i *Input) Unseen(ctx context.Context, started func(), each func(text string)) error {
	m := &mode{fd: i.fd()}
	defer m.end()
	defer context.AfterFunc(ctx, m.end)()
	defer m.heed()()
	var got text
	buffer := make([]byte, 4<<10)
	m.hide()
	started()
	for ctx.Err() == nil {
		if !m.hide() {
			sleep(ctx, pause)
			continue
		}
		switch ready, err := readable(m.fd, pause); {
		case err != nil:
			return err
		case !ready && got.isComplete():
			each(string(got))
			got = nil
		case ready && i.InForeground():
			n, err := unix.Read(m.fd, buffer)
			if err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
				return err
			}
			if n == 0 && err == nil {
				return io.EOF
			}
			got.add(buffer[:max(n, 0)])
		}
	}
	return ctx.Err()
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// readable waits for input for at most d. It uses select(2) because poll(2)
// knows no terminals on macOS.
func readable(fd int, d time.Duration) (bool, error) {
	var set unix.FdSet
	set.Set(fd)
	limit := unix.NsecToTimeval(d.Nanoseconds())
	n, err := unix.Select(fd+1, &set, nil, nil, &limit)
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return n > 0, err
}

// mode is a terminal's mode, changed and put back.
type mode struct {
	fd int

	mu     sync.Mutex
	before *unix.Termios // nil: it is as it was
	ended  bool
}

// hide has the terminal show nothing that is typed, and hand it on byte by byte,
// because the kernel's line of 1024 or 4096 bytes may be too short. It reports
// whether the terminal does.
func (m *mode) hide() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended || !inForeground(m.fd) { // in the background, a change would stop the process
		return false
	}
	if m.before != nil {
		return true
	}
	before, err := unix.IoctlGetTermios(m.fd, ioctlGet)
	if err != nil {
		return false
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON // ISIG stays: ^C and ^Z work
	hidden.Cc[unix.VMIN], hidden.Cc[unix.VTIME] = 1, 0
	if unix.IoctlSetTermios(m.fd, ioctlSet, &hidden) != nil {
		return false
	}
	m.before = before
	return true
}

func (m *mode) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
	m.putBack()
}

// putBack leaves the terminal alone if another group has it: that one has set it
// as it needs it.
func (m *mode) putBack() {
	if m.before != nil && inForeground(m.fd) {
		_ = unix.IoctlSetTermios(m.fd, ioctlSet, m.before)
	}
	m.before = nil
}

// heed puts the terminal back when a signal stops or ends the process, until
// forget is called. The signals that end an operation are ctx's.
func (m *mode) heed() (forget func()) {
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGTSTP, syscall.SIGQUIT} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	var done sync.WaitGroup
	done.Go(func() {
		for s := range signals {
			m.suffer(s.(syscall.Signal))
		}
	})
	return func() {
		signal.Stop(signals)
		close(signals)
		done.Wait()
	}
}

// suffer has s do what it does by default, with the terminal as it was.
func (m *mode) suffer(s syscall.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.putBack()
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	if s == syscall.SIGQUIT {
		signal.Reset(s)
		_ = syscall.Kill(os.Getpid(), s)
	} else if canBeContinued() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) // to Go, SIGTSTP's default is gone once it was caught
	} else {
		return
	}
	select {
	case <-continued:
	case <-time.After(time.Second):
	}
}

// canBeContinued reports whether a shell with job control has started this
// process. Otherwise the system doesn't let ^Z stop it, because nobody could let it
// go on (POSIX, orphaned process group).
func canBeContinued() bool {
	own, err := unix.Getsid(0)
	parents, perr := unix.Getsid(os.Getppid())
	return err == nil && perr == nil && own == parents && own != unix.Getpgrp()
}
