package helper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Client is a [Store], a [Checker] and an [Accounts] that asks a helper program, in git's
// form with the authtype capability; a get in [RoomDocker] is in docker's, and nothing
// else is known of that room. What it gets back is what the helper gives out: no refresh token of a credential that
// the helper itself renews.
//
// Helpers keep silent about an erase that found nothing, so Erase never
// reports [ErrNotFound] (docs/specification.md, 11.7).
type Client struct {
	// Program is the helper's path, Args what comes before the operation.
	Program string
	Args    []string

	// Ask is asked in the place of a program, if it isn't nil. It returns what one
	// would write on standard output. Its error is a [ProgramError] if one would
	// have failed, or found nothing and said why.
	Ask func(ctx context.Context, op string, request []byte) (answer []byte, err error)

	// Notice is handed each line that the helper wrote on standard error,
	// without the program's name in front, except the one that says why it
	// failed. Nil: they are dropped.
	Notice func(line string)
}

var (
	_ Store    = Client{}
	_ Checker  = Client{}
	_ Accounts = Client{}
)

// ProgramError reports a helper program that failed, or that found nothing and
// said why, which is an [ErrAccount].
type ProgramError struct {
	Program   string // its path
	Operation string
	ExitCode  int    // 0: it found nothing; -1: it was ended by a signal
	Message   string // its last line on standard error, without its name
}

func (e *ProgramError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("%s %s failed with exit status %d", e.Program, e.Operation, e.ExitCode)
	}
	return e.Message
}

// Is makes one that found nothing an [ErrAccount], and so an [ErrNotFound].
func (e *ProgramError) Is(target error) bool {
	return e.ExitCode == 0 && (target == ErrAccount || target == ErrNotFound)
}

const (
	maxMessages = 64 << 10 // of a helper's standard error, in bytes

	// How long a helper that was asked to stop may take: it may have a token
	// in its hands that must be saved.
	stopDelay = 2 * time.Minute
)

// Get implements [Store]. What the helper says about an answer that it doesn't
// have is a [ProgramError] that is an [ErrNotFound].
func (c Client) Get(ctx context.Context, q Query) (Credential, error) {
	if q.Room == RoomDocker {
		return c.getForDocker(ctx, q)
	}
	w := queryRequest(q)
	if q.ValidFor != 0 { // the helper refuses a negative one
		w.add(keyValidFor, strconv.FormatInt(int64((q.ValidFor+time.Second-1)/time.Second), 10))
	}
	out, err := c.run(ctx, opGet, w)
	if err != nil {
		return Credential{}, err
	}
	attrs, _, err := parseAttributes(out)
	if err != nil {
		return Credential{}, fmt.Errorf("%s answered what can't be understood: %w", c.Program, err)
	}
	found := Credential{
		Origin:       q.Origin,
		Username:     attrs[keyUsername],
		Secret:       attrSecret(attrs, keyPassword),
		Expiry:       parseExpiry(attrs[keyExpiry]),
		RefreshToken: attrSecret(attrs, keyRefresh),
	}
	if attrs[keyAuthType] != "" {
		found.AuthType, found.Secret = attrs[keyAuthType], attrSecret(attrs, keyCredential)
	}
	if !found.Secret.IsSet() || !q.Matches(found) {
		return Credential{}, ErrNotFound
	}
	return found, nil
}

// getForDocker asks for a registry's credential. What answers in docker's way has
// one that is kept for the whole host, too.
func (c Client) getForDocker(ctx context.Context, q Query) (Credential, error) {
	if c.Ask == nil {
		return Credential{}, ErrNotFound
	}
	out, err := c.Ask(ctx, opGet, []byte(q.Origin.String()+"\n"))
	if strings.TrimSpace(string(out)) == dockerNotFound {
		return Credential{}, ErrNotFound
	}
	if err != nil {
		return Credential{}, err
	}
	fields, err := parseObject(out)
	if err != nil {
		return Credential{}, fmt.Errorf("%s answered what can't be understood: %w", c.Program, err)
	}
	username, nameErr := textField(fields, "Username")
	secret, secretErr := textField(fields, "Secret")
	found := Credential{Origin: q.Origin, ServerURL: q.Origin.String(), Username: username, Secret: NewSecret(secret)}
	if err := errors.Join(nameErr, secretErr); err != nil || !q.Matches(found) {
		return Credential{}, errors.Join(ErrNotFound, err)
	}
	return found, nil
}

// Store implements [Store].
func (c Client) Store(ctx context.Context, cred Credential) error {
	if cred.Room() != RoomShared {
		return fmt.Errorf("%w: git's form can't store for docker", ErrRequest)
	}
	_, err := c.run(ctx, opStore, storeRequest(cred))
	return err
}

func storeRequest(cred Credential) *attributeWriter {
	w := originRequest(cred.Origin, capAuthType)
	w.add(keyUsername, cred.Username)
	if cred.AuthType == AuthBasic {
		w.addSecret(keyPassword, cred.Secret)
	} else {
		w.add(keyAuthType, cred.AuthType)
		w.addSecret(keyCredential, cred.Secret)
	}
	w.addExpiry(cred.Expiry)
	w.addSecret(keyRefresh, cred.RefreshToken)
	w.addSecret(keyIDToken, cred.IDToken)
	w.addText(keyTokenEnd, cred.TokenEndpoint)
	w.addText(keyRevokeEnd, cred.RevocationEndpoint)
	w.addText(keyClientID, cred.ClientID)
	return w
}

// Erase implements [Store].
func (c Client) Erase(ctx context.Context, q Query) error {
	if q.Room != RoomShared {
		return ErrNotFound
	}
	w := queryRequest(q)
	w.addSecret(keyPassword, q.Secret)
	_, err := c.run(ctx, opErase, w)
	return err
}

// Check implements [Checker]. A helper that doesn't know the operation ignores
// it and so has nothing against the store (docs/specification.md, 2.4).
func (c Client) Check(ctx context.Context, o Origin) error {
	_, err := c.run(ctx, opCheck, originRequest(o))
	return err
}

func originRequest(o Origin, capabilities ...string) *attributeWriter {
	w := &attributeWriter{}
	for _, c := range capabilities {
		w.add(keyCapability, c)
	}
	w.add(keyProtocol, o.Protocol)
	w.add(keyHost, o.Host)
	if strings.HasPrefix(o.Path, "/") {
		o.Path = "/" + o.Path // whoever reads it drops one
	}
	w.addText(keyPath, o.Path)
	return w
}

func queryRequest(q Query) *attributeWriter {
	var capabilities []string
	if !q.PasswordOnly {
		capabilities = append(capabilities, capAuthType)
	}
	w := originRequest(q.Origin, capabilities...)
	if q.Username != nil {
		w.add(keyUsername, *q.Username)
	}
	return w
}

// run does one operation in git's form.
func (c Client) run(ctx context.Context, op string, req *attributeWriter) ([]byte, error) {
	var in bytes.Buffer
	if err := req.flush(&in); err != nil {
		return nil, err
	}
	in.WriteByte('\n')
	return c.Do(ctx, op, in.Bytes())
}

// Do does one operation with a request in any form, and returns what the program
// wrote on standard output, [MaxRequest] bytes at the most. The program inherits the
// environment. One that failed is a [ProgramError].
func (c Client) Do(ctx context.Context, op string, request []byte) ([]byte, error) {
	if c.Ask != nil {
		return c.Ask(ctx, op, request)
	}
	out, messages := &limitedBuffer{limit: MaxRequest}, &limitedBuffer{limit: maxMessages}
	cmd := exec.CommandContext(ctx, c.Program, append(append([]string(nil), c.Args...), op)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(request), out, messages
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopDelay
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s %s: %w", c.Program, op, ctx.Err())
	}
	lines := c.lines(messages.String())
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return nil, c.failed(op, exit.ExitCode(), lines)
	case err == nil && op == opGet && out.Len() == 0 && saysWhy(lines):
		return nil, c.failed(op, 0, lines)
	case err != nil:
		return nil, fmt.Errorf("running the credential helper: %w", err)
	case out.full:
		return nil, fmt.Errorf("%s %s answered more than %d bytes", c.Program, op, MaxRequest)
	}
	c.notice(lines)
	return out.Bytes(), nil
}

// failed hands all but the last of what a program said to Notice: that one says
// why it failed.
func (c Client) failed(op string, code int, lines []string) error {
	e := &ProgramError{Program: c.Program, Operation: op, ExitCode: code}
	if last := len(lines) - 1; last >= 0 {
		e.Message = lines[last]
		c.notice(lines[:last])
	}
	return e
}

// saysWhy reports whether what a program said ends with more than a warning.
func saysWhy(lines []string) bool {
	return len(lines) > 0 && !strings.HasPrefix(lines[len(lines)-1], "warning:")
}

func (c Client) notice(lines []string) {
	for _, line := range lines {
		if c.Notice != nil {
			c.Notice(line)
		}
	}
}

// lines cuts what a helper wrote on standard error into lines, without the
// program's name that each begins with.
func (c Client) lines(messages string) []string {
	name := strings.TrimSuffix(filepath.Base(c.Program), ".exe") + ": "
	var lines []string
	for line := range strings.Lines(messages) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, strings.TrimPrefix(line, name))
		}
	}
	return lines
}

// limitedBuffer keeps the first bytes written to it and lets the rest go by,
// so that a program that writes without end is not blocked but ended by ctx.
type limitedBuffer struct {
	bytes.Buffer
	limit int
	full  bool
}

var _ io.Writer = (*limitedBuffer)(nil)

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if room := b.limit - b.Len(); len(p) > room {
		b.full = true
		b.Buffer.Write(p[:room])
		return len(p), nil
	}
	return b.Buffer.Write(p)
}
