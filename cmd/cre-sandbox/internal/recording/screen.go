package recording

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// run is text of one style on one line, which appeared at once or, if it was
// typed, letter by letter.
type run struct {
	line, column int
	text, class  string
	at, typing   time.Duration
}

// screen is a terminal that knows colours and line ends, and does not scroll.
type screen struct {
	width, height, line, column int
	class                       string
	runs                        []run
}

// classes are the styles that our programs and the official CLI's stand-in use, by
// the number in SGR (ECMA-48, 8.3.117).
var classes = map[string]string{
	"": "", "0": "", "1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow", "34": "blue", "36": "blue",
}

// show takes an event. What this terminal does not know is an error: then the
// picture would be wrong.
func (s *screen) show(e Event) error {
	for text := e.Text; text != ""; {
		switch {
		case strings.HasPrefix(text, "\r\n"):
			s.line, s.column, text = s.line+1, 0, text[2:]
			continue
		case strings.HasPrefix(text, "\x1b["):
			number, rest, found := strings.Cut(text[2:], "m")
			class, known := classes[number]
			if !found || !known {
				return fmt.Errorf("a control sequence that can't be drawn: %.10q", text)
			}
			s.class, text = class, rest
			continue
		}
		end := strings.IndexAny(text, "\x1b\r\n\t\b")
		switch {
		case end == 0:
			return fmt.Errorf("a control character that can't be drawn: %.10q", text)
		case end < 0:
			end = len(text)
		}
		if err := s.put(text[:end], e.At); err != nil {
			return err
		}
		text = text[end:]
	}
	return nil
}

// put writes text without control characters, and goes on in the next line where
// this one is full.
func (s *screen) put(text string, at time.Duration) error {
	for text != "" {
		if s.column == s.width {
			s.line, s.column = s.line+1, 0
		}
		if s.line >= s.height {
			return fmt.Errorf("more than %d lines, from %.40q", s.height, text)
		}
		piece := text
		if room := s.width - s.column; utf8.RuneCountInString(text) > room {
			piece = string([]rune(text)[:room])
		}
		s.append(piece, at)
		s.column += utf8.RuneCountInString(piece)
		text = text[len(piece):]
	}
	return nil
}

// append joins a letter that was typed to those before it.
func (s *screen) append(text string, at time.Duration) {
	if n := len(s.runs); n > 0 {
		last := &s.runs[n-1]
		pause := at - last.at - last.typing
		joins := last.line == s.line && last.class == s.class && last.column+utf8.RuneCountInString(last.text) == s.column
		if joins && pause <= keystroke && utf8.RuneCountInString(text) == 1 {
			last.text += text
			last.typing += pause
			return
		}
	}
	s.runs = append(s.runs, run{s.line, s.column, text, s.class, at, 0})
}
