package main

import (
	"runtime/debug"
	"strings"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"

	"github.com/urfave/cli/v2"
)

func sandboxFlags() []cli.Flag {
	return append(faultFlags(),
		&cli.StringFlag{Name: "address", Value: "127.0.0.1:0", Usage: "listen on this loopback `HOST:PORT`"},
		&cli.StringSliceFlag{Name: "email", Value: cli.NewStringSlice("email@domain.com"), Usage: "an account's `ADDRESS`, several times for several accounts"},
		&cli.StringFlag{Name: "organization", Value: "org_mEMRknbVURM9DWsB", Usage: "the organization's `ID`"},
		&cli.StringFlag{Name: "api-key", Value: "sandbox-api-key", Usage: "the one API `KEY` that is taken"},
		&cli.BoolFlag{Name: "deploy-access", Usage: "give the organization deploy access"},
		&cli.IntFlag{Name: "org-not-ready", Usage: "`N` logins end without an organization"},
		&cli.DurationFlag{Name: "token-lifetime", Value: 24 * time.Hour, Usage: "access tokens live for this `DURATION`"},
		&cli.IntFlag{Name: "token-size", Usage: "pad access tokens to about `N` bytes"},
		&cli.BoolFlag{Name: "no-rotation", Usage: "a refresh token stays as it is"},
		&cli.BoolFlag{Name: "reject-with-200", Usage: "answer a rejected credential with HTTP 200 and GraphQL errors"},
		&cli.BoolFlag{Name: "no-owners", Usage: "the organization has no derived workflow owners"},
	)
}

// faultFlags say what is wrong with the platform.
func faultFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "latency", Usage: "slow an endpoint down: `ENDPOINT=DURATION` (authorize, token, revoke, graphql)"},
		&cli.StringSliceFlag{Name: "fail", Usage: "fail at an endpoint, always or so many times: `ENDPOINT=STATUS[:TIMES]`"},
		&cli.StringSliceFlag{Name: "odd", Usage: "answer oddly at an endpoint: `ENDPOINT=ODDITY[:TIMES]` (" + oddities() + ")"},
	}
}

func oddities() string {
	var names []string
	for _, o := range sandbox.Oddities() {
		names = append(names, string(o))
	}
	return strings.Join(names, ", ")
}

// start runs the sandbox that the flags ask for.
func start(c *cli.Context) (*sandbox.Server, error) {
	f, err := sandbox.ParseFaults(c.StringSlice("latency"), c.StringSlice("fail"), c.StringSlice("odd"))
	if err != nil {
		return nil, err
	}
	return sandbox.Start(c.Context, sandbox.Options{
		Address:       c.String("address"),
		Email:         c.StringSlice("email")[0],
		MoreEmails:    c.StringSlice("email")[1:],
		Organization:  c.String("organization"),
		APIKey:        c.String("api-key"),
		DeployAccess:  c.Bool("deploy-access"),
		OrgNotReady:   c.Int("org-not-ready"),
		TokenLifetime: c.Duration("token-lifetime"),
		TokenSize:     c.Int("token-size"),
		NoRotation:    c.Bool("no-rotation"),
		RejectWithOK:  c.Bool("reject-with-200"),
		NoOwners:      c.Bool("no-owners"),
		Latency:       f.Latency,
		Failures:      f.Failures,
		Odd:           f.Odd,
	})
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
