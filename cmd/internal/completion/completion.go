// Package completion answers what a shell's completion script asks: what may
// follow the words that are on the command line. The question and the answer are
// those of Cobra's hidden command __complete (spf13/cobra v1.10), so that a script
// which was made for one program of the name serves the other. The package knows
// no program; it starts nothing and reads nothing.
package completion

import (
	"slices"
	"strings"
)

// Command is a command of a program.
type Command struct {
	Name     string
	Usage    string // one line; empty: none
	Commands []Command
	Flags    []Flag // those that are offered after it
	Files    bool   // its arguments may be files

	// Arguments are what its arguments may be: one|other. Empty: not known.
	Arguments string
}

// Flag is one of a command's flags.
type Flag struct {
	Name  string // without dashes; empty: it has a short one alone
	Short string // its short name; empty: it has none
	Usage string // one line

	// Value is what its value is called. Empty: it takes none. FILE and DIR are
	// completed as such; one|other are the values themselves.
	Value string
}

// Candidate is one way to go on.
type Candidate struct{ Text, Usage string }

// Answer is all of them. Files adds the names of files, which the shell knows.
type Answer struct {
	Candidates []Candidate
	Files      bool
}

// Program is what is completed: its root command, and the flags that may stand
// anywhere though only some commands offer them.
type Program struct {
	Root     Command
	Anywhere []Flag
}

// Complete answers for words, the program's name left out; the last one is what
// the cursor is in, and empty after a space. No words are one empty one.
func (p Program) Complete(words []string) Answer {
	if len(words) == 0 {
		words = []string{""}
	}
	last := len(words) - 1
	at := p.walk(words[:last])
	return at.next(words[last])
}

// position is where a command line has got to.
type position struct {
	program  Program
	command  Command
	operands int   // arguments so far that are no commands
	pending  *Flag // its value comes next
	noFlags  bool  // after "--"
}

func (p Program) walk(words []string) position {
	at := position{program: p, command: p.Root}
	for _, word := range words {
		switch {
		case at.pending != nil:
			at.pending = nil
		case word == "--":
			at.noFlags = true
		case !at.noFlags && len(word) > 1 && word[0] == '-':
			at.pending = at.valueOf(word)
		default:
			at.enter(word)
		}
	}
	return at
}

func (at *position) enter(word string) {
	i := slices.IndexFunc(at.command.Commands, func(c Command) bool { return c.Name == word })
	if i < 0 || at.operands > 0 || at.noFlags {
		at.operands++
		return
	}
	at.command = at.command.Commands[i]
}

// valueOf returns the flag, the last one of several in a word, that takes the next
// word for its value; nil if none does.
func (at *position) valueOf(word string) *Flag {
	if name, long := strings.CutPrefix(word, "--"); long {
		f := at.flag(func(f Flag) bool { return f.Name == name })
		if f == nil || f.Value == "" {
			return nil // also --name=value, which is no flag's name
		}
		return f
	}
	for i, letter := range word[1:] {
		f := at.flag(func(f Flag) bool { return f.Short == string(letter) })
		switch {
		case f == nil:
			return nil
		case f.Value != "" && i+1 < len(word[1:]):
			return nil // the rest of the word is its value
		case f.Value != "":
			return f
		}
	}
	return nil
}

func (at *position) flag(match func(Flag) bool) *Flag {
	for _, flags := range [][]Flag{at.command.Flags, at.program.Anywhere} {
		if i := slices.IndexFunc(flags, match); i >= 0 {
			return &flags[i]
		}
	}
	return nil
}

// next offers what word may become.
func (at *position) next(word string) Answer {
	switch {
	case at.pending != nil:
		return at.pending.values(word)
	case !at.noFlags && strings.HasPrefix(word, "-"):
		if name, value, attached := strings.Cut(word, "="); attached {
			return at.attached(name, value)
		}
		return Answer{Candidates: at.flags(word)}
	case at.operands > 0 || at.noFlags || len(at.command.Commands) == 0:
		answer := values(at.command.Arguments, word)
		answer.Files = at.command.Files
		if at.command.Arguments == "" && !answer.Files && at.operands == 0 && !at.noFlags {
			answer.Candidates = at.flags(word) // which is all that may follow
		}
		return answer
	}
	var found []Candidate
	for _, c := range at.command.Commands {
		found = append(found, Candidate{c.Name, c.Usage})
	}
	return Answer{Candidates: beginning(found, word)}
}

// attached offers values as they are, without the flag before them, as Cobra does.
func (at *position) attached(name, value string) Answer {
	f := at.flag(func(f Flag) bool { return "--"+f.Name == name || f.Short != "" && "-"+f.Short == name })
	if f == nil || f.Value == "" {
		return Answer{}
	}
	return f.values(value)
}

// flags offers the long ones, and the short ones to whoever has typed a dash
// alone.
func (at *position) flags(word string) (found []Candidate) {
	for _, f := range at.command.Flags {
		if f.Name != "" {
			found = append(found, Candidate{"--" + f.Name, f.Usage})
		}
		if f.Short != "" && word == "-" {
			found = append(found, Candidate{"-" + f.Short, f.Usage})
		}
	}
	return beginning(found, word)
}

func (f Flag) values(word string) Answer {
	if f.Value == "FILE" || f.Value == "DIR" {
		return Answer{Files: true}
	}
	return values(f.Value, word)
}

// values offers those of one|other.
func values(of, word string) Answer {
	if !strings.Contains(of, "|") {
		return Answer{}
	}
	var found []Candidate
	for value := range strings.SplitSeq(of, "|") {
		found = append(found, Candidate{Text: strings.TrimSuffix(value, "NAME")}) // as far as it is known
	}
	return Answer{Candidates: beginning(found, word)}
}

func beginning(all []Candidate, word string) []Candidate {
	return slices.DeleteFunc(all, func(c Candidate) bool { return !strings.HasPrefix(c.Text, word) })
}
