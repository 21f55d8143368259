package main

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxColumns keeps lines readable on a wide terminal, and is the width where
// there is none.
const maxColumns = 80

// wrapped breaks text between words where the terminal would break it anywhere.
func (u *ui) wrapped(text string) string {
	width := maxColumns
	if columns := u.columns(); columns > 0 {
		width = min(columns, maxColumns)
	}
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
