package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"cre-credential-helper/cmd/internal/safetext"
)

// ui says to a person what is no result: on standard error, and on a terminal
// with colour and movement.
type ui struct {
	err      io.Writer
	columns  func() int // the terminal's width; 0: it is none
	animated bool
	colored  bool
	links    bool // the terminal is known to show hyperlinks
	quiet    bool // say only what must be known: errors, warnings, questions

	mu      sync.Mutex // held while writing
	spinner *spinner   // nil: nothing is being waited for
}

// varNoSpinner is the variable that keeps everything still.
const varNoSpinner = "CRE_NO_SPINNER"

// newUI is for a standard error that is a terminal, or isn't.
func newUI(err io.Writer, terminal bool, columns func() int, getenv func(string) string) *ui {
	u := &ui{err: err, columns: columns}
	clever := terminal && getenv("TERM") != "dumb"
	forced := getenv("CLICOLOR_FORCE")
	u.animated = clever && getenv(varNoSpinner) == ""
	u.colored = getenv("NO_COLOR") == "" && (clever || forced != "" && forced != "0")
	u.links = clever && showsLinks(getenv)
	return u
}

const (
	red    = "31"
	yellow = "33"

	clearLine = "\r\x1b[K"

	// spinnerDelay spares the eye what is over at once.
	spinnerDelay = 200 * time.Millisecond
)

func (u *ui) say(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.spinner != nil {
		fmt.Fprint(u.err, clearLine)
	}
	fmt.Fprintf(u.err, format+"\n", args...)
}

// remark is say for what needn't be known.
func (u *ui) remark(format string, args ...any) {
	if !u.quiet {
		u.say(format, args...)
	}
}

const warning = "warning:"

func (u *ui) warn(text string) { u.headed(yellow, warning, text) }

// headed says text in one line, which a terminal would break anywhere.
func (u *ui) headed(color, head, text string) {
	text = head + " " + safetext.Line(text)
	if u.columns() > 0 {
		text = u.wrapped(text)
	}
	u.say("%s%s", u.paint(color, head), strings.TrimPrefix(text, head))
}

// notice shows what the helper had to say.
func (u *ui) notice(line string) {
	if isWarning(line) {
		u.warn(strings.TrimSpace(strings.TrimPrefix(line, warning)))
		return
	}
	u.remark("%s", safetext.Line(line))
}

func isWarning(line string) bool { return strings.HasPrefix(line, warning) }

// fail shows an error on one line, even if it is of several joined ones.
func (u *ui) fail(err error) {
	u.headed(red, "Error:", err.Error())
}

func (u *ui) paint(color, text string) string {
	if !u.colored {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// wait shows what is being waited for until done is called. A line that the
// terminal would wrap can't be redrawn.
func (u *ui) wait(text string) {
	u.done()
	if width := u.columns(); !u.animated || width > 0 && len("| ")+utf8.RuneCountInString(text) >= width {
		u.remark("%s", u.wrapped(text))
		return
	}
	if u.quiet {
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
	defer close(s.stopped)
	select {
	case <-time.After(spinnerDelay):
	case <-s.stop:
		return
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
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
