// Package recording keeps what a terminal showed, as an asciicast, and draws it as
// a picture for a web page.
package recording

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// Cast is what a terminal showed.
type Cast struct {
	Width, Height int // in characters
	Title         string
	Events        []Event
}

// Event is text that arrived at a terminal, counted from the beginning.
type Event struct {
	At   time.Duration
	Text string
}

const (
	keystroke = 45 * time.Millisecond // between two letters of a command
	thought   = 700 * time.Millisecond
	answering = 400 * time.Millisecond // until a command has answered, however long it took
)

// Command adds a command, as somebody would type it, and what it printed. The times
// are made up, so that the same commands make the same cast.
func (c *Cast) Command(command, printed string) {
	if len(c.Events) > 0 {
		c.add(thought, "\r\n")
	}
	c.add(thought, "\x1b[32m$\x1b[0m ")
	for _, letter := range command {
		c.add(keystroke, string(letter))
	}
	c.add(thought, "\r\n")
	c.add(answering, strings.ReplaceAll(strings.ReplaceAll(printed, "\r\n", "\n"), "\n", "\r\n"))
}

func (c *Cast) add(after time.Duration, text string) {
	at := after
	if n := len(c.Events); n > 0 {
		at += c.Events[n-1].At
	}
	c.Events = append(c.Events, Event{at, text})
}

// header is the first line of an asciicast.
// Source: https://docs.asciinema.org/manual/asciicast/v2/
type header struct {
	Version int    `json:"version"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	Title   string `json:"title"`
}

// Marshal writes c as an asciicast of version 2.
func (c *Cast) Marshal() []byte {
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	lines.SetEscapeHTML(false)
	_ = lines.Encode(header{2, c.Width, c.Height, c.Title}) // neither can fail: they are numbers and texts
	for _, e := range c.Events {
		_ = lines.Encode([]any{float64(e.At.Milliseconds()) / 1000, "o", e.Text})
	}
	return out.Bytes()
}
