package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"cre-credential-helper/helper"
)

// gitWait is how long one call to git may take: it reads and writes a small file.
const gitWait = 30 * time.Second

// Git is the line in git's global configuration by which git asks the helper:
// credential.https://HOST.helper. It is written and removed by "git config", so
// that git's own rules say which file that is. The zero value names no host.
type Git struct {
	Hosts   []string // host, host:port, or a URL of http or https without a path
	Program string   // git, by path or name; "": git
	Helper  string   // what git puts "git-credential-" before; "": cre
	Env     []string // git's environment; nil: this process's

	// Folder is what this program was installed into; "": not known.
	Folder string

	// Find looks for a program on PATH; nil: [exec.LookPath].
	Find func(name string) (string, error)
}

// Do adds the line of each host, unless it is there, be it in a file that the
// global one includes. The other helpers of a host stay: git asks them, too.
// Errors are [ErrName], those of finding and running git, and what git says.
func (g Git) Do(ctx context.Context) ([]string, error) {
	var r report
	err := g.each(func(key string) error {
		values, err := g.values(ctx, "--global", "--includes", "--get-all", key)
		switch {
		case err != nil:
			return err
		case slices.Contains(values, g.helper()):
			r.sayf("nothing to change: git's global configuration has %s = %s", key, g.helper())
			return nil
		}
		if _, err := g.run(ctx, "--global", "--add", key, g.helper()); err != nil {
			return err
		}
		r.sayf("added %s = %s to git's global configuration", key, g.helper())
		return nil
	})
	if err != nil {
		return r, err
	}
	r.missing(g.find, "git-credential-"+g.helper(), "git", g.Folder)
	others, err := g.values(ctx, "--get-all", "credential.helper")
	if err == nil && len(others) > 0 && others[len(others)-1] != "" { // what it says may hold a password
		r.sayf("git has other helpers for every host, and tells them what cre answers: see git config --get-all credential.helper")
	}
	return r, err
}

// Undo removes the line of each host that says what Do writes, and no other;
// without a host, all such lines. The errors are Do's.
func (g Git) Undo(ctx context.Context) (_ []string, err error) {
	var r report
	if len(g.Hosts) == 0 {
		if g.Hosts, err = g.ours(ctx); err != nil {
			return nil, err
		}
		if len(g.Hosts) == 0 {
			r.sayf("nothing to take back: git's global configuration has %s for no host", g.helper())
			return r, nil
		}
	}
	return r, g.each(func(key string) error {
		values, err := g.values(ctx, "--global", "--get-all", key)
		switch {
		case err != nil:
			return err
		case !slices.Contains(values, g.helper()):
			r.sayf("nothing to take back: git's global configuration has no %s = %s", key, g.helper())
			return nil
		}
		if _, err := g.run(ctx, "--global", "--unset-all", key, "^"+regexp.QuoteMeta(g.helper())+"$"); err != nil {
			return err
		}
		r.sayf("removed %s = %s from git's global configuration", key, g.helper())
		return nil
	})
}

// ours are the hosts that have the line that Do writes.
func (g Git) ours(ctx context.Context) (hosts []string, err error) {
	lines, err := g.values(ctx, "--global", "--get-regexp", `^credential\..+\.helper$`)
	for _, line := range lines {
		key, value, _ := strings.Cut(line, "\n")
		host := strings.TrimSuffix(strings.TrimPrefix(key, "credential."), ".helper")
		if is, err := gitKey(host); err == nil && is == key && value == g.helper() && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts, err
}

func (g Git) helper() string { return cmp.Or(g.Helper, defaultHelper) }

func (g Git) find(name string) (string, error) {
	if g.Find != nil {
		return g.Find(name)
	}
	return exec.LookPath(name)
}

// each does something for the key of each host, once it is known that all hosts
// can be ones.
func (g Git) each(do func(key string) error) error {
	if len(g.Hosts) == 0 {
		return faultf(ErrName, "name a host: --host git.example.com")
	}
	var keys []string
	for _, host := range g.Hosts {
		key, err := gitKey(host)
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	for _, key := range keys {
		if err := do(key); err != nil {
			return err
		}
	}
	return nil
}

// gitKey is git's name for the helper of a host.
func gitKey(host string) (string, error) {
	url := host
	if !strings.Contains(url, "://") {
		url = "https://" + url
	}
	o, err := helper.ParseOrigin(strings.TrimSuffix(url, "/"))
	if err != nil || o.Path != "" || o.Protocol != "https" && o.Protocol != "http" {
		return "", faultf(ErrName, "%q is not a host: name one such as git.example.com or git.example.com:8443", host)
	}
	return "credential." + o.String() + ".helper", nil
}

// values is what git finds of a key; none is no error.
func (g Git) values(ctx context.Context, args ...string) ([]string, error) {
	const notFound = 1 // git-config(1)
	out, err := g.run(ctx, append([]string{"--null"}, args...)...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == notFound && len(exit.Stderr) == 0:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00"), nil
}

// run runs git config. Its errors hold what git said.
func (g Git) run(ctx context.Context, args ...string) (string, error) {
	path, err := g.find(cmp.Or(g.Program, "git"))
	if err != nil {
		return "", fmt.Errorf("find git: %w: install it, or write its configuration yourself", err)
	}
	ctx, cancel := context.WithTimeout(ctx, gitWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"config"}, args...)...)
	cmd.Env, cmd.WaitDelay = g.Env, time.Second
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("git config: %w", ctx.Err())
	case errors.As(err, &exit) && len(exit.Stderr) > 0:
		return "", fmt.Errorf("git config: %w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	case err != nil:
		return "", fmt.Errorf("git config: %w", err)
	}
	return string(out), nil
}
