// Package killpoint runs a Go program and kills it at a chosen moment: right
// before or right after one of the system calls by which it changes what others
// see, a file, a lock, or what has been sent. So a test can end a program at each
// of its steps, one after the other, and the program needs no seam for it.
package killpoint

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// ErrStuck reports a program that did not end in time. It has been killed.
var ErrStuck = errors.New("the program did not end in time")

const timeout = 3 * time.Minute // on a busy machine

// Result tells how a program ended.
type Result struct {
	// Killed tells whether the program got as far as its n-th point. If not,
	// it ended by itself.
	Killed bool
	// Point names the last point that it got to, as in "before renameat".
	Point          string
	Status         int // the exit status; -1 when a signal ended it
	Stdout, Stderr string
	// Done lists what was done until then: the calls that count, and the reads
	// that brought something from a socket.
	Done []Call
}

// Call is a system call that has returned.
type Call struct {
	Name  string
	Reads bool // it doesn't count
	At    time.Time
}

// What stands for a socket in a [Call]'s name.
const (
	TCP  = "TCP"
	Unix = "a Unix socket" // or whatever isn't TCP
)

// Run runs cmd, of which it takes Path, Args, Env and Stdin, and kills it with
// SIGKILL at its n-th point, counted from 1 over all its threads. Each system
// call that counts is two points: before it is done, and after. A Stdin that is
// a file is the program's own, so it may be a pipe that stays open; of any other
// the program has a copy. An error means that cmd could not be run like that.
func Run(cmd *exec.Cmd, n int) (Result, error) {
	dir, err := os.MkdirTemp("", "killpoint")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder for temporary files
	files, err := openFiles(dir, cmd.Stdin)
	for _, f := range files {
		defer f.Close() //nolint:errcheck // the program wrote to it, not we
	}
	if err != nil {
		return Result{}, err
	}
	t := tracee{until: n, within: map[int]Call{}, sockets: map[string]string{}}
	if err := t.run(cmd, files); err != nil {
		return Result{}, fmt.Errorf("run %s: %w", cmd.Path, err)
	}
	out, err := os.ReadFile(files[1].Name())
	messages, err2 := os.ReadFile(files[2].Name())
	r := Result{Killed: t.killed, Point: t.point, Status: t.status, Stdout: string(out), Stderr: string(messages), Done: t.done}
	return r, errors.Join(err, err2)
}

// openFiles makes the program's standard streams.
func openFiles(dir string, stdin io.Reader) (files []*os.File, err error) {
	for _, name := range []string{"stdin", "stdout", "stderr"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	if own, ok := stdin.(*os.File); ok {
		err := files[0].Close()
		files[0] = own
		return files, err
	}
	if stdin == nil {
		return files, nil
	}
	_, err = io.Copy(files[0], stdin)
	_, err2 := files[0].Seek(0, io.SeekStart)
	return files, errors.Join(err, err2)
}

// tracee is a program under ptrace(2).
type tracee struct {
	until  int
	pid    int
	within map[int]Call // by thread: the call it is in, where that is one to note
	done   []Call
	points int
	point  string
	killed bool
	status int

	sockets map[string]string // their kinds, by name
}

// What package syscall lacks of ptrace(2)'s and wait(2)'s numbers.
const (
	ptraceGetSyscallInfo = 0x420e
	ptraceOptionExitKill = 0x100000
	waitAllThreads       = 0x40000000 // __WALL
	syscallStop          = syscall.SIGTRAP | 0x80
)

func (t *tracee) run(cmd *exec.Cmd, files []*os.File) error {
	runtime.LockOSThread() // one thread has to do all the tracing
	defer runtime.UnlockOSThread()
	attr := &syscall.ProcAttr{Env: cmd.Environ(), Sys: &syscall.SysProcAttr{Ptrace: true, Setpgid: true}}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	var err error
	if t.pid, err = syscall.ForkExec(cmd.Path, cmd.Args, attr); err != nil {
		return err
	}
	stuck := make(chan struct{})
	late := time.AfterFunc(timeout, func() { close(stuck); t.kill() })
	defer late.Stop()
	err = t.begin()
	for err == nil {
		err = t.step()
	}
	if !errors.Is(err, syscall.ECHILD) { // else nothing is left of it
		t.kill()
	}
	select {
	case <-stuck:
		return ErrStuck
	default:
	}
	if errors.Is(err, syscall.ECHILD) {
		return nil
	}
	return err
}

// begin meets the program at its start.
func (t *tracee) begin() error {
	if _, _, err := wait(t.pid); err != nil {
		return err
	}
	options := syscall.PTRACE_O_TRACESYSGOOD | syscall.PTRACE_O_TRACECLONE | ptraceOptionExitKill
	if err := syscall.PtraceSetOptions(t.pid, options); err != nil {
		return err
	}
	return syscall.PtraceSyscall(t.pid, 0)
}

// step waits for the next thing that happens in a thread, and lets the thread
// go on. It fails with ECHILD when none is left.
func (t *tracee) step() error {
	thread, status, err := wait(-t.pid)
	if err != nil {
		return err
	}
	if !status.Stopped() {
		if thread == t.pid {
			t.status = status.ExitStatus()
		}
		return nil
	}
	signal := status.StopSignal()
	switch {
	case signal == syscallStop:
		signal = 0
		if err := t.atSyscall(thread); err != nil {
			return ignoreGone(err)
		}
	case signal == syscall.SIGSTOP, signal == syscall.SIGTRAP: // a new thread; the one that made it
		signal = 0
	}
	return ignoreGone(syscall.PtraceSyscall(thread, int(signal)))
}

// wait is wait4(2), whatever signals come to this process meanwhile.
func wait(pid int) (thread int, status syscall.WaitStatus, err error) {
	for {
		thread, err = syscall.Wait4(pid, &status, waitAllThreads, nil)
		if !errors.Is(err, syscall.EINTR) {
			return thread, status, err
		}
	}
}

// ignoreGone: a thread that was killed meanwhile can't be told anything.
func ignoreGone(err error) error {
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

func (t *tracee) kill() { _ = syscall.Kill(t.pid, syscall.SIGKILL) }

// atSyscall notes the call that a thread is at, and counts the point that it
// is at, if it is one.
func (t *tracee) atSyscall(thread int) error {
	info, err := syscallInfo(thread)
	if err != nil {
		return err
	}
	switch info.op {
	case opEntry:
		delete(t.within, thread) // a call that was interrupted
		if call := t.note(info); call.Name != "" {
			t.within[thread] = call
			t.reach("before", call)
		}
	case opExit:
		call, ok := t.within[thread]
		if !ok {
			return nil
		}
		delete(t.within, thread)
		call.At = time.Now()
		if !t.killed && !(call.Reads && info.result() <= 0) {
			t.done = append(t.done, call)
		}
		t.reach("after", call)
	}
	return nil
}

func (t *tracee) reach(when string, call Call) {
	if t.killed || call.Reads {
		return
	}
	t.points++
	t.point = when + " " + call.Name
	if t.points == t.until {
		t.killed = true
		t.kill()
	}
}

// note names the call if it changes what others see, or may bring something
// from a socket.
func (t *tracee) note(call syscallStopInfo) Call {
	switch call.number {
	case syscall.SYS_OPENAT:
		if call.args[2]&syscall.O_CREAT != 0 {
			return Call{Name: "openat"}
		}
	case syscall.SYS_WRITE, syscall.SYS_WRITEV, syscall.SYS_PWRITE64, syscall.SYS_SENDTO, syscall.SYS_SENDMSG:
		// The runtime wakes its own threads by writing to an eventfd. Where we
		// aren't root, we can't see that of a program whose memory is closed.
		if to := t.file(call.args[0]); !strings.HasPrefix(to, "anon_inode:") {
			return Call{Name: "write to " + to}
		}
	case syscall.SYS_READ, syscall.SYS_RECVFROM, syscall.SYS_RECVMSG:
		if from := t.file(call.args[0]); from == TCP || from == Unix {
			return Call{Name: "read from " + from, Reads: true}
		}
	}
	if call.number == syscall.SYS_KEYCTL {
		return Call{Name: keyChanges[call.args[0]]}
	}
	return Call{Name: changes[call.number]}
}

// file names what a descriptor stands for.
func (t *tracee) file(descriptor uint64) string {
	name, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", t.pid, descriptor))
	inode, ok := strings.CutPrefix(name, "socket:[")
	if !ok {
		return name
	}
	kind, known := t.sockets[name]
	if !known {
		kind = t.kindOf(strings.TrimSuffix(inode, "]"))
		t.sockets[name] = kind
	}
	return kind
}

// kindOf looks a socket up. What changes while the kernel's table is read may hide a
// line of it.
func (t *tracee) kindOf(inode string) string {
	for _, family := range []string{"tcp", "tcp6", "tcp", "tcp6", "tcp", "tcp6"} {
		connections, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", t.pid, family))
		if strings.Contains(string(connections), " "+inode+" ") {
			return TCP
		}
	}
	return Unix
}

var changes = map[uint64]string{
	syscall.SYS_FSYNC:     "fsync",
	syscall.SYS_FDATASYNC: "fdatasync",
	syscall.SYS_RENAMEAT:  "renameat",
	syscall.SYS_UNLINKAT:  "unlinkat",
	syscall.SYS_MKDIRAT:   "mkdirat",
	syscall.SYS_FLOCK:     "flock",
	syscall.SYS_FCHMOD:    "fchmod",
	syscall.SYS_FCHMODAT:  "fchmodat",
	syscall.SYS_FTRUNCATE: "ftruncate",
	syscall.SYS_ADD_KEY:   "add_key",
}

// keyChanges are those of keyctl(2)'s operations that change a key.
var keyChanges = map[uint64]string{
	5: "keyctl setperm", // KEYCTL_SETPERM
	9: "keyctl unlink",  // KEYCTL_UNLINK
}
