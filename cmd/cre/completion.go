package main

import (
	"io"

	"github.com/urfave/cli/v2"
)

const bashCompletion = `_cre() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$("${COMP_WORDS[@]:0:$COMP_CWORD}" --generate-bash-completion 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
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

func (m machine) completion(c *cli.Context) error {
	var script string
	var err error
	switch shell := c.Args().First(); shell {
	case "bash":
		script = bashCompletion
	case "zsh":
		script = zshCompletion
	case "fish":
		script, err = c.App.ToFishCompletion()
	default:
		err = usagef("completion takes bash, zsh or fish, not %q", shell)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(m.out, script)
	return err
}
