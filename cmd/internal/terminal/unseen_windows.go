package terminal

import (
	"context"
	"io"
	"time"

	"golang.org/x/sys/windows"
)

func inForeground(int) bool { return true }

// Unseen hands on each text that a person types or pastes and ends with Enter,
// without the console showing it, until ctx ends or the console is gone. A text
// may hold line ends. Started is called once, before anything is read: from then on
// nothing is shown. The console is as it was when Unseen returns; a read that
// is under way then takes one more line.
func (i *Input) Unseen(ctx context.Context, started func(), each func(text string)) error {
	console := windows.Handle(i.file.Fd())
	var before uint32
	if err := windows.GetConsoleMode(console, &before); err != nil {
		return err
	}
	if err := windows.SetConsoleMode(console, before&^windows.ENABLE_ECHO_INPUT); err != nil {
		return err
	}
	defer func() { _ = windows.SetConsoleMode(console, before) }()
	started()
	lines := i.lines(ctx)
	var got text
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line, open := <-lines:
			if !open {
				return io.EOF
			}
			got.add(line)
		case <-time.After(pause):
			if got.isComplete() {
				each(string(got))
				got = nil
			}
		}
	}
}

// lines reads until ctx has ended and one more line has come.
func (i *Input) lines(ctx context.Context) <-chan []byte {
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		for {
			buffer := make([]byte, 4<<10)
			n, err := i.file.Read(buffer)
			if err != nil {
				return
			}
			select {
			case lines <- buffer[:n]:
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}
