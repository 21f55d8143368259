package grant

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"cre-credential-helper/helper"
)

// What a grant is asked.
const (
	OpGet = "get"

	// OpStandIn is get for who sends requests by OpExchange: the answer has a stand-in
	// in the token's place, which says as much of the organization.
	OpStandIn = "stand-in"

	// OpExchange has the platform asked. The question is a request of HTTP/1.1, and
	// so is the answer.
	OpExchange = "exchange"
)

const (
	maxOperation = 64   // bytes of a question's first line
	maxHead      = 8192 // of an answer's
)

// ErrAnswer reports an answer that isn't whole, or none.
var ErrAnswer = errors.New("the grant gave no answer")

// Reply is what came of one question, in the terms of a program. Its form is one
// line (the exit status, the number of bytes of the answer, and the message, with
// a space between them) and after it the answer.
type Reply struct {
	Status  int    // the exit status
	Message string // that would be on standard error, on one line; "": nothing
	Answer  []byte // that would be on standard output
}

// WriteTo implements [io.WriterTo], in a single call of Write.
func (r Reply) WriteTo(out io.Writer) (int64, error) {
	var whole bytes.Buffer
	fmt.Fprintf(&whole, "%d %d %s\n", r.Status, len(r.Answer), strings.ReplaceAll(r.Message, "\n", " "))
	whole.Write(r.Answer)
	n, err := out.Write(whole.Bytes())
	return int64(n), err
}

// ReadReply reads what [Reply.WriteTo] writes, to the last byte of the answer. Its
// errors are [ErrAnswer] and those of in.
func ReadReply(in io.Reader) (Reply, error) {
	limited := bufio.NewReaderSize(in, maxHead)
	head, err := limited.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF):
		return Reply{}, fmt.Errorf("%w: it ended before it had one", ErrAnswer)
	case errors.Is(err, bufio.ErrBufferFull):
		return Reply{}, fmt.Errorf("%w that is understood: its first line is longer than %d bytes", ErrAnswer, maxHead)
	case err != nil:
		return Reply{}, err
	}
	r, length, ok := parseHead(string(head))
	if !ok {
		return Reply{}, fmt.Errorf("%w that is understood: something else listens there, or another version", ErrAnswer)
	}
	r.Answer = make([]byte, length)
	if _, err := io.ReadFull(limited, r.Answer); err != nil {
		return Reply{}, fmt.Errorf("%w that is whole: %w", ErrAnswer, err)
	}
	return r, nil
}

func parseHead(line string) (r Reply, length int, ok bool) {
	fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
	if len(fields) != 3 {
		return Reply{}, 0, false
	}
	status, err := strconv.ParseUint(fields[0], 10, 7)
	if err != nil {
		return Reply{}, 0, false
	}
	bytes, err := strconv.ParseUint(fields[1], 10, 31)
	if err != nil || bytes > helper.MaxRequest {
		return Reply{}, 0, false
	}
	return Reply{Status: int(status), Message: fields[2]}, int(bytes), true
}

// Result returns the answer as [helper.Client]'s Ask does.
func (r Reply) Result(op string) ([]byte, error) {
	if r.Status != 0 || len(r.Answer) == 0 && r.Message != "" {
		return r.Answer, &helper.ProgramError{Program: "the grant", Operation: op, ExitCode: r.Status, Message: r.Message}
	}
	return r.Answer, nil
}

// Question is what is sent to a grant: a line with the operation, and the request.
func Question(op string, request []byte) []byte {
	return append([]byte(op+"\n"), request...)
}

// readOperation reads a question's first line and not a byte more.
func readOperation(in io.ByteReader) (string, error) {
	var line []byte
	for len(line) <= maxOperation {
		b, err := in.ReadByte()
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return "", err
		case err != nil || b == '\n':
			return strings.TrimSuffix(string(line), "\r"), nil
		}
		line = append(line, b)
	}
	return "", fmt.Errorf("%w: the first line is the operation", helper.ErrRequest)
}
