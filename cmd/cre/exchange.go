package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"cre-credential-helper/cmd/internal/exchange"
	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/standin"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// findSession returns where cre.yaml says that the environment's session is, or
// [errNotLoggedIn]. One in the file that is due is renewed first, under the lock
// that the official CLI doesn't take; it may be in the keychain afterwards.
func (m machine) findSession(ctx context.Context) (*platformClient, reading.Place, error) {
	p, _, err := m.connectWithFiles()
	if err != nil {
		return nil, "", err
	}
	place, due, err := p.look()
	if err == nil && due {
		if _, err = p.credential(ctx); err == nil {
			place, _, err = p.look()
		}
	}
	if err == nil && place == "" {
		err = errNotLoggedIn
	}
	return p, place, err
}

// look reads cre.yaml. A session in the keychain is never due: the exchange asks
// for what it needs.
func (p *platformClient) look() (place reading.Place, due bool, err error) {
	file, err := p.files.ReadSession()
	if err != nil {
		return "", false, err
	}
	format := reading.Format{Environment: p.Environment}
	place = format.Where(file.Session(), p.Origin())
	if place == reading.InFile {
		c, _ := format.Credential(file.Session())
		due = reading.IsDue(c, p.now())
	}
	return place, due, nil
}

// exchanging runs the official CLI with the stand-in that [ensureStandIn] has put
// there for the session, which its requests are given on the way.
func (p *platformClient) exchanging(ctx context.Context, command official.Command) (status int, err error) {
	upstream, err := url.Parse(p.GraphQLURL)
	if err != nil {
		return 0, err
	}
	const connections = 64
	server, err := exchange.Listen(context.WithoutCancel(ctx), exchange.Config{
		Upstream:  upstream,
		Transport: web.NewTransport(connections),
		StandIn:   p.standIn,
		IsForeign: p.isForeign,
		Tokens:    p,
		Say:       p.explain,
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	command.Env = append(command.Env,
		platform.VarGraphQLURL+"="+server.URL(),
		platform.VarEnvironment+"="+p.Name)
	process, err := official.Start(context.WithoutCancel(ctx), command)
	if err != nil {
		return 0, err
	}
	server.Admit(process.PID())
	return process.Wait()
}

// ensureStandIn has cre.yaml hold this environment's stand-in. Only where it
// doesn't yet, the session is asked for, which takes a while.
func (p *platformClient) ensureStandIn(ctx context.Context) error {
	if own, err := p.standIn(); err != nil || own.IsSet() {
		return err
	}
	cred, err := p.credential(ctx)
	if err != nil {
		return err
	}
	_, err = standin.Ensure(ctx, p.files, p.Environment, cred.Secret)
	return err
}

// standIn returns the stand-in in cre.yaml. Another environment's is none.
func (p *platformClient) standIn() (helper.Secret, error) {
	file, err := p.files.ReadSession()
	if err != nil {
		return helper.Secret{}, err
	}
	if said, ok := standin.Read(file.StandIn); !ok || !said.IsFor(p.Environment) {
		return helper.Secret{}, nil
	}
	return file.StandIn, nil
}

func (p *platformClient) isForeign(bearer helper.Secret) bool {
	said, ok := standin.Read(bearer)
	return ok && !said.IsFor(p.Environment)
}

// Get implements [exchange.Tokens].
func (p *platformClient) Get(ctx context.Context) (helper.Credential, error) {
	return p.credential(ctx)
}

// Reject implements [exchange.Tokens].
func (p *platformClient) Reject(ctx context.Context, cred helper.Credential) error {
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
