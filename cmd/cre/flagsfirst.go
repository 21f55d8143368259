package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst puts the flags of the command that args are for before its operands.
// People write them in any order, and package flag takes the first operand for the
// flags' end.
func flagsFirst(flags []cli.Flag, commands []*cli.Command, args []string) []string {
	var moved, operands []string
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "--":
			return slices.Concat(moved, operands, args[i:])
		case strings.HasPrefix(a, "-") && a != "-":
			moved = append(moved, a)
			if takesValue(flags, a) && i+1 < len(args) {
				i++
				moved = append(moved, args[i])
			}
		default:
			is := func(c *cli.Command) bool { return c.HasName(a) }
			if at := slices.IndexFunc(commands, is); at >= 0 && len(operands) == 0 {
				c := commands[at]
				return slices.Concat(moved, args[i:i+1], flagsFirst(c.Flags, c.Subcommands, args[i+1:]))
			}
			operands = append(operands, a)
		}
	}
	return slices.Concat(moved, operands)
}

// takesValue reports whether a flag's value is the next argument.
func takesValue(flags []cli.Flag, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	return slices.ContainsFunc(flags, func(f cli.Flag) bool {
		_, isSwitch := f.(*cli.BoolFlag)
		return !isSwitch && slices.Contains(f.Names(), name)
	})
}
