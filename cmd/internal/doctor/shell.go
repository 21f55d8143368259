package doctor

import (
	"runtime"
	"strings"

	"cre-credential-helper/cmd/internal/safetext"
)

// shell writes the commands that people paste: into a POSIX shell, or PowerShell.
type shell struct{ power bool }

func ownShell() shell { return shell{power: runtime.GOOS == "windows"} }

// quote makes one word of any text. A word that begins with a dash is no option
// where it stands after a command's "--".
func (s shell) quote(word string) string { return safetext.Quote(word, s.power) }

// command joins words that need quoting to a command.
func (s shell) command(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = s.quote(w)
	}
	line := strings.Join(quoted, " ")
	if s.power && strings.HasPrefix(line, "'") {
		line = "& " + line
	}
	return line
}

func (s shell) unset(names ...string) string {
	if !s.power {
		return "unset " + strings.Join(names, " ")
	}
	for i, name := range names {
		names[i] = "Env:" + name
	}
	return "Remove-Item " + strings.Join(names, ", ")
}

func (s shell) export(name, value string) string {
	if s.power {
		return "$env:" + name + " = '" + strings.ReplaceAll(value, "'", "''") + "'"
	}
	return "export " + name + "=" + s.quote(value)
}

// prependPath puts a folder first on PATH.
func (s shell) prependPath(dir string) string {
	if s.power {
		return "$env:PATH = '" + strings.ReplaceAll(dir, "'", "''") + ";' + $env:PATH"
	}
	return "export PATH=" + s.quote(dir) + `:"$PATH"`
}

// moveAside gives what is at a path another name, so that nothing is lost.
func (s shell) moveAside(path string) string {
	if s.power {
		return s.command("Move-Item", "-LiteralPath", path, "-Destination", path+".aside")
	}
	return s.command("mv", "-n", "--", path, path+".aside")
}

// with sets a variable for one command.
func (s shell) with(name, value, command string) string {
	if s.power {
		return s.export(name, value) + "; " + command
	}
	return name + "=" + s.quote(value) + " " + command
}
