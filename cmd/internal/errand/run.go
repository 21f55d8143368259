package errand

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

const (
	maxAnswer   = 64 << 20 // bytes: a list may be long
	maxMessages = 64 << 10 // of what the program says instead of an answer
)

// errAnswer reports a program that breaks the rules of the conversation, as one
// of another version may.
var errAnswer = errors.New(ProgramName + " doesn't answer as it should: install it again beside cre-credential-helper")

// run starts the program in a session and a process group of its own and returns
// its answer. Its standard input stays open as long as somebody waits.
func run(ctx context.Context, path string, q question) (answer, error) {
	request, err := json.Marshal(q.versioned())
	if err != nil {
		return answer{}, err
	}
	c, err := start(path)
	if err != nil {
		return answer{}, fmt.Errorf("running %s: %w", ProgramName, err)
	}
	leave, left := context.WithCancel(context.Background())
	defer left()
	go func() {
		_, _ = c.in.Write(request) // a program that doesn't read says why
		<-leave.Done()
		_ = c.in.Close()
	}()
	type result struct {
		answer answer
		err    error
	}
	answered := make(chan result, 1)
	go func() {
		a, err := c.answer()
		answered <- result{a, err}
	}()
	select {
	case r := <-answered:
		return r.answer, r.err
	case <-ctx.Done():
	}
	if !q.writes() {
		return answer{}, ctx.Err()
	}
	left()
	r := <-answered
	return r.answer, r.err
}

// child is the running program.
type child struct {
	cmd  *exec.Cmd
	in   *os.File // its standard input's other end
	out  *os.File // its standard output's
	said messages // on standard error
}

func start(path string) (*child, error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close() //nolint:errcheck // the program has its own
	out, theirOut, err := os.Pipe()
	if err != nil {
		in.Close() //nolint:errcheck // a pipe
		return nil, err
	}
	defer theirOut.Close() //nolint:errcheck // the program has its own
	c := &child{cmd: exec.Command(path), in: in, out: out}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirIn, theirOut, &c.said
	detach(c.cmd)
	if err := c.cmd.Start(); err != nil {
		in.Close()  //nolint:errcheck // a pipe
		out.Close() //nolint:errcheck // a pipe
		return nil, err
	}
	return c, nil
}

// answer reads the program's answer. Once it is complete, nobody waits for the
// program's end: it may have something left to do.
func (c *child) answer() (a answer, err error) {
	defer c.out.Close() //nolint:errcheck // a pipe
	if err := json.NewDecoder(io.LimitReader(c.out, maxAnswer)).Decode(&a); err == nil {
		go c.cmd.Wait() //nolint:errcheck // it has said what there is to say
		if a.Version != version {
			return answer{}, errAnswer
		}
		return a, nil
	}
	err = c.cmd.Wait()
	lines := strings.Split(strings.TrimSpace(c.said.String()), "\n")
	if last := strings.TrimPrefix(lines[len(lines)-1], ProgramName+": "); last != "" {
		return answer{}, fmt.Errorf("%w (%s)", errAnswer, last)
	}
	return answer{}, fmt.Errorf("%w (%v)", errAnswer, err)
}

// messages keeps the first of what is written to it.
type messages struct{ bytes.Buffer }

func (m *messages) Write(p []byte) (int, error) {
	m.Buffer.Write(p[:min(len(p), maxMessages-m.Len())])
	return len(p), nil
}
