// Package official is what this project knows of the official CLI, the other
// program that is called cre (github.com/smartcontractkit/cre-cli): how it reads
// its command line, which commands it has, where it is, which variables its .env
// files set, and how it is run. It reads no variable of this process and touches
// no standard stream by itself, and knows nothing of sessions.
package official

import (
	"slices"
	"strings"
)

// Line is a command line of cre, as the official CLI understands it.
type Line struct {
	// Command is the path of the command, such as workflow, deploy; of ours, it
	// is the first word alone. Empty: there is none.
	Command []string

	// Word is the word that should be a command below Command and isn't one
	// that is known. Empty: none is missing.
	Word string

	// EnvFile and PublicEnvFile are what --env and --public-env name, the last
	// of each. Empty: the official CLI looks for .env and .env.public itself.
	EnvFile, PublicEnvFile string

	// Help is true if the command's help is asked for by a flag.
	Help bool

	// Own are the arguments for a command of ours: the command first, and
	// without the official CLI's global flags. To complete, all of them.
	Own []string

	ours bool
}

// IsOurs reports whether this project's cre answers: its own commands, their
// help, and a command line without a command (`cre`, `cre --help`, `cre
// --version`, `cre help`). `cre help workflow` and `cre workflow --help` are for
// the official CLI.
func (l Line) IsOurs() bool { return l.ours }

// IsCompletion reports whether a shell asks what may come next. It is ours, too.
func (l Line) IsCompletion() bool { return len(l.Command) > 0 && isCompletion(l.Command[0]) }

// NeedsSession reports whether the official CLI asks for a session, and then
// logs in by itself if there is none. What isn't known counts as if it did.
func (l Line) NeedsSession() (yes, known bool) {
	e, known := entry(l.Command)
	known = known && l.Word == ""
	return !l.Help && (e.Session || !known), known
}

// Parse finds the command as Cobra does (spf13/cobra v1.10, Command.Find), with
// the official CLI's flags, and then takes the rest apart as pflag does. It
// never fails: what is wrong with a command line the official CLI says itself.
func Parse(args []string) Line {
	var l Line
	rest, group := args, true
	for group {
		i := firstWord(rest)
		if i < 0 {
			break
		}
		path := append(slices.Clone(l.Command), rest[i])
		e, known := entry(path)
		own := len(path) == 1 && (slices.Contains(ours(), rest[i]) || isCompletion(rest[i]))
		if !known && !own {
			l.Word = rest[i]
			break
		}
		rest = slices.Concat(rest[:i], rest[i+1:])
		l.Command, group = path, known && e.Group
		l.ours = own
	}
	l.takeFlags(rest)
	return l
}

func (l *Line) takeFlags(rest []string) {
	p := parse(rest)
	switch {
	case len(l.Command) == 0 && l.Word == "":
		l.ours = true
	case l.ours && l.Command[0] == helpCommand:
		l.ours = helpIsOurs(p.operands)
	}
	if l.IsCompletion() {
		l.Own = slices.Concat(l.Command, rest) // Cobra takes no flags from what is to be completed
		return
	}
	l.EnvFile, l.PublicEnvFile, l.Help = p.last(flagEnv), p.last(flagPublicEnv), p.help()
	if l.ours {
		l.Own = slices.Concat(l.Command, p.order)
	}
}

// helpIsOurs: help about a command of the official CLI is its own.
func helpIsOurs(topic []string) bool {
	if len(topic) == 0 || slices.Contains(ours(), topic[0]) {
		return true
	}
	_, known := entry(topic[:1])
	return !known
}

// firstWord returns the index of the first argument that Cobra takes for a
// command, or -1. To Cobra at this point, every flag takes the next argument as
// its value unless it has one attached, or is a switch that all commands have;
// help isn't one of these yet. Flags in one word are passed over.
func firstWord(args []string) int {
	for i := 0; i < len(args); i++ {
		s := args[i]
		switch {
		case s == "--":
			return -1
		case strings.Contains(s, "="):
			if !strings.HasPrefix(s, "-") {
				return i
			}
		case strings.HasPrefix(s, "--"):
			if f, known := longFlag(s[2:]); !known || !f.Global || f.Value != "" {
				i++
			}
		case len(s) == 2 && s[0] == '-':
			if f, known := shortFlag(s[1]); !known || !f.Global || f.Value != "" {
				i++
			}
		case s != "" && s[0] != '-':
			return i
		}
	}
	return -1
}
