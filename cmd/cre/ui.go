package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/safetext"
)

// ui says to a person what is no result: on standard error, and on a terminal
// with colour and movement.
type ui struct {
	err      io.Writer
	animated bool
	colored  bool

	mu      sync.Mutex // held while writing
	spinner *spinner   // nil: nothing is being waited for
}

const (
	red    = "31"
	yellow = "33"

	clearLine = "\r\x1b[K"
)

func (u *ui) say(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.spinner != nil {
		fmt.Fprint(u.err, clearLine)
	}
	fmt.Fprintf(u.err, format+"\n", args...)
}

const warning = "warning:"

func (u *ui) warn(text string) { u.say("%s %s", u.paint(yellow, warning), safetext.Line(text)) }

// notice shows what the helper had to say.
func (u *ui) notice(line string) {
	if isWarning(line) {
		u.warn(strings.TrimSpace(strings.TrimPrefix(line, warning)))
		return
	}
	u.say("%s", safetext.Line(line))
}

func isWarning(line string) bool { return strings.HasPrefix(line, warning) }

// fail shows an error on one line, even if it is of several joined ones.
func (u *ui) fail(err error) {
	u.say("%s %s", u.paint(red, "Error:"), safetext.Line(err.Error()))
}

func (u *ui) paint(color, text string) string {
	if !u.colored {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// wait shows what is being waited for until done is called.
func (u *ui) wait(text string) {
	u.done()
	if !u.animated {
		u.say("%s", text)
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.spinner = &spinner{stop: make(chan struct{}), stopped: make(chan struct{})}
	go u.spinner.run(u, text)
}

// done ends wait. To call it when nothing is waited for does no harm.
func (u *ui) done() {
	u.mu.Lock()
	s := u.spinner
	u.spinner = nil
	u.mu.Unlock()
	if s != nil {
		close(s.stop)
		<-s.stopped
	}
}

type spinner struct{ stop, stopped chan struct{} }

func (s *spinner) run(u *ui, text string) {
	const (
		frames   = `|/-\`
		interval = 120 * time.Millisecond
	)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	defer close(s.stopped)
	for i := 0; ; i++ {
		u.draw(fmt.Sprintf("%s%c %s", clearLine, frames[i%len(frames)], text))
		select {
		case <-tick.C:
		case <-s.stop:
			u.draw(clearLine)
			return
		}
	}
}

func (u *ui) draw(text string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	fmt.Fprint(u.err, text)
}
