package helper

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// dockerForm is the form of docker-credential-helpers: a bare server URL, or
// JSON with ServerURL, Username and Secret. Username and Secret are any text.
type dockerForm struct {
	serverURL string // as the caller wrote it: the answer repeats it
}

// The sentences by which docker's clients tell failures apart; they are that
// protocol's, to the letter.
const (
	dockerNotFound   = "credentials not found in native keychain"
	dockerNoServer   = "no credentials server URL"
	dockerNoUsername = "no credentials username"
)

// dockerError is an error with the text that docker's clients look for.
type dockerError string

func (e dockerError) Error() string        { return string(e) }
func (e dockerError) Is(target error) bool { return target == ErrRequest }

// dockerCredential is the JSON of docker's store and get.
type dockerCredential struct {
	ServerURL string
	Username  string
	Secret    string
}

func (f *dockerForm) parse(op string, data []byte) (request, error) {
	var c Credential
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		if err := f.parseCredential(data, &c); err != nil {
			return request{}, err
		}
	} else {
		f.serverURL = string(bytes.Trim(data, " \t\r\n"))
	}
	switch {
	case f.serverURL == "":
		return request{}, dockerError(dockerNoServer)
	case op == opStore && c.Username == "":
		return request{}, dockerError(dockerNoUsername)
	}
	var err error
	if c.Origin, err = f.origin(); err != nil {
		return request{}, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	c.ServerURL = f.serverURL
	q := Query{Origin: c.Origin, Room: RoomDocker}
	return request{query: q, credential: c, pathOptional: true, unexpired: true}, nil
}

func (f *dockerForm) parseCredential(data []byte, c *Credential) error {
	fields, err := parseObject(data)
	if err != nil {
		return err
	}
	if f.serverURL, err = lineField(fields, "ServerURL"); err != nil {
		return err
	}
	if c.Username, err = textField(fields, "Username"); err != nil {
		return err
	}
	secret, err := textField(fields, "Secret")
	c.Secret = NewSecret(secret) // to docker's own helpers, none is the empty one
	return err
}

// origin reads the server URL; docker also names registries by host alone.
func (f *dockerForm) origin() (Origin, error) {
	if strings.Contains(f.serverURL, "://") {
		return ParseOrigin(f.serverURL)
	}
	return ParseOrigin("https://" + f.serverURL)
}

// answer is a failure, and not silence, where JSON would change a letter.
func (f *dockerForm) answer(out io.Writer, c Credential) error {
	if !utf8.ValidString(c.Username + c.Secret.Reveal()) {
		return errNotUTF8
	}
	return writeJSON(out, dockerCredential{ServerURL: f.serverURL, Username: c.Username, Secret: c.Secret.Reveal()})
}

// fail says it on standard output, where docker's clients read it. To erase
// what isn't there is no failure: docker logout asks for it all the time.
func (f *dockerForm) fail(out io.Writer, op string, err error) error {
	text := err.Error()
	if errors.Is(err, ErrNotFound) && op == opErase {
		return nil
	}
	if errors.Is(err, ErrNotFound) {
		text = dockerNotFound
	}
	if _, werr := fmt.Fprintln(out, text); werr != nil {
		return errors.Join(err, werr)
	}
	return &ToldError{Err: err}
}
