package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/official"
)

const bashCompletion = `_cre() {
  local IFS=$'\n' cur="${COMP_WORDS[COMP_CWORD]}" words=("${COMP_WORDS[@]:0:$COMP_CWORD}")
  [[ $cur == -* ]] && words+=("$cur")
  COMPREPLY=($(compgen -W "$("${words[@]}" --generate-bash-completion 2>/dev/null)" -- "$cur"))
}
complete -F _cre cre
`

const zshCompletion = `#compdef cre
_cre() {
  local -a found
  found=("${(@f)$(_CLI_ZSH_AUTOCOMPLETE_HACK=1 ${words[@]:0:#words[@]-1} --generate-bash-completion 2>/dev/null)}")
  _describe 'values' found
}
compdef _cre cre
`

func shells() []string { return []string{"bash", "zsh", "fish"} }

func (m machine) completion(c *cli.Context) error {
	var script string
	var err error
	switch strings.Join(c.Args().Slice(), " ") {
	case "bash":
		script = bashCompletion
	case "zsh":
		script = zshCompletion
	case "fish":
		script, err = c.App.ToFishCompletion()
	default:
		err = usagef("completion takes one of %s", strings.Join(shells(), ", "))
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(m.out, script)
	return err
}

// completionFlag is what a completion script puts last.
const completionFlag = "--generate-bash-completion"

func isCompletion(args []string) bool {
	return len(args) > 0 && args[len(args)-1] == completionFlag
}

// completeOfficial prints the commands below one of the official CLI's.
func (m machine) completeOfficial(line official.Line) error {
	for _, e := range official.Commands() {
		path := strings.Fields(e.Name)
		if e.Short == "" || len(path) != len(line.Command)+1 || !slices.Equal(path[:len(line.Command)], line.Command) {
			continue
		}
		if _, err := fmt.Fprintln(m.out, path[len(path)-1]); err != nil {
			return err
		}
	}
	return nil
}
