package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// maxColumns keeps lines readable on a wide terminal, and is the width where
// there is none.
const maxColumns = 80

// wrapped breaks text between words where the terminal would break it anywhere.
func (u *ui) wrapped(text string) string {
	return broken(text, u.width())
}

// width is how long a line may be.
func (u *ui) width() int {
	if columns := u.columns(); columns > 0 {
		return min(columns, maxColumns)
	}
	return maxColumns
}

// broken is text in lines of that width. A longer word stays whole.
func broken(text string, width int) string {
	var out strings.Builder
	used := 0
	for word := range strings.FieldsSeq(text) {
		length := utf8.RuneCountInString(word)
		switch {
		case used > 0 && used+1+length > width:
			out.WriteByte('\n')
			used = 0
		case used > 0:
			out.WriteByte(' ')
			used++
		}
		out.WriteString(word)
		used += length
	}
	return out.String()
}

// print writes results. On a terminal, their lines are broken between words, and go on
// indented so far; those of commands, which begin with four spaces, stay whole.
func (m machine) print(indent int, text string) error {
	if m.toTerminal {
		text = hanging(text, indent, m.ui.width())
	}
	_, err := io.WriteString(m.out, text)
	return err
}

// result prints a sentence.
func (m machine) result(text string) error { return m.print(0, text+"\n") }

func hanging(text string, indent, width int) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		runes := []rune(strings.TrimSuffix(line, "\n"))
		if len(runes) <= max(width, indent) || strings.HasPrefix(line, "    ") {
			out.WriteString(line)
			continue
		}
		out.WriteString(string(runes[:indent]))
		rest := broken(string(runes[indent:]), width-indent)
		out.WriteString(strings.ReplaceAll(rest, "\n", "\n"+strings.Repeat(" ", indent)) + "\n")
	}
	return out.String()
}

// table writes rows below each other or, where a terminal has no room for them, the
// cells of each.
func (m machine) table(rows [][]string) error {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	widest := 0
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	err := w.Flush()
	for line := range strings.Lines(out.String()) {
		widest = max(widest, utf8.RuneCountInString(line)-1)
	}
	if columns := m.ui.columns(); m.toTerminal && columns > 0 && widest > columns {
		out.Reset()
		for _, row := range rows[1:] {
			out.WriteString(strings.Join(slices.DeleteFunc(row, func(cell string) bool { return cell == "" }), "\n    ") + "\n")
		}
	}
	if err == nil {
		_, err = io.WriteString(m.out, out.String())
	}
	return err
}

// link is a URL that can be clicked (OSC 8) where the terminal shows that, and
// that is all there in any case.
func (u *ui) link(url string) string {
	if !u.links {
		return url
	}
	return "\x1b]8;;" + url + "\x1b\\" + url + "\x1b]8;;\x1b\\"
}

// showsLinks knows the terminals that show OSC 8 hyperlinks by what they put into
// the environment. Within tmux and screen, that may be an older terminal's.
func showsLinks(getenv func(string) string) bool {
	term := getenv("TERM")
	if strings.HasPrefix(term, "tmux") || strings.HasPrefix(term, "screen") {
		return false
	}
	switch getenv("TERM_PROGRAM") {
	case "iTerm.app", "WezTerm", "vscode", "ghostty":
		return true
	}
	switch term {
	case "xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm":
		return true
	}
	const firstVTE, firstKonsole = 5000, 201200 // 0.50, which no longer crashes on them; 20.12
	return getenv("WT_SESSION") != "" ||
		atLeast(getenv("VTE_VERSION"), firstVTE) || atLeast(getenv("KONSOLE_VERSION"), firstKonsole)
}

func atLeast(number string, least int) bool {
	n, err := strconv.Atoi(number)
	return err == nil && n >= least
}

// paragraph says text in lines that fit.
func (u *ui) paragraph(text string) { u.say("%s", u.wrapped(text)) }

// ask says a question, after which the cursor stays.
func (u *ui) ask(question string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, _ = io.WriteString(u.err, u.keepSpace(question))
}

// keepSpace is wrapped with the white space at the end kept.
func (u *ui) keepSpace(text string) string {
	trimmed := strings.TrimRight(text, " \n")
	return u.wrapped(trimmed) + text[len(trimmed):]
}
