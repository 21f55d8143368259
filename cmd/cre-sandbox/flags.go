package main

import (
	"fmt"
	"runtime/debug"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"

	"github.com/urfave/cli/v2"
)

func sandboxFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "address", Value: "127.0.0.1:0", Usage: "listen on this loopback `HOST:PORT`"},
		&cli.StringFlag{Name: "email", Value: "email@domain.com", Usage: "the account's `ADDRESS`"},
		&cli.StringFlag{Name: "organization", Value: "org_mEMRknbVURM9DWsB", Usage: "the organization's `ID`"},
		&cli.StringFlag{Name: "api-key", Value: "sandbox-api-key", Usage: "the one API `KEY` that is taken"},
		&cli.BoolFlag{Name: "deploy-access", Usage: "give the organization deploy access"},
		&cli.IntFlag{Name: "org-not-ready", Usage: "`N` logins end without an organization"},
		&cli.DurationFlag{Name: "token-lifetime", Value: 24 * time.Hour, Usage: "access tokens live for this `DURATION`"},
		&cli.IntFlag{Name: "token-size", Usage: "pad access tokens to about `N` bytes"},
		&cli.BoolFlag{Name: "no-rotation", Usage: "a refresh token stays as it is"},
		&cli.BoolFlag{Name: "reject-with-200", Usage: "answer a rejected credential with HTTP 200 and GraphQL errors"},
		&cli.StringSliceFlag{Name: "latency", Usage: "slow an endpoint down: `ENDPOINT=DURATION` (authorize, token, revoke, graphql)"},
		&cli.StringSliceFlag{Name: "fail", Usage: "fail at an endpoint, always or so many times: `ENDPOINT=STATUS[:TIMES]`"},
	}
}

// start runs the sandbox that the flags ask for.
func start(c *cli.Context) (*sandbox.Server, error) {
	o := sandbox.Options{
		Address:       c.String("address"),
		Email:         c.String("email"),
		Organization:  c.String("organization"),
		APIKey:        c.String("api-key"),
		DeployAccess:  c.Bool("deploy-access"),
		OrgNotReady:   c.Int("org-not-ready"),
		TokenLifetime: c.Duration("token-lifetime"),
		TokenSize:     c.Int("token-size"),
		NoRotation:    c.Bool("no-rotation"),
		RejectWithOK:  c.Bool("reject-with-200"),
		Latency:       map[sandbox.Endpoint]time.Duration{},
		Failures:      map[sandbox.Endpoint]sandbox.Failure{},
	}
	for _, s := range c.StringSlice("latency") {
		endpoint, d, err := sandbox.ParseLatency(s)
		if err != nil {
			return nil, fmt.Errorf("--latency: %w", err)
		}
		o.Latency[endpoint] = d
	}
	for _, s := range c.StringSlice("fail") {
		endpoint, f, err := sandbox.ParseFailure(s)
		if err != nil {
			return nil, fmt.Errorf("--fail: %w", err)
		}
		o.Failures[endpoint] = f
	}
	return sandbox.Start(c.Context, o)
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
