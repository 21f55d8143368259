package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/platform"
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
	undo := &cli.BoolFlag{Name: flagUndo, Usage: "take it back"}
	one := func(name, usage, text string, of func(*cli.Context) (arrangement, error), flags ...cli.Flag) *cli.Command {
		return &cli.Command{
			Name: name, Usage: usage, UsageText: text,
			Flags:           append(flags, undo),
			HideHelpCommand: true,
			Before:          noArguments,
			OnUsageError:    onUsageError,
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
			one("official", "name the official CLI cre-official, and put this program in its place",
				"cre setup official\ncre setup official --undo", m.setupOfficial),
			one("git", "have git ask the credential helper for a host",
				"cre setup git\ncre setup git --host git.example.com", m.setupGit,
				&cli.StringSliceFlag{Name: flagHost, Usage: "a `HOST`, as often as needed; by default the platform's"}),
			one("docker", "have docker ask the credential helper for a registry",
				"cre setup docker --registry registry.example.com", m.setupDocker,
				&cli.StringSliceFlag{Name: flagRegistry, Usage: "a `REGISTRY`, as often as needed"}),
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
		m.ui.say("%s", safetext.Line(line))
	}
	if errors.Is(err, setup.ErrName) {
		return usageError{err}
	}
	return err
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
	return setup.Official{
		Home: home, Install: m.getenv("CRE_INSTALL"), LocalAppData: m.getenv("LOCALAPPDATA"),
		Self: self, Path: m.getenv("PATH"),
	}, nil
}

func (m machine) setupGit(c *cli.Context) (arrangement, error) {
	hosts := c.StringSlice(flagHost)
	if len(hosts) == 0 {
		env, _, err := platform.Select(m.getenv)
		if err != nil {
			return nil, usageError{err}
		}
		hosts = []string{env.Origin().String()}
	}
	return setup.Git{Hosts: hosts}, nil
}

func (m machine) setupDocker(c *cli.Context) (arrangement, error) {
	home, err := m.homeDir()
	if err != nil {
		return nil, usageError{err}
	}
	return setup.Docker{
		Config:     setup.DockerConfig(home, m.getenv("DOCKER_CONFIG")),
		Registries: c.StringSlice(flagRegistry),
	}, nil
}
