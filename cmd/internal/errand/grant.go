package errand

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"cre-credential-helper/helper"
)

// GrantPath is the way between a consumer and a grant by HTTP.
type GrantPath struct {
	URL     string // where the consumer asks
	Socket  string // of the grant, for who carries its questions there
	KeyFile string // the capability
}

// Carrier is what a grant has done by HTTP.
type Carrier interface {
	// Ask asks at a URL.
	Ask(ctx context.Context, way GrantPath, question []byte) (answer []byte, err error)

	// Carry listens, until ctx ends, and makes the capability's file.
	Carry(ctx context.Context, way GrantPath) (url string, err error)

	// Exchange sends a request to the platform under c, and returns the answer, both
	// in the form of HTTP/1.1.
	Exchange(ctx context.Context, c helper.Credential, request []byte) (answer []byte, err error)
}

// carry does a task about a grant. What listens does so until ctx ends.
func (q question) carry(ctx context.Context, out io.Writer, c Carrier) error {
	a := answer{Version: version}
	var err error
	switch {
	case q.Task == taskExchange && q.Credential != nil:
		a.Words, err = c.Exchange(ctx, q.Credential.credential(), q.Words)
	case q.Grant == nil:
		err = fmt.Errorf("%w: task %.20q", helper.ErrRequest, q.Task)
	case q.Task == taskAskGrant:
		a.Words, err = c.Ask(ctx, *q.Grant, q.Words)
	case q.Task == taskCarryGrant:
		var url string
		url, err = c.Carry(ctx, *q.Grant)
		a.Words = []byte(url)
	default:
		err = fmt.Errorf("%w: task %.20q", helper.ErrRequest, q.Task)
	}
	a.Failure = newFailure(err)
	if writeErr := json.NewEncoder(out).Encode(a); writeErr != nil || err != nil || q.Task != taskCarryGrant {
		return writeErr
	}
	<-ctx.Done()
	return nil
}

// AskGrant asks a grant by HTTP.
func (p Program) AskGrant(ctx context.Context, way GrantPath, words []byte) ([]byte, error) {
	a, err := p.ask(ctx, question{Task: taskAskGrant, Grant: &way, Words: words})
	return a.Words, err
}

// Exchange sends a request to the platform under c. When ctx ends, the request is
// broken off.
func (p Program) Exchange(ctx context.Context, c helper.Credential, request []byte) (answer []byte, err error) {
	a, err := p.ask(ctx, question{Task: taskExchange, Credential: newCredential(c.WithoutRenewal()), Words: request})
	return a.Words, err
}

// CarryGrant has the program listen, and returns where. It does so until stop is
// called, or this process ends.
func (p Program) CarryGrant(way GrantPath) (url string, stop func(), err error) {
	path, err := p.find()
	if err != nil {
		return "", nil, err
	}
	c, err := start(path)
	if err != nil {
		return "", nil, fmt.Errorf("running %s: %w", ProgramName, err)
	}
	stop = func() { _ = c.in.Close() }
	err = json.NewEncoder(c.in).Encode(question{Task: taskCarryGrant, Grant: &way}.versioned())
	var a answer
	if err == nil {
		a, err = c.answer()
	}
	if err == nil {
		err = a.Failure.error()
	}
	if err != nil {
		stop()
		return "", nil, err
	}
	return string(a.Words), stop, nil
}
