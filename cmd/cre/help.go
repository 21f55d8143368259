package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/near"
)

// helpTemplate is the library's with the commands first, and what few people need
// after them.
const helpTemplate = `NAME:
   {{template "helpNameTemplate" .}}

USAGE:
   cre <command> [options]

COMMANDS:{{template "visibleCommandCategoryTemplate" .}}

OPTIONS:{{template "visibleFlagTemplate" .}}

{{.Description}}
`

// helpCommand is the library's without its other name, h, which the official CLI
// doesn't know and completion would offer.
func helpCommand() *cli.Command {
	return &cli.Command{
		Name:            "help",
		Usage:           "list the commands, or show one command's help",
		UsageText:       "cre help\ncre help session move",
		ArgsUsage:       "[COMMAND ...]",
		HideHelpCommand: true,
		OnUsageError:    onUsageError,
		Action: func(c *cli.Context) error {
			root := c.Lineage()[1]
			if !c.Args().Present() {
				return cli.ShowAppHelp(root)
			}
			return showHelp(root, root.App.Commands, "cre", c.Args().Slice())
		},
	}
}

// showHelp shows the help of the command that a path below another one leads to.
func showHelp(c *cli.Context, among []*cli.Command, above string, path []string) error {
	for at, word := range path {
		command := named(among, word)
		if command == nil {
			return noCommand(strings.TrimPrefix(strings.Join(append([]string{above}, path[:at]...), " "), "cre"), word, among)
		}
		if at == len(path)-1 {
			command.HelpName = above + " " + strings.Join(path, " ")
			return show(c, command)
		}
		among = command.Subcommands
	}
	return nil
}

func show(c *cli.Context, command *cli.Command) error {
	template := cli.CommandHelpTemplate
	if len(command.Subcommands) > 0 {
		template = cli.SubcommandHelpTemplate
	}
	if named := len(command.Flags); named == 0 || command.Flags[named-1] != cli.HelpFlag {
		command.Flags = append(command.Flags, cli.HelpFlag)
	}
	cli.HelpPrinter(c.App.Writer, template, command)
	return nil
}

func named(among []*cli.Command, name string) *cli.Command {
	for _, c := range among {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// noCommand reports a word below a command, "" for cre itself, that is none.
func noCommand(above, word string, among []*cli.Command) error {
	var names []string
	for _, c := range among {
		names = append(names, c.Name)
	}
	page := strings.TrimSpace("cre " + above)
	instead := "see " + page + " --help"
	if meant := near.Best(word, names); meant != "" {
		instead = fmt.Sprintf("did you mean %q?", page+" "+meant)
	}
	return usagef("no command %q: %s", strings.TrimSpace(above+" "+word), instead)
}

// onUsageError puts the flag package's words into ours.
func onUsageError(c *cli.Context, err error, _ bool) error {
	page, flags := "cre", c.App.Flags
	if c.Command != nil && c.Command.HelpName != "" {
		page, flags = c.Command.HelpName, append(c.Command.Flags, cli.HelpFlag)
	}
	return usageError{fmt.Errorf("%s", flagFault(err.Error(), page, flags))}
}

// flagFault says what is wrong with a flag, of a command's own ones.
func flagFault(said, page string, flags []cli.Flag) string {
	var (
		unknownFlag = regexp.MustCompile(`^flag provided but not defined: -+(.+)$`)
		emptyFlag   = regexp.MustCompile(`^flag needs an argument: -+(.+)$`)
		wrongValue  = regexp.MustCompile(`^invalid (?:boolean )?value (".*") for (?:flag )?-+([^ :]+): `)
	)
	if found := unknownFlag.FindStringSubmatch(said); found != nil {
		var names []string
		for _, f := range flags {
			names = append(names, f.Names()[0])
		}
		if meant := near.Best(found[1], names); meant != "" {
			return fmt.Sprintf("unknown flag --%s: did you mean --%s? See %s --help", found[1], meant, page)
		}
		return fmt.Sprintf("unknown flag --%s: see %s --help", found[1], page)
	}
	if found := emptyFlag.FindStringSubmatch(said); found != nil {
		return fmt.Sprintf("--%s needs a value: see %s --help", found[1], page)
	}
	found := wrongValue.FindStringSubmatch(said)
	if found == nil {
		return said + ": see " + page + " --help"
	}
	takes := "takes another value"
	for _, f := range flags {
		if f.Names()[0] != found[2] {
			continue
		}
		switch f.(type) {
		case *cli.DurationFlag:
			takes = "takes a time such as 30m"
		case *cli.BoolFlag:
			takes = "takes no value"
		}
	}
	return fmt.Sprintf("--%s %s, not %s", found[2], takes, found[1])
}

// noArguments keeps a mistyped command from being taken for another one.
func noArguments(c *cli.Context) error {
	if !c.Args().Present() {
		return nil
	}
	name := strings.TrimPrefix(c.Command.HelpName, "cre ")
	argument := c.Args().First()
	for flag, command := range map[string]string{flagRegistry: "setup docker", flagHost: "setup git"} {
		if name == command {
			return usagef("%s takes no argument: did you mean --%s %s?", name, flag, argument)
		}
	}
	return usagef("%s takes no argument, got %q: see %s --help", name, argument, c.Command.HelpName)
}

// oneOfThese keeps a mistyped subcommand from being taken for none.
func oneOfThese(c *cli.Context) error {
	word := c.Args().First()
	if !c.Args().Present() || c.Command.Command(word) != nil {
		return nil
	}
	above := strings.TrimPrefix(c.Command.HelpName, "cre ")
	if word == "help" {
		if rest := c.Args().Tail(); len(rest) > 0 {
			return endAfter(showHelp(c, c.Command.Subcommands, c.Command.HelpName, rest))
		}
		return endAfter(show(c, c.Command))
	}
	return noCommand(above, word, c.Command.Subcommands)
}

// errShown ends a command whose help was shown instead.
var errShown = errors.New("help was shown")

func endAfter(err error) error {
	if err == nil {
		err = errShown
	}
	return err
}
