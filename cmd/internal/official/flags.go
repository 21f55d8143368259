package official

import (
	"slices"
	"strconv"
	"strings"
)

func longFlag(name string) (Flag, bool) {
	return find(func(f Flag) bool { return f.Name == name && name != "" })
}

func shortFlag(name byte) (Flag, bool) {
	return find(func(f Flag) bool { return f.Short == string(rune(name)) })
}

func find(match func(Flag) bool) (Flag, bool) {
	all := Flags()
	if i := slices.IndexFunc(all, match); i >= 0 {
		return all[i], true
	}
	return Flag{}, false
}

// set is a flag as it is given.
type set struct {
	Flag
	text  string // as it was written: a flag that isn't known is nothing else
	value string // "true" of a switch
	known bool
}

// parsed are arguments as pflag takes them apart.
type parsed struct {
	sets     []set
	operands []string // after a "--", with it
	order    []string // everything but the global flags, as it was written
}

// parse takes arguments apart as pflag does: --long=value, --long value, -s value,
// -svalue, -s=value, switches in one word, and nothing after "--". A flag that
// isn't known stops pflag; here what it may mean is left open: the rest of its
// word belongs to it, and the next one doesn't.
func parse(args []string) parsed {
	var p parsed
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		switch {
		case word == "--":
			p.operands = append(p.operands, args...)
			p.order = append(append(p.order, word), args...)
			return p
		case strings.HasPrefix(word, "--"):
			args = p.long(word, args)
		case len(word) > 1 && word[0] == '-':
			args = p.shorts(word[1:], args)
		default:
			p.operands = append(p.operands, word)
			p.order = append(p.order, word)
		}
	}
	return p
}

func (p *parsed) long(word string, rest []string) []string {
	name, value, attached := strings.Cut(word[2:], "=")
	f, known := longFlag(name)
	switch {
	case known && !attached && f.Value == "":
		value = "true"
	case known && !attached && len(rest) > 0:
		value, rest = rest[0], rest[1:]
		p.add(set{f, word, value, true}, word, value)
		return rest
	}
	p.add(set{f, word, value, known}, word)
	return rest
}

func (p *parsed) shorts(letters string, rest []string) []string {
	for letters != "" {
		f, known := shortFlag(letters[0])
		word, tail := "-"+letters, letters[1:]
		switch {
		case !known:
			p.add(set{f, word, "", false}, word)
			return rest
		case len(tail) > 1 && tail[0] == '=':
			p.add(set{f, word, tail[1:], true}, word)
			return rest
		case f.Value == "":
			p.add(set{f, word[:2], "true", true}, word[:2])
			letters = tail
			continue
		case tail != "":
			p.add(set{f, word, tail, true}, word)
		case len(rest) > 0:
			p.add(set{f, word, rest[0], true}, word, rest[0])
			return rest[1:]
		default:
			p.add(set{f, word, "", true}, word)
		}
		return rest
	}
	return rest
}

// kept reports whether our own commands have the flag, too.
func (s set) kept() bool { return !s.known || !s.Global || s.Name == flagNonInteractive }

func (p *parsed) add(s set, written ...string) {
	p.sets = append(p.sets, s)
	if s.kept() {
		p.order = append(p.order, written...)
	}
}

// last returns the value that counts, that of the last one; empty is none.
func (p *parsed) last(long string) (value string) {
	for _, s := range p.sets {
		if s.known && s.Name == long {
			value = s.value
		}
	}
	return value
}

// help reports whether help is asked for, for certain: a flag that isn't known
// may have taken the word as its value.
func (p *parsed) help() bool {
	asked, err := strconv.ParseBool(p.last(flagHelp))
	return err == nil && asked && !slices.ContainsFunc(p.sets, func(s set) bool { return !s.known })
}
