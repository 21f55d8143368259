package main

import (
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/completion"
	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/reading"
)

// completionCommand prints the scripts, which ask [machine.complete].
func (m machine) completionCommand() *cli.Command {
	c := &cli.Command{
		Name:  "completion",
		Usage: "print a completion script for a shell",
		Action: func(*cli.Context) error {
			var names []string
			for _, shell := range completion.Shells() {
				names = append(names, shell.Name)
			}
			return usagef("completion takes one of %s", strings.Join(names, ", "))
		},
	}
	for _, shell := range completion.Shells() {
		c.Subcommands = append(c.Subcommands, &cli.Command{
			Name:      shell.Name,
			Usage:     "print the script for " + shell.Name,
			UsageText: shell.Line + "   # in " + shell.Profile,
			Action: func(*cli.Context) error {
				script, err := shell.Script()
				if err == nil {
					_, err = io.WriteString(m.out, script)
				}
				return err
			},
		})
	}
	return c
}

// complete answers a completion script from what is compiled in. It starts
// nothing, and reads no file and no keychain, because a key that only completes
// must neither wait nor ask for anything.
func (m machine) complete(line official.Line) error {
	answer := program(m.app(line)).Complete(line.Own[1:])
	return answer.Write(m.out, line.Own[0] == official.Complete)
}

// program is our own commands as the app defines them, and the official CLI's as
// its list has them.
func program(app *cli.App) completion.Program {
	root := completion.Command{
		Commands: append(ownCommands(app.Commands), officialCompletions("")...),
		Flags:    ownFlags(app.Flags),
	}
	for _, f := range globalFlags() {
		if !slices.ContainsFunc(root.Flags, func(own completion.Flag) bool { return own.Name == f.Name }) {
			root.Flags = append(root.Flags, f)
		}
	}
	for i, c := range root.Commands {
		if c.Name == "help" {
			root.Commands[i].Commands = topics(root.Commands)
		}
	}
	p := completion.Program{Root: root}
	for _, f := range official.Flags() {
		p.Anywhere = append(p.Anywhere, officialFlag(f))
	}
	return p
}

func ownCommands(all []*cli.Command) (found []completion.Command) {
	for _, c := range all {
		if !c.Hidden && c.Category != officialCategory {
			found = append(found, completion.Command{
				Name: c.Name, Usage: c.Usage, Arguments: c.ArgsUsage,
				Commands: ownCommands(c.Subcommands),
				Flags:    append(ownFlags(c.Flags), completion.Flag{Name: "help", Short: "h", Usage: "show help"}),
			})
		}
	}
	return found
}

// ownFlags takes what a flag's value is called from the backquotes in its usage,
// as the library's help does: `keychain|file` are two values, `FILE` is a file.
func ownFlags(all []cli.Flag) (found []completion.Flag) {
	for _, f := range all {
		documented, ok := f.(cli.DocGenerationFlag)
		if hidden, is := f.(cli.VisibleFlag); !ok || is && !hidden.IsVisible() {
			continue
		}
		c := completion.Flag{Name: f.Names()[0], Usage: strings.ReplaceAll(documented.GetUsage(), "`", "")}
		if documented.TakesValue() {
			c.Value = "VALUE"
			if parts := strings.Split(documented.GetUsage(), "`"); len(parts) == 3 {
				c.Value = parts[1]
			}
			if c.Value == store { // as many values as no line of help has room for
				c.Value = strings.Join(reading.Words(), "|")
			}
		}
		for _, name := range f.Names()[1:] {
			if len(name) == 1 {
				c.Short = name
			}
		}
		found = append(found, c)
	}
	return found
}

// officialCompletions are the official CLI's commands directly below a path.
func officialCompletions(path string) (found []completion.Command) {
	for _, e := range official.Commands() {
		name, below := strings.CutPrefix(e.Name, path)
		if !below || e.Short == "" || name == "" || strings.Contains(name, " ") {
			continue
		}
		c := completion.Command{Name: name, Usage: e.Short, Files: !e.Group, Commands: officialCompletions(e.Name + " ")}
		for _, f := range official.Flags() {
			if slices.Contains(strings.Fields(e.Flags), f.Name) {
				c.Flags = append(c.Flags, officialFlag(f))
			}
		}
		c.Flags = append(c.Flags, globalFlags()...)
		found = append(found, c)
	}
	return found
}

// globalFlags are those that every command of the official CLI has.
func globalFlags() (found []completion.Flag) {
	for _, f := range official.Flags() {
		if f.Global || f.Name == "help" {
			found = append(found, officialFlag(f))
		}
	}
	return found
}

func officialFlag(f official.Flag) completion.Flag {
	return completion.Flag{Name: f.Name, Short: f.Short, Usage: f.Usage, Value: f.Value}
}

// topics are commands that help is asked about.
func topics(all []completion.Command) (found []completion.Command) {
	for _, c := range all {
		found = append(found, completion.Command{Name: c.Name, Usage: c.Usage, Commands: topics(c.Commands)})
	}
	return found
}
