// Package helper is the protocol by which programs ask for credentials: one
// request on standard input, one answer on standard output, in the form that
// the request itself is written in: git's (git-credential(1)), docker's
// (docker-credential-helpers) or Bazel's (EngFlow's credential-helper-spec).
//
// [Server] answers requests from a [Store]; [Client] is a Store that asks a
// helper program. The rules that doc comments cite are numbered in
// docs/specification.md. The package knows nothing of where credentials are kept, of
// OAuth, or of CRE, and it imports the standard library only.
package helper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// The operations of the protocol.
const (
	opGet        = "get"
	opStore      = "store"
	opErase      = "erase"
	opCheck      = "check" // ours: would a store succeed?
	opList       = "list"
	opVersion    = "version"
	opCapability = "capability"
)

// Server answers requests. Only Store must be set.
type Server struct {
	Store Store

	// Default is what an empty get or check asks for. Zero: an empty request
	// is an error, as it always is for store and erase (docs/specification.md, 3.1).
	Default Origin

	// Version is the line that the version operation answers
	// (docs/specification.md, 2.6).
	Version string

	// Docker says that the program goes by a name that docker's clients start
	// ("docker-credential-…"): to them, an empty request is one without a
	// server URL, and an unknown operation an error (docs/specification.md, 5.11).
	Docker bool

	// Ephemeral says that answers must not be kept: git's form says so to who
	// understands its authtype capability, and answers no refresh token.
	Ephemeral bool

	// Line makes the text of an error fit for a terminal, on one line: docker's
	// clients show what they are told on standard output. Nil: it is told as it
	// is. It must leave plain text as it is.
	Line func(text string) string

	// Notice is handed, line by line, what a person should know of an
	// operation that succeeds. Nil: it is dropped.
	Notice func(line string)
}

// ToldError wraps an error that the caller has been told within the protocol:
// nothing is left to print, only an exit status to choose (docs/specification.md, 5.5).
type ToldError struct{ Err error }

func (e *ToldError) Error() string { return e.Err.Error() }
func (e *ToldError) Unwrap() error { return e.Err }

// Serve does one operation: get, store, erase, check, list, version, capability
// or, with a Store that is an [Accounts], describe, use and move. Operations that it doesn't know it ignores, as gitcredentials(7)
// asks of helpers; under docker's name they are an error (docs/specification.md, 2.8
// and 5.11). An error is for standard error and the exit status, except a
// [ToldError], which is for the exit status alone.
func (s Server) Serve(ctx context.Context, op string, in io.Reader, out io.Writer) error {
	switch op {
	case opGet, opStore, opErase, opCheck:
		return s.request(ctx, op, in, out)
	case opDescribe, opUse, opMove:
		if s.Docker {
			return s.unknown(op)
		}
		return s.accounts(ctx, op, in, out)
	case opList:
		return s.list(ctx, out)
	case opVersion:
		_, err := fmt.Fprintln(out, s.Version)
		return err
	case opCapability:
		_, err := fmt.Fprintf(out, "version 0\ncapability %s\n", capAuthType)
		return err
	}
	return s.unknown(op)
}

func (s Server) unknown(op string) error {
	if s.Docker {
		return fmt.Errorf("%w: unknown operation %.40q", ErrRequest, op)
	}
	return nil
}

func (s Server) request(ctx context.Context, op string, in io.Reader, out io.Writer) error {
	f, data, err := s.readRequest(ctx, in)
	if err != nil {
		return err
	}
	var req request
	if f == nil {
		f = &emptyForm{gitForm{ephemeral: s.Ephemeral}}
		req, err = s.defaultRequest(op)
	} else {
		req, err = f.parse(op, data)
	}
	if err == nil {
		err = s.do(ctx, op, req, f, out)
	}
	if err == nil {
		return nil
	}
	left := f.fail(out, op, s.shown(err))
	if left == nil && (errors.Is(err, errUnfit) || errors.Is(err, ErrAccount)) {
		s.notice(oneLine(err)) // git goes on without, and its user wonders why
	}
	return left
}

// shownError is an error in the words that its caller may be shown.
type shownError struct {
	error
	text string
}

func (e shownError) Error() string { return e.text }
func (e shownError) Unwrap() error { return e.error }

func (s Server) shown(err error) error {
	if s.Line == nil {
		return err
	}
	return shownError{err, s.Line(err.Error())}
}

func (s Server) notice(line string) {
	if s.Notice != nil {
		s.Notice(line)
	}
}

func (s Server) do(ctx context.Context, op string, req request, f form, out io.Writer) error {
	switch op {
	case opGet:
		c, err := s.get(ctx, req)
		if err != nil {
			return err
		}
		return f.answer(out, c)
	case opStore:
		if !req.credential.Secret.IsSet() {
			return fmt.Errorf("%w: there is no secret to store", ErrRequest)
		}
		if req.ephemeral {
			return nil
		}
		return s.Store.Store(ctx, req.credential)
	case opErase:
		return s.Store.Erase(ctx, req.query)
	default:
		if checker, ok := s.Store.(Checker); ok {
			return checker.Check(ctx, req.query.Origin)
		}
		return nil
	}
}

func (s Server) get(ctx context.Context, req request) (Credential, error) {
	q := req.query
	q.Secret = Secret{}
	c, err := s.Store.Get(ctx, q)
	if errors.Is(err, ErrNotFound) && req.pathOptional && q.Origin.Path != "" {
		q.Origin = q.Origin.WithoutPath()
		c, err = s.Store.Get(ctx, q)
	}
	if err == nil && req.unexpired && c.ExpiresWithin(0, time.Now()) {
		return Credential{}, fmt.Errorf("%w: it has expired", ErrNotFound)
	}
	return c, err
}

// list answers docker's list: the server URLs of docker's room and their
// usernames. A store that can't list has none to show. What can't be read must
// not keep docker's clients from the rest.
func (s Server) list(ctx context.Context, out io.Writer) error {
	lister, ok := s.Store.(Lister)
	if !ok {
		return writeJSON(out, struct{}{})
	}
	credentials, err := lister.List(ctx)
	if incomplete, ok := errors.AsType[*IncompleteError](err); ok {
		for _, line := range incomplete.lines() {
			s.notice(line)
		}
	} else if err != nil {
		return (&dockerForm{}).fail(out, opList, s.shown(err))
	}
	usernames := make(map[string]string)
	var last Origin
	for _, c := range credentials { // an origin's newest comes first
		if c.Room() != RoomDocker {
			continue
		}
		if c.Origin != last {
			usernames[c.ServerURL] = c.Username
		}
		last = c.Origin
	}
	return writeJSON(out, usernames)
}

func (s Server) defaultRequest(op string) (request, error) {
	if op == opStore || op == opErase || s.Default == (Origin{}) {
		return request{}, fmt.Errorf("%w: nothing on standard input", ErrRequest)
	}
	return request{query: Query{Origin: s.Default}}, nil
}

// emptyForm is git's form for whoever sent nothing: a person or a script,
// which wants to be told that there is no session.
type emptyForm struct{ gitForm }

// fail says it to docker's clients too: to erase the empty server URL is to
// send nothing.
func (*emptyForm) fail(out io.Writer, op string, err error) error {
	if op == opErase {
		_, werr := fmt.Fprintln(out, dockerNoServer)
		return errors.Join(err, werr)
	}
	return err
}
