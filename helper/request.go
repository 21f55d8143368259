package helper

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// MaxRequest is how many bytes of a request are read at the most; a longer one
// is refused (docs/specification.md, 3.5).
const MaxRequest = 1 << 20

// ErrRequest is what a request that can't be understood, or must not be
// answered, fails with (docs/specification.md, 3.10).
var ErrRequest = errors.New("bad request")

// request is what a caller asked, whatever the form it was asked in.
type request struct {
	query      Query
	credential Credential // of a store: Origin, Username and Secret at least
	ephemeral  bool       // the credential must not outlive this request

	// A form whose callers name a page rather than the place that a
	// credential is good for: what is kept for the whole host serves too.
	pathOptional bool

	// A form that can't answer a refresh token: an expired secret, kept for
	// its owner to renew, is of no use to its callers.
	unexpired bool
}

// form is one way to write requests and answers.
type form interface {
	// parse reads a whole request, which op is asked with.
	parse(op string, data []byte) (request, error)
	// answer writes what get found.
	answer(out io.Writer, c Credential) error
	// fail tells the caller err in the form's own way, and returns what is
	// left to be said outside of the protocol: nil where it counts as success.
	fail(out io.Writer, op string, err error) error
}

// errUnfit is an [ErrNotFound] about what is there, and can't be said in the
// form that was asked in without becoming something else.
var errUnfit = fmt.Errorf("%w that this form can hold", ErrNotFound)

// readRequest reads one request and tells its form by its first bytes. An
// empty request has no form. It returns early when ctx ends: a reader that
// doesn't is left behind. A context that never ends takes no second goroutine.
func (s Server) readRequest(ctx context.Context, in io.Reader) (form, []byte, error) {
	if ctx.Done() == nil {
		return s.scanRequest(in)
	}
	type result struct {
		form form
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		f, data, err := s.scanRequest(in)
		done <- result{f, data, err}
	}()
	select {
	case r := <-done:
		return r.form, r.data, r.err
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("waiting for the request on standard input: %w", ctx.Err())
	}
}

func (s Server) scanRequest(input io.Reader) (form, []byte, error) {
	in := bufio.NewReader(io.LimitReader(skipMark(&endingOnce{Reader: input}), MaxRequest+1))
	line, err := readLine(in)
	switch {
	case err != nil:
		return nil, nil, err
	case len(line) == 0 && s.Docker:
		return &dockerForm{}, nil, nil
	case len(line) == 0:
		return nil, nil, nil
	case isAttribute(line) && !(s.Docker && isBlank(line)):
		data, err := readAttributes(in, line)
		return &gitForm{ephemeral: s.Ephemeral}, data, err
	}
	rest, err := io.ReadAll(in)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the request: %w", err)
	}
	data := append(line, rest...)
	switch {
	case len(data) > MaxRequest:
		return nil, nil, errTooLong()
	case !utf8.Valid(data):
		return nil, nil, fmt.Errorf("%w: not UTF-8", ErrRequest)
	}
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return &dockerForm{}, data, nil
	}
	fields, err := parseObject(data)
	if err != nil {
		return nil, nil, err
	}
	if _, ok := fields["uri"]; ok {
		return &bazelForm{}, data, nil
	}
	return &dockerForm{}, data, nil
}

// endingOnce asks no more after an error, and repeats it: at a terminal, the end of
// the input is what is typed next, and not a state.
type endingOnce struct {
	io.Reader
	err error
}

func (e *endingOnce) Read(p []byte) (n int, err error) {
	if e.err == nil {
		n, e.err = e.Reader.Read(p)
	}
	return n, e.err
}

// skipMark drops the byte order mark that some editors and shells put in front
// of UTF-8. It reads no further than that.
func skipMark(input io.Reader) io.Reader {
	const mark = "\ufeff"
	in := bufio.NewReader(input)
	if first, _ := in.Peek(1); string(first) != mark[:1] {
		return in
	}
	if start, _ := in.Peek(len(mark)); string(start) == mark {
		_, _ = in.Discard(len(mark))
	}
	return in // an error of Peek comes again, from [endingOnce]
}

// readAttributes reads on up to the blank line that ends git's form: git keeps
// its end of the pipe open no longer than that, others may.
func readAttributes(in *bufio.Reader, first []byte) ([]byte, error) {
	data, line := first, first
	for len(line) > 0 && !isBlank(line) {
		if len(line) > maxLine {
			return nil, fmt.Errorf("%w: a line is longer than %d bytes", ErrRequest, maxLine)
		}
		var err error
		if line, err = readLine(in); err != nil {
			return nil, err
		}
		data = append(data, line...)
		if len(data) > MaxRequest {
			return nil, errTooLong()
		}
	}
	return data, nil
}

// readLine returns the next line with its end, nothing at the end of input.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	if len(line) > MaxRequest {
		return nil, errTooLong()
	}
	return line, nil
}

func errTooLong() error {
	return fmt.Errorf("%w: longer than %d bytes", ErrRequest, MaxRequest)
}

// checkLine reports whether value can stand on a line. What can't is neither
// taken nor answered where a value is one: what one form takes in, another gives
// out as it is, or not at all.
func checkLine(key, value string) error {
	if strings.ContainsAny(value, "\r\n\x00") {
		return fmt.Errorf("%s holds a line end or NUL", key)
	}
	return nil
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
