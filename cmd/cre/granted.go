package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/helper"
)

// granted returns the variable that leads to a grant, in which the session is then;
// "": there is none.
func (m machine) granted() string {
	variable, _ := platform.Granted(m.getenv)
	return variable
}

// grantTime is for the answer of a request: a person may be asked there, and whoever
// asks before has a turn. The helper, which knows why, gives up first.
const grantTime = 5 * time.Minute

// throughGrant reports whether requests are sent where the grant runs, which puts
// the session's token in: none comes here. An API key that is set here comes first.
func (p *platformClient) throughGrant() bool {
	return p.granted != "" && !p.hasKey && !p.apiKey.IsSet()
}

// mayLogIn refuses a login where a grant's session is, in the helper's words. It asks
// nothing elsewhere.
func (p *platformClient) mayLogIn(ctx context.Context) error {
	if p.granted == "" {
		return nil
	}
	return p.helper.Check(ctx, p.Origin())
}

// requester is who is asked for what requests are sent with, and client what sends
// them.
func (p *platformClient) requester() helper.Client {
	if !p.throughGrant() {
		return p.helper
	}
	return helper.Client{Program: p.helper.Program, Ask: func(ctx context.Context, _ string, request []byte) ([]byte, error) {
		return p.helper.Do(ctx, grant.OpStandIn, request)
	}}
}

func (p *platformClient) client() *http.Client {
	if !p.throughGrant() {
		return p.http
	}
	return &http.Client{Transport: grantTransport{p.helper}, Timeout: grantTime}
}

// grantTransport is the way to the platform by the helper and the grant.
type grantTransport struct{ helper helper.Client }

// RoundTrip implements [http.RoundTripper].
func (t grantTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.Header.Del("Authorization")
	var request bytes.Buffer
	if err := out.Write(&request); err != nil {
		return nil, err
	}
	if request.Len() > helper.MaxRequest {
		return nil, &helper.ProgramError{
			Program: t.helper.Program, Operation: grant.OpExchange, ExitCode: 1,
			Message: fmt.Sprintf("a request of more than %d bytes isn't sent by a grant: run the command where the grant runs", helper.MaxRequest),
		}
	}
	answer, err := t.helper.Do(r.Context(), grant.OpExchange, request.Bytes())
	if err != nil {
		return nil, err
	}
	return http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), r)
}
