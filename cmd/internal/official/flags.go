package official

import (
	"slices"
	"strconv"
	"strings"
)

// flag is one of the official CLI's flags.
type flag struct {
	long   string
	short  byte // 0: none
	value  bool // it takes one
	global bool // every command has it
}

const (
	flagEnv       = "env"
	flagPublicEnv = "public-env"
	flagHelp      = "help"
)

// flags are all flags of the official CLI. No two of its commands give one name
// different meanings, so that one table does for all.
func flags() []flag {
	all := []flag{
		{long: flagEnv, short: 'e', value: true, global: true},
		{long: flagPublicEnv, short: 'E', value: true, global: true},
		{long: "project-root", short: 'R', value: true, global: true},
		{long: "target", short: 'T', value: true, global: true},
		{long: "verbose", short: 'v', global: true},
		{long: "non-interactive", global: true},
		{long: "allow-insecure-rpc", global: true},
		{long: "allow-unknown-chains", global: true},
		{long: flagHelp, short: 'h'},
		{long: "auto-start", short: 'r'},
		{long: "engine-logs", short: 'g'},
		{short: 'p', value: true}, // project-name, and project-root of generate-bindings
		{short: 'l', value: true}, // owner-label, language
		{short: 'o', value: true}, // output, out
		{short: 't', value: true}, // template
		{short: 'w', value: true}, // workflow-name
		{short: 'a', value: true}, // abi
		{short: 'i', value: true}, // idl
		{short: 'k', value: true}, // pkg
	}
	for _, name := range []string{
		"abi", "capability", "config", "end", "evm-event-index", "evm-tx-hash", "http-payload", "idl",
		"language", "limit", "limits", "namespace", "node", "out", "output", "owner-label", "pkg",
		"project-name", "public_key", "registry", "rpc-url", "secrets-auth", "start", "status", "template",
		"timeout", "trigger-index", "wasm", "workflow-name",
	} {
		all = append(all, flag{long: name, value: true})
	}
	for _, name := range []string{
		"all-registries", "broadcast", "default-config", "include-deleted", "include-function-selector",
		"json", "no-config", "refresh", "skip-type-checks", "unsigned", "yes",
	} {
		all = append(all, flag{long: name})
	}
	return all
}

func longFlag(name string) (flag, bool) {
	return find(func(f flag) bool { return f.long == name && name != "" })
}

func shortFlag(name byte) (flag, bool) {
	return find(func(f flag) bool { return f.short == name && name != 0 })
}

func find(match func(flag) bool) (flag, bool) {
	all := flags()
	if i := slices.IndexFunc(all, match); i >= 0 {
		return all[i], true
	}
	return flag{}, false
}

// set is a flag as it is given.
type set struct {
	flag
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
	case known && !attached && !f.value:
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
		case !f.value:
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
func (s set) kept() bool { return !s.known || !s.global || s.long == "non-interactive" }

func (p *parsed) add(s set, written ...string) {
	p.sets = append(p.sets, s)
	if s.kept() {
		p.order = append(p.order, written...)
	}
}

// last returns the value that counts, that of the last one; empty is none.
func (p *parsed) last(long string) (value string) {
	for _, s := range p.sets {
		if s.known && s.long == long {
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
