// Package terminal reads what a person types or pastes at a terminal.
package terminal

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

const (
	// pause is how long nothing must come after a line end before the text
	// counts as complete: a pasted text may hold line ends of its own.
	pause = 100 * time.Millisecond

	maxText = 16 << 10 // bytes of one text that are kept, the last ones
)

// Input is a terminal that a person types at.
type Input struct{ file *os.File }

// New returns nil unless file is a terminal.
func New(file *os.File) *Input {
	if !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return &Input{file}
}

// InForeground reports whether what is typed is for this process: its process
// group is the terminal's foreground one. On Windows, where there are no such
// groups, it always is. Of a nil Input it is false.
func (i *Input) InForeground() bool { return i != nil && inForeground(i.fd()) }

func (i *Input) fd() int { return int(i.file.Fd()) }

// Line returns the next line that is typed, seen, without its end. When ctx ends
// first, its error is returned; one byte that comes afterwards may be lost.
func (i *Input) Line(ctx context.Context) (string, error) {
	type result struct {
		line string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		line, err := i.readLine()
		read <- result{line, err}
	}()
	select {
	case r := <-read:
		return r.line, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// readLine takes one byte at a time, so that the next reader gets all that
// follows.
func (i *Input) readLine() (string, error) {
	var line strings.Builder
	var b [1]byte
	for line.Len() < maxText {
		n, err := i.file.Read(b[:])
		if err != nil && (line.Len() == 0 || !errors.Is(err, io.EOF)) {
			return "", err
		}
		if n == 0 || b[0] == '\n' {
			break
		}
		line.Write(b[:n])
	}
	return strings.TrimRight(line.String(), "\r"), nil
}

// text is what has come of one text.
type text []byte

func (t *text) add(more []byte) {
	*t = append(*t, more...)
	if tooMuch := len(*t) - maxText; tooMuch > 0 {
		*t = (*t)[tooMuch:]
	}
}

// isComplete is asked when nothing has come for a pause.
func (t text) isComplete() bool {
	return len(t) > 0 && (t[len(t)-1] == '\n' || t[len(t)-1] == '\r')
}
