package doctor

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// gitWait is how long git may take to read its configuration.
const gitWait = 5 * time.Second

// gitLine is a line by which git asks a helper.
type gitLine struct{ key, value string }

// git finds the lines of git's configuration that name the helper. Of all others
// nothing is said: they may hold a password.
func (d desk) git(ctx context.Context) []Finding {
	lines, err := d.gitLines(ctx)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return []Finding{ok("git is not installed")}
	case err != nil:
		return []Finding{problem("%v", err)}
	}
	var found []Finding
	var hosts []string
	for _, l := range lines {
		if l.value == ownHelperName || filepath.Base(l.value) == gitHelperName && fileExists(l.value) || l.isOurs() && fileExists(l.program()) {
			hosts = append(hosts, l.host())
		} else if l.isOurs() {
			found = append(found, problem("git asks %s for %s, which isn't there", l.program(), l.host()).
				run(d.shell.command("git", "config", "--global", "--replace-all", l.key, ownHelperName, "^"+regexp.QuoteMeta(l.value)+"$")))
		}
	}
	if len(hosts) == 0 {
		return append(found, ok("git does not ask the helper"))
	}
	found = append(found, ok("git asks the helper for %s", strings.Join(hosts, ", ")))
	if slices.ContainsFunc(lines, func(l gitLine) bool { return l.value == ownHelperName }) {
		if f, known := d.answering(gitHelperName, "git"); known {
			found = append(found, f)
		}
	}
	return found
}

// The helper's short name, and what git and docker make of it.
const (
	ownHelperName    = "cre"
	gitHelperName    = "git-credential-" + ownHelperName
	dockerHelperName = "docker-credential-" + ownHelperName
)

// program is the path of a helper that is named by one; else "".
func (l gitLine) program() string {
	word, _, _ := strings.Cut(l.value, " ")
	if !filepath.IsAbs(word) {
		return ""
	}
	return word
}

// isOurs reports whether a line names the helper by a path.
func (l gitLine) isOurs() bool {
	base := strings.TrimSuffix(filepath.Base(l.program()), ".exe")
	return base == gitHelperName || base == "cre-credential-helper"
}

// host is what the line is for, without a username or a password.
func (l gitLine) host() string {
	place := strings.TrimSuffix(strings.TrimPrefix(l.key, "credential."), ".helper")
	if place == "helper" {
		return "every host"
	}
	u, err := url.Parse(place)
	if err != nil {
		return "a host"
	}
	u.User = nil
	return u.String()
}

// gitLines asks git for them.
func (d desk) gitLines(ctx context.Context) ([]gitLine, error) {
	path := d.onPath("git")
	if path == "" {
		return nil, exec.ErrNotFound
	}
	ctx, cancel := context.WithTimeout(ctx, gitWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "config", "--null", "--get-regexp", `^credential\.(.*\.)?helper$`)
	cmd.Dir, cmd.Env, cmd.WaitDelay = d.WorkDir, d.Environ, time.Second
	out, err := cmd.Output()
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case exited && exit.ExitCode() == 1 && len(exit.Stderr) == 0: // git-config(1): there is none
		return nil, nil
	case exited && len(exit.Stderr) > 0:
		return nil, errors.New("git can't read its configuration: " + strings.TrimSpace(string(exit.Stderr)))
	case err != nil:
		return nil, errors.New("git can't be asked for its configuration: " + err.Error())
	}
	var lines []gitLine
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		key, value, _ := strings.Cut(entry, "\n")
		lines = append(lines, gitLine{key, value})
	}
	return lines, nil
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return path != "" && err == nil
}
