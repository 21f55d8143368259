package foreground

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// Command is what is started.
type Command struct {
	Path                  string     // absolute
	Args                  []string   // without the program's name
	Env                   []string   // all of it; of two values for one name the last one counts
	Extra                 []*os.File // are its descriptors from 3 on (not on Windows)
	Stdin, Stdout, Stderr *os.File   // handed through as they are; nil: nothing is read, and what is written is lost
}

// Process is a program that runs.
type Process struct {
	pid   int
	ended chan struct{}
	state *os.ProcessState
	err   error
}

// Start starts a program in this process's own process group, terminal
// and working directory. From now until it has ended, this process survives the
// signals that end or stop a program, and those that the terminal doesn't send
// to both are forwarded; one that was ignored stays so for both. On Linux and
// FreeBSD the program is killed when this process dies, whatever way;
// elsewhere it goes on.
//
// When ctx is done, the program is killed: ctx must not end with a signal
// that the official CLI is to handle itself.
//
// Its errors are those of [exec.Cmd.Start].
func Start(ctx context.Context, c Command) (*Process, error) {
	p := &Process{ended: make(chan struct{})}
	started := make(chan error, 1)
	go p.run(ctx, c, started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// PID is the process's number, also when it has ended.
func (p *Process) PID() int { return p.pid }

// Wait waits for the end of the program, not for that of its streams, and
// returns its exit status: 128+n if a signal n ended it.
func (p *Process) Wait() (status int, err error) {
	<-p.ended
	if p.err != nil {
		return 0, fmt.Errorf("waiting for the end of the program: %w", p.err)
	}
	return exitStatus(p.state), nil
}

// run is a goroutine with a thread of its own: the kernel takes the end of the
// thread that started the child for that of the parent.
func (p *Process) run(ctx context.Context, c Command, started chan<- error) {
	defer close(p.ended)
	runtime.LockOSThread() // for good: it ends with this goroutine
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Env, cmd.SysProcAttr, cmd.ExtraFiles = c.Env, attributes(), c.Extra
	// A nil *os.File in the interface would not be nil.
	if c.Stdin != nil {
		cmd.Stdin = c.Stdin
	}
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	if c.Stderr != nil {
		cmd.Stderr = c.Stderr
	}
	signals := listen() // before there is a child that could be left alone
	defer signals.stop()
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	p.pid = cmd.Process.Pid
	started <- nil
	go signals.forward(cmd.Process)
	err := cmd.Wait()
	p.state = cmd.ProcessState
	if p.state == nil {
		p.err = err
	}
}
