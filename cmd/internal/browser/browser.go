// Package browser knows where a browser can be opened, and by which program.
package browser

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"strings"

	desktop "github.com/cli/browser"
	"github.com/google/shlex"
)

// Surroundings are what decides whether a browser can be opened.
type Surroundings struct {
	OS     string // as runtime.GOOS has it
	Getenv func(string) string
}

// IsRemote reports whether the person sits at another machine (SSH).
func (s Surroundings) IsRemote() bool {
	return s.Getenv("SSH_CONNECTION") != "" || s.Getenv("SSH_TTY") != ""
}

// CanOpen reports whether [Surroundings.Open] has a program to try. BROWSER
// counts everywhere, because editors that work over SSH set it; else there must
// be a display, and the person in front of it.
func (s Surroundings) CanOpen() bool {
	if strings.TrimSpace(s.Getenv("BROWSER")) != "" {
		return true
	}
	hasDisplay := s.OS == "windows" || s.OS == "darwin" || s.Getenv("DISPLAY") != "" || s.Getenv("WAYLAND_DISPLAY") != ""
	return hasDisplay && !s.IsRemote()
}

// Open runs the first program that BROWSER names and that works, else the
// desktop's own choice if BROWSER is empty. It returns when the program ends, which
// may be when the person closes the browser. The URL is on its command line.
func (s Surroundings) Open(url string) error {
	value := strings.TrimSpace(s.Getenv("BROWSER"))
	if value == "" {
		return desktop.OpenURL(url)
	}
	var failed error
	for _, command := range s.commands(value, url) {
		err := exec.Command(command[0], command[1:]...).Run()
		if err == nil {
			return nil
		}
		failed = errors.Join(failed, explain(command[0], err))
	}
	return failed
}

func explain(program string, err error) error {
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return fmt.Errorf("%s: %w", program, err) // "exit status 1"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("BROWSER: there is no program %q", program)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("BROWSER: %q may not be executed", program)
	}
	return err
}

// commands returns what BROWSER's value means, as git and xdg-open read it: the
// path of a program, else command lines separated by colons (on Windows, by
// semicolons). In the words of each, %s stands for the URL; without one, the URL
// comes last.
func (s Surroundings) commands(value, url string) (all [][]string) {
	if path, err := exec.LookPath(value); err == nil {
		return [][]string{{path, url}}
	}
	separator := ":"
	if s.OS == "windows" {
		separator, value = ";", strings.ReplaceAll(value, `\`, `\\`)
	}
	for _, line := range strings.Split(value, separator) {
		words, err := shlex.Split(line)
		if err != nil { // a quote that doesn't end is meant as it stands
			words = strings.Fields(line)
		}
		if len(words) == 0 {
			continue
		}
		if !slices.ContainsFunc(words[1:], func(w string) bool { return strings.Contains(w, "%s") }) {
			words = append(words, "%s")
		}
		for i := 1; i < len(words); i++ {
			words[i] = strings.ReplaceAll(words[i], "%s", url)
		}
		all = append(all, words)
	}
	return all
}
