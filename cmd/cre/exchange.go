package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"cre-credential-helper/cmd/internal/exchange"
	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/standin"
	"cre-credential-helper/cmd/internal/standin/infile"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// exchangingSession runs the official CLI with the stand-in for the session that
// cre.yaml holds: that very account's, whatever becomes the default meanwhile.
func (k kept) exchangingSession(ctx context.Context, command official.Command) (status int, err error) {
	k.asksFor = k.account
	return k.exchanging(ctx, command, exchange.Config{
		StandIn:   k.readStandIn,
		IsForeign: k.isForeign,
	})
}

// exchangingKey runs it with a stand-in for the API key, of this command's own.
func (k kept) exchangingKey(ctx context.Context, command official.Command) (status int, err error) {
	standIn := helper.NewSecret("stand-in-" + rand.Text())
	command.Env = append(command.Env, platform.VarAPIKey+"="+standIn.Reveal())
	return k.exchanging(ctx, command, exchange.Config{
		AuthType:  helper.AuthAPIKey,
		StandIn:   func() (helper.Secret, error) { return standIn, nil },
		IsForeign: func(helper.Secret) bool { return false },
	})
}

// exchanging runs the official CLI, whose requests are given the real credential
// on the way.
func (p *platformClient) exchanging(ctx context.Context, command official.Command, c exchange.Config) (status int, err error) {
	const connections = 64
	if c.Upstream, err = url.Parse(p.GraphQLURL); err != nil {
		return 0, err
	}
	c.Transport, c.Tokens, c.Say = web.NewTransport(connections), p, p.explain
	if p.throughGrant() {
		c.Transport = grantTransport{p.helper}
	}
	server, err := exchange.Listen(context.WithoutCancel(ctx), c)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	override := p.GraphQLURL
	if slices.ContainsFunc(platform.Known(), func(e platform.Environment) bool { return e.GraphQLURL == override }) {
		override = ""
	}
	command.Env = append(command.Env,
		platform.VarUpstream+"="+override,
		platform.VarGraphQLURL+"="+server.URL(),
		platform.VarEnvironment+"="+p.Name)
	process, err := official.Start(context.WithoutCancel(ctx), command)
	if err != nil {
		return 0, err
	}
	server.Admit(process.PID())
	return process.Wait()
}

// makeStandIn has cre.yaml hold this environment's stand-in. The session is asked
// for, which takes a while.
func (p *platformClient) makeStandIn(ctx context.Context) error {
	cred, err := p.credential(ctx)
	if err != nil {
		return err
	}
	_, err = infile.Ensure(ctx, p.files, p.Environment, cred.Secret)
	return err
}

// readStandIn returns the stand-in that cre.yaml has by now.
func (p *platformClient) readStandIn() (helper.Secret, error) {
	file, err := p.files.ReadSession()
	return p.ownStandIn(file.StandIn), err
}

// ownStandIn returns a stand-in of this environment. Another one's is none.
func (p *platformClient) ownStandIn(standIn helper.Secret) helper.Secret {
	if !p.isOwn(standIn) {
		return helper.Secret{}
	}
	return standIn
}

// isOwn reports whether it is a stand-in of this environment.
func (p *platformClient) isOwn(standIn helper.Secret) bool {
	said, ok := standin.Read(standIn)
	return ok && said.IsFor(p.Environment)
}

func (p *platformClient) isForeign(bearer helper.Secret) bool {
	said, ok := standin.Read(bearer)
	return ok && !said.IsFor(p.Environment)
}

// Get implements [exchange.Tokens].
func (p *platformClient) Get(ctx context.Context) (helper.Credential, error) {
	return p.credential(ctx)
}

// Reject implements [exchange.Tokens]. A key that the platform refuses is for a
// person to replace.
func (p *platformClient) Reject(ctx context.Context, cred helper.Credential) error {
	if cred.AuthType == helper.AuthAPIKey {
		return nil
	}
	if p.granted != "" {
		return fmt.Errorf("the platform refuses the token that the grant answered (%s): run cre whoami where the grant runs", p.granted)
	}
	return p.helper.Erase(ctx, helper.Query{Origin: cred.Origin, Username: &cred.Username, Secret: cred.Secret})
}

// explain says what the official CLI shows of a failure on this side. The hint is
// the official CLI's own, which it can't give because it doesn't see the host.
func (p *platformClient) explain(err error) string {
	text := safetext.Line(err.Error())
	var unresolved *net.DNSError
	if errors.As(err, &unresolved) && strings.HasSuffix(web.HostOf(p.GraphQLURL), ".ts.net") {
		text = fmt.Sprintf("%s (%s is reached through Tailscale's VPN: is it on?)", text, p.Name)
	}
	return text
}
