package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/helper"
)

// granted answers a get by asking a grant. Everything else is for where it runs.
type granted struct {
	refusal  func(helper.Origin) error // of what the settings don't allow
	reader   reading.Reader            // nothing is renewed here: what a grant answers can't be
	account  string                    // that is asked for where none is named; "": none
	variable string                    // that leads to it
	value    string                    // of that
	where    string                    // the same with its value

	ask func(ctx context.Context, op string, request []byte) (answer []byte, err error)
}

var (
	_ source         = granted{}
	_ helper.Checker = granted{}
)

func newGranted(s wiring.Settings, variable, value string, net errand.Program) granted {
	ask := asker(variable, value)
	if variable == platform.VarGrantURL {
		ask = askURL(errand.GrantPath{URL: value, KeyFile: os.Getenv(platform.VarGrantKey)}, net)
	}
	return granted{refusal: s.Refusal, account: s.Account, variable: variable, value: value, where: variable + "=" + value, ask: ask, reader: reading.Reader{
		APIKey:         s.APIKey.Secret,
		APIKeyVariable: s.APIKey.Variable,
		Environment:    s.Environment,
		Places:         helper.Client{Program: "the grant", Ask: ask},
		Now:            time.Now,
	}}
}

// askURL returns what asks a grant by HTTP, which is an errand.
func askURL(way errand.GrantPath, net errand.Program) func(context.Context, string, []byte) ([]byte, error) {
	return func(ctx context.Context, op string, request []byte) ([]byte, error) {
		if way.KeyFile == "" {
			return nil, fmt.Errorf("%w: %s is set, and %s isn't, which names the file of the capability", status.ErrSetting, platform.VarGrantURL, platform.VarGrantKey)
		}
		var r grant.Reply
		words, err := net.AskGrant(ctx, way, grant.Question(op, request))
		if err == nil {
			r, err = grant.ReadReply(bytes.NewReader(words))
		}
		if err != nil {
			return nil, fmt.Errorf("the grant (%s=%s): %w", platform.VarGrantURL, way.URL, err)
		}
		return r.Result(op)
	}
}

// grantedError says that something isn't done here.
type grantedError struct{ where string }

func (e grantedError) Error() string {
	return fmt.Sprintf("the session here is a granted one (%s): log in, log out and store on the machine where the grant runs", e.where)
}

func (grantedError) Is(target error) bool { return target == helper.ErrRequest }

func (g granted) error() error { return grantedError{g.where} }

// isHandedOn reports whether an operation is a grant's alone.
func isHandedOn(op string) bool { return op == grant.OpStandIn || op == grant.OpExchange }

// handOn has the grant do an operation that is its own.
func handOn(ctx context.Context, s source, op string, in io.Reader, out io.Writer) error {
	g, ok := s.(granted)
	if !ok {
		return fmt.Errorf("%w: %s is for a granted session, and none of %s, %s and %s is set", helper.ErrRequest, op,
			platform.VarGrantSocket, platform.VarGrantFD, platform.VarGrantURL)
	}
	request, err := io.ReadAll(io.LimitReader(in, helper.MaxRequest+1))
	if err == nil && len(request) > helper.MaxRequest {
		err = fmt.Errorf("%w: it has more than %d bytes", helper.ErrRequest, helper.MaxRequest)
	}
	if err != nil {
		return err
	}
	answer, err := g.ask(ctx, op, request)
	if err != nil {
		return err
	}
	_, err = out.Write(answer)
	return err
}

// lender answers what stands in for the token, and exchange has the grant send a
// request: for a grant within the grant.
func (g granted) lender() helper.Client {
	return helper.Client{Program: "the grant", Ask: func(ctx context.Context, _ string, request []byte) ([]byte, error) {
		return g.ask(ctx, grant.OpStandIn, request)
	}}
}

func (g granted) exchange(ctx context.Context, _ helper.Credential, request []byte) ([]byte, error) {
	return g.ask(ctx, grant.OpExchange, request)
}

// Get implements [helper.Store].
func (g granted) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	if err := g.refusal(q.Origin); err != nil {
		return helper.Credential{}, err
	}
	if q.Origin.Path != "" && reading.IsSession(g.reader.Environment, q.Origin.WithoutPath()) {
		return helper.Credential{}, helper.ErrNotFound // a session is good for all paths: who may ask for that, asks next
	}
	if q.Username == nil && g.account != "" && reading.IsSession(g.reader.Environment, q.Origin) {
		q.Username = &g.account
	}
	return g.reader.Get(ctx, q)
}

// Describe implements [helper.Accounts]. It doesn't ask the grant, because that
// would be a use of it.
func (g granted) Describe(ctx context.Context, o helper.Origin) (helper.Description, error) {
	if err := g.refusal(o); err != nil {
		return helper.Description{}, err
	}
	return g.reader.Describe(ctx, o, unasked(g))
}

// unasked says of a grant what is known of it here.
type unasked granted

// Describe implements [reading.Describer].
func (u unasked) Describe(_ context.Context, o helper.Origin) (helper.Description, error) {
	d := helper.NewDescription()
	if err := reach(u.variable, u.value); err != nil {
		d.Problem = err.Error()
		return d, nil
	}
	d.Credentials = append(d.Credentials, helper.Account{
		Origin: o.String(), Username: u.account, AuthType: helper.AuthBearer,
		Place: helper.PlaceGrant, Variable: u.variable, Default: true, Renewable: true,
	})
	return d, nil
}

// Store implements [helper.Store].
func (g granted) Store(context.Context, helper.Credential) error { return g.error() }

// Erase implements [helper.Store].
func (g granted) Erase(context.Context, helper.Query) error { return g.error() }

// Check implements [helper.Checker].
func (g granted) Check(context.Context, helper.Origin) error { return g.error() }

// Use implements [helper.Accounts].
func (g granted) Use(context.Context, helper.Origin, string) error { return g.error() }

// Move implements [helper.Accounts].
func (g granted) Move(context.Context, helper.Origin, helper.Place) error { return g.error() }
