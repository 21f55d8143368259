package completion

import (
	"embed"
	"fmt"
)

//go:embed cre.bash cre.zsh cre.fish cre.ps1
var scripts embed.FS

// Shell is one that there is a script for.
type Shell struct {
	Name    string // as it is typed
	Install string // the command line that installs the script
	file    string
}

// Shells returns all of them.
func Shells() []Shell {
	return []Shell{
		{"bash", "cre completion bash > ~/.local/share/bash-completion/completions/cre", "cre.bash"},
		{"zsh", `cre completion zsh > "${fpath[1]}/_cre"`, "cre.zsh"},
		{"fish", "cre completion fish > ~/.config/fish/completions/cre.fish", "cre.fish"},
		{"powershell", "cre completion powershell >> $PROFILE", "cre.ps1"},
	}
}

// Script returns the shell's script.
func (s Shell) Script() (string, error) {
	data, err := scripts.ReadFile(s.file)
	if err != nil {
		return "", fmt.Errorf("no completion script for %s: %w", s.Name, err)
	}
	return string(data), nil
}
