package safetext

import (
	"runtime"
	"strings"
)

// Word makes one word of any text for the shell that a person pastes commands into:
// PowerShell on Windows, else a POSIX shell (POSIX.1-2024, XCU 2.2). It is no option
// only where no option is expected: [IsOption].
func Word(text string) string { return Quote(text, runtime.GOOS == "windows") }

// Quote is [Word] for a POSIX shell or PowerShell.
func Quote(text string, power bool) string {
	plain, quote := "_@%+=:,./-", `'\''`
	if power {
		plain, quote = `_:./\-`, "''"
	}
	isPlain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune(plain, r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !isPlain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", quote) + "'"
}

// IsOption reports whether a command may take a word for one of its options.
func IsOption(word string) bool { return strings.HasPrefix(word, "-") }

// IsFit reports whether text can be shown, and pasted, as it is.
func IsFit(text string) bool { return text != "" && Line(text) == text }
