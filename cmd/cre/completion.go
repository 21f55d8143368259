package main

import (
	"io"
	"strings"

	"github.com/urfave/cli/v2"
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
