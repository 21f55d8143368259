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
	Profile string // the file that it reads when it starts
	Line    string // what loads the script there
	file    string
}

// Shells returns all of them.
func Shells() []Shell {
	return []Shell{
		{"bash", "~/.bashrc", `eval "$(cre completion bash)"`, "cre.bash"},
		{"zsh", "~/.zshrc, after compinit", "source <(cre completion zsh)", "cre.zsh"},
		{"fish", "~/.config/fish/config.fish", "cre completion fish | source", "cre.fish"},
		{"powershell", "$PROFILE", "cre completion powershell | Out-String | Invoke-Expression", "cre.ps1"},
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
