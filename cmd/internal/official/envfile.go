package official

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"github.com/joho/godotenv"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/smallfile"
)

const (
	maxFile     = 1 << 20  // bytes of an environment file
	maxExpanded = 16 << 20 // bytes of all its values, at the most
)

// ErrEnvFile reports an environment file with which the official CLI isn't
// started.
var ErrEnvFile = errors.New("unusable environment file")

func unusable(path, why string) error {
	return fmt.Errorf("%w: %s %s", ErrEnvFile, safetext.Line(path), why)
}

// envFile is what a file sets.
type envFile struct {
	values     map[string]string // nil: nothing, because it can't be read
	statements []statement
	fault      string // why it sets nothing, to be read after its path; "": it does
}

// readEnvFile reads a file as github.com/joho/godotenv does in the official CLI.
// A file that isn't there, can't be opened or isn't of the right form sets
// nothing. One that isn't a regular file, that is larger than 1 MiB or whose
// variables would grow each other without end is an error.
func readEnvFile(path string) (envFile, error) {
	info, err := os.Stat(path) // before it is opened: an open may wait, or set a device going
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return envFile{fault: "is not there"}, nil
	case err != nil:
		return envFile{fault: "can't be read"}, nil
	}
	if !info.Mode().IsRegular() {
		return envFile{}, unusable(path, "is not a regular file: move it away, or name another one with --env or --public-env")
	}
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return envFile{fault: "can't be read"}, nil
	}
	defer f.Close() //nolint:errcheck // only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return envFile{}, unusable(path, "is not a regular file: move it away")
	}
	data, err := smallfile.Read(f, maxFile)
	switch {
	case errors.Is(err, smallfile.ErrLarge):
		return envFile{}, unusable(path, "is larger than 1 MiB: move it away")
	case errors.Is(err, smallfile.ErrEndless):
		return envFile{}, unusable(path, "has no end: move it away")
	case err != nil:
		return envFile{fault: "can't be read"}, nil
	}
	return parseEnvFile(path, data)
}

func parseEnvFile(path string, data []byte) (envFile, error) {
	statements := scan(data)
	if grown(statements) > maxExpanded {
		return envFile{}, unusable(path, "has variables that refer to each other and would take more than 16 MiB: shorten them")
	}
	values, err := godotenv.UnmarshalBytes(data)
	if err != nil {
		return envFile{nil, statements, "has a line that is not NAME=VALUE, or a quote that does not end"}, nil
	}
	return envFile{values, statements, ""}, nil
}

// settable reports whether the operating system takes a variable. The official
// CLI passes over what it doesn't.
func settable(name, value string) bool {
	return name != "" && !strings.ContainsAny(name, "=\x00") && !strings.Contains(value, "\x00")
}

// isReference reports whether the official CLI leaves a value alone, because it
// names a secret of 1Password's and is none.
func isReference(value string) bool { return strings.HasPrefix(value, "op://") }

// statement is one assignment of an environment file.
type statement struct {
	name    string
	line    int
	size    int // bytes of its value, as it is written
	dollars int // how many references to other variables may be in it
}

// grown bounds how many bytes the values can take once they are put into each
// other: every reference as the longest value so far.
func grown(statements []statement) (total int) {
	longest := 0
	for _, s := range statements {
		size := s.size + s.dollars*longest
		longest = max(longest, size)
		if total += size; total > maxExpanded {
			break
		}
	}
	return total
}

// scan says where the assignments of an environment file are, and no more than
// that. It takes the text apart as godotenv v1.5 does, up to where that gives up.
func scan(data []byte) (all []statement) {
	text := bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	rest, line, counted := text, 1, 0
	for {
		rest = bytes.TrimLeftFunc(rest, unicode.IsSpace)
		if len(rest) == 0 {
			return all
		}
		if rest[0] == '#' {
			_, rest, _ = bytes.Cut(rest, []byte("\n"))
			continue
		}
		here := len(text) - len(rest)
		line += bytes.Count(text[counted:here], []byte("\n"))
		counted = here
		name, value, ok := cutName(rest)
		if !ok {
			return all
		}
		length, quoted, ok := valueLength(value)
		s := statement{name: name, line: line, size: length}
		if quoted != '\'' {
			s.dollars = bytes.Count(value[:length], []byte("$"))
		}
		all = append(all, s)
		if !ok {
			return all
		}
		rest = value[length:]
	}
}

// cutName returns an assignment's name and what comes after the sign. Text
// without a sign has the empty name, and is a value.
func cutName(text []byte) (name string, value []byte, ok bool) {
	text = bytes.TrimLeftFunc(text, isBlank)
	if after, found := bytes.CutPrefix(text, []byte("export")); found && bytes.IndexFunc(after, isBlank) == 0 {
		text = bytes.TrimLeftFunc(after, isBlank)
	}
	sign := -1
	for i, b := range text { // by bytes, as godotenv does
		if b == '=' || b == ':' {
			sign = i
			break
		}
		if c := rune(b); !isBlank(c) && c != '_' && c != '.' && !unicode.IsLetter(c) && !unicode.IsNumber(c) {
			return "", nil, false
		}
	}
	if len(text) == 0 {
		return "", nil, false
	}
	name = strings.TrimRightFunc(string(text[:max(sign, 0)]), unicode.IsSpace)
	return name, bytes.TrimLeftFunc(text[sign+1:], isBlank), true
}

// valueLength returns how many bytes of text are the value, with its quotes.
// Not ok: the closing one is missing.
func valueLength(text []byte) (length int, quote byte, ok bool) {
	if len(text) > 0 && (text[0] == '"' || text[0] == '\'') {
		for i := 1; i < len(text); i++ {
			if text[i] == text[0] && text[i-1] != '\\' {
				return i + 1, text[0], true
			}
		}
		return len(text), text[0], false
	}
	if end := bytes.IndexAny(text, "\n\r"); end >= 0 {
		return end, 0, true
	}
	return len(text), 0, true
}

// isBlank is godotenv's idea of white space within a line.
func isBlank(r rune) bool {
	return strings.ContainsRune("\t\v\f\r \u0085\u00a0", r)
}

// exists reports whether the official CLI would find a file there.
func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&fs.ModeDir == 0
}
