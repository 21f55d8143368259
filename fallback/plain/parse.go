package plain

import (
	"slices"
	"strconv"
	"strings"

	"cre-credential-helper/helper"
)

// Parse reads a file's content. It accepts nothing that a YAML library might
// read otherwise: lines that begin with "#" or are "key: value", in which the
// value is quoted and without escapes, or surely no number, date or word of
// YAML's own; and a list below the key Keychain.
func Parse(content string) (s Session, ok bool) {
	var p parser
	for rest := content; rest != ""; {
		var line string
		if line, rest, ok = strings.Cut(rest, "\n"); !ok || !p.line(line) {
			return Session{}, false
		}
	}
	if p.list && len(p.s.Keychain) == 0 || content != "" && len(p.keys) == 0 {
		return Session{}, false
	}
	p.s.Tokens, p.s.StandIn = SetApart(p.s.Tokens, len(p.s.Keychain) > 0)
	return p.s, true
}

type parser struct {
	s      Session
	keys   []string // so far
	list   bool     // the lines are the list's
	indent string   // of the list's lines
}

// line reads one line and reports whether it is plain.
func (p *parser) line(line string) bool {
	if strings.ContainsFunc(line, notPrintable) || line == "" {
		return false
	}
	if p.list {
		indent, item, ok := strings.Cut(line, "- ")
		if ok && strings.Trim(indent, " ") == "" {
			return p.item(indent, item)
		}
		if len(p.s.Keychain) == 0 {
			return false
		}
		p.list = false
	}
	if line[0] == '#' {
		return true
	}
	key, value, ok := strings.Cut(line, ":")
	if !ok || slices.Contains(p.keys, key) {
		return false
	}
	p.keys = append(p.keys, key)
	if key == "Keychain" {
		p.list = true
		return value == ""
	}
	value, ok = strings.CutPrefix(value, " ")
	return ok && p.set(key, value)
}

func notPrintable(r rune) bool { return r < ' ' || r > '~' }

func (p *parser) item(indent, item string) bool {
	const longest = 512
	if len(p.s.Keychain) == 0 {
		p.indent = indent
	}
	text, ok := scalar(item)
	p.s.Keychain = append(p.s.Keychain, text)
	return ok && indent == p.indent && len(item) <= longest
}

func (p *parser) set(key, value string) bool {
	text, ok := scalar(value)
	tokens := &p.s.Tokens
	switch key {
	case "AccessToken":
		tokens.Access = secret(text)
	case "IDToken":
		tokens.ID = secret(text)
	case "RefreshToken":
		tokens.Refresh = secret(text)
	case "TokenType":
		tokens.Type = text
	case "ExpiresIn":
		tokens.ExpiresIn, ok = number(value)
	default:
		return false
	}
	return ok
}

func secret(text string) helper.Secret {
	if text == "" {
		return helper.Secret{}
	}
	return helper.NewSecret(text)
}

// number reads what is written as Go writes a number.
func number(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == text
}

// scalar reads a text: quoted without an escape, or bare.
func scalar(value string) (text string, ok bool) {
	if value == "" {
		return "", false
	}
	if quote := value[:1]; quote == `"` || quote == "'" {
		text, rest, ok := strings.Cut(value[1:], quote)
		return text, ok && rest == "" && !strings.Contains(text, `\`)
	}
	return value, isBareText(value)
}

// isBareText reports whether a value without quotes is text. Whatever YAML
// takes for something else begins with no letter, or has at most five, or has
// none but those of numbers and dates.
func isBareText(value string) bool {
	const longestWord = 5 // "false"
	first := value[0] | ' '
	letter, digit := first >= 'a' && first <= 'z', first >= '0' && first <= '9'
	return (letter && len(value) > longestWord || digit && strings.ContainsAny(value, "ghijklmnqrsuvwyGHIJKLMNQRSUVWY")) &&
		!strings.ContainsFunc(value, notBare) && !strings.HasSuffix(value, ":")
}

// notBare leaves what has no meaning within a value, wherever it stands.
func notBare(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~:/[]@%+=,", r))
}
