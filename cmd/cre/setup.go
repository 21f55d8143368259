package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/setup"
)

const (
	flagUndo     = "undo"
	flagHost     = "host"
	flagRegistry = "registry"
)

// arrangement is one thing that setup puts in order; see package setup.
type arrangement interface {
	Do(context.Context) ([]string, error)
	Undo(context.Context) ([]string, error)
}

func (m machine) setupCommand() *cli.Command {
	one := func(name, usage, text string, of func(*cli.Context) (arrangement, error), flags ...cli.Flag) *cli.Command {
		undo := "give the official CLI its name back"
		if len(flags) > 0 {
			undo = "remove entries (default: all)"
		}
		return &cli.Command{
			Name: name, Usage: usage, UsageText: text,
			Flags: append(flags, &cli.BoolFlag{Name: flagUndo, Usage: undo}),
			Action: func(c *cli.Context) error {
				a, err := of(c)
				if err != nil {
					return err
				}
				return m.arrange(c, a)
			},
		}
	}
	return &cli.Command{
		Name:  "setup",
		Usage: "put the official CLI, git or docker in order beside this program",
		Subcommands: []*cli.Command{
			one("official", "name the official CLI cre-official, and this program cre",
				"cre setup official\ncre setup official --undo", m.setupOfficial),
			one("git", "have git ask the credential helper for a host",
				"cre setup git\ncre setup git --host git.example.com", m.setupGit,
				&cli.StringSliceFlag{Name: flagHost, Usage: "a `HOST` (default: the platform's)"}),
			one("docker", "have docker ask the credential helper for a registry",
				"cre setup docker --registry registry.example.com", m.setupDocker,
				&cli.StringSliceFlag{Name: flagRegistry, Usage: "a `REGISTRY`"}),
		},
	}
}

func (m machine) arrange(c *cli.Context, a arrangement) error {
	act := a.Do
	if c.Bool(flagUndo) {
		act = a.Undo
	}
	lines, err := act(c.Context)
	for _, line := range lines {
		if text, ok := strings.CutPrefix(line, warning+" "); ok {
			m.ui.warn(text)
			continue
		}
		m.ui.say("%s", safetext.Line(line))
	}
	if errors.Is(err, setup.ErrName) {
		return usageError{err}
	}
	return err
}

// folder is what this program was installed into; "": not known.
func (m machine) folder() string {
	self, err := m.executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return ""
	}
	return filepath.Dir(self)
}

// takenBack is the official CLI's name given back, with a word on the session that
// the official CLI can't read.
type takenBack struct {
	arrangement
	note string // "": none
}

// Undo implements [arrangement].
func (t takenBack) Undo(ctx context.Context) ([]string, error) {
	lines, err := t.arrangement.Undo(ctx)
	if err == nil && t.note != "" {
		lines = append(lines, t.note)
	}
	return lines, err
}

// unreadable says what the official CLI by itself can't read; "" if it can.
func (m machine) unreadable() string {
	p, _, err := m.connectWithFiles()
	if err != nil {
		return ""
	}
	k, err := p.look()
	if err != nil || !reading.IsVault(k.place) {
		return ""
	}
	self := filepath.Join(m.folder(), "cre")
	return fmt.Sprintf("warning: your session is in %[2]s, which the official CLI can't read: run %[1]s session move --to file, or %[1]s logout", self, reading.Called(k.place))
}

func (m machine) setupOfficial(*cli.Context) (arrangement, error) {
	home, err := m.homeDir()
	if err != nil {
		return nil, usageError{err}
	}
	self, err := m.executable()
	if err != nil {
		return nil, err
	}
	return takenBack{setup.Official{
		Home: home, Install: m.getenv(official.VariableInstall), LocalAppData: m.getenv("LOCALAPPDATA"),
		Self: self, Path: m.getenv("PATH"),
	}, m.unreadable()}, nil
}

func (m machine) setupGit(c *cli.Context) (arrangement, error) {
	hosts := c.StringSlice(flagHost)
	if len(hosts) == 0 && !c.Bool(flagUndo) {
		env, _, err := platform.Select(m.getenv)
		if err != nil {
			return nil, usageError{err}
		}
		hosts = []string{env.Origin().String()}
	}
	return setup.Git{Hosts: hosts, Folder: m.folder()}, nil
}

func (m machine) setupDocker(c *cli.Context) (arrangement, error) {
	home, err := m.homeDir()
	if err != nil {
		return nil, usageError{err}
	}
	return setup.Docker{
		Config:     setup.DockerConfig(home, m.getenv("DOCKER_CONFIG")),
		Registries: c.StringSlice(flagRegistry),
		Folder:     m.folder(),
	}, nil
}
