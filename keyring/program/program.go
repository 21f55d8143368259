// Package program keeps values by a program of docker's credential helper protocol
// (github.com/docker/docker-credential-helpers): each as one secret, at a server URL
// that nothing else has. What the program does with it, and who can read it there, is
// its own business.
package program

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

const (
	username = "cre-credential-helper"
	server   = "https://cre-credential-helper.invalid/" // nobody's host (RFC 2606)

	maxAnswer = 1 << 20         // bytes
	tidyTime  = 2 * time.Second // for what a program that was killed has left running
)

// Smaller is how long a value may be that every program known takes: Windows'
// Credential Manager refuses more than 2,560 bytes.
const Smaller = 2000

// Program is one that keeps secrets, as keyring.Backend wants them. Its errors are
// helper.ErrNotFound, [lookup.ErrRefused], [lookup.ErrTimeout], after which a write may
// have been done, and [lookup.ErrUnavailable] where the program can't be started. What
// it says is quoted in them, but nothing of a value.
type Program struct {
	Name    string        // by which a person knows it
	Path    string        // absolute
	Environ []string      // all that it gets to know of this process's
	Timeout time.Duration // of each run
}

// secret is the protocol's JSON.
type secret struct {
	ServerURL string
	Username  string `json:",omitempty"`
	Secret    string `json:",omitempty"`
}

// Get returns a value.
func (p Program) Get(service, account string) (string, error) {
	out, err := p.run("get", urlOf(service, account), "")
	if err != nil {
		return "", err
	}
	var s secret
	if err := json.Unmarshal(out, &s); err != nil {
		return "", lookup.Errorf(lookup.ErrRefused, "%s gave an answer that is not its protocol's: is it a credential helper of docker's?", p.Name)
	}
	if s.Secret == "" { // as docker-credential-pass says that there is none
		return "", helper.ErrNotFound
	}
	return s.Secret, nil
}

// Set keeps a value, over what was there.
func (p Program) Set(service, account, value string) error {
	request, err := json.Marshal(secret{urlOf(service, account), username, value})
	if err != nil {
		return err
	}
	defer clear(request)
	_, err = p.run("store", string(request), value)
	return err
}

// Delete takes a value out. What isn't there is told in as many ways as there are
// programs, so that the value is looked for.
func (p Program) Delete(service, account string) error {
	_, err := p.run("erase", urlOf(service, account), "")
	if err == nil || errors.Is(err, lookup.ErrTimeout) {
		return err
	}
	if _, missing := p.Get(service, account); errors.Is(missing, helper.ErrNotFound) {
		return missing
	}
	return err
}

// run does one operation. value is what must not be repeated.
func (p Program) run(operation, request, value string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), p.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.Path, operation)
	cmd.Env, cmd.Stdin, cmd.WaitDelay = p.Environ, strings.NewReader(request), tidyTime
	out, messages := limited{left: maxAnswer}, limited{left: maxAnswer}
	cmd.Stdout, cmd.Stderr = &out, &messages
	alone(cmd)
	err := cmd.Run()
	failed, _ := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return out.Bytes(), nil
	case ctx.Err() != nil:
		return nil, lookup.Errorf(lookup.ErrTimeout, "%s did not answer within %v: it may wait for a passphrase: unlock its store and try again", p.Name, p.Timeout)
	case errors.Is(err, exec.ErrWaitDelay): // it has ended, and something that it has started hasn't
		return out.Bytes(), nil
	case failed == nil:
		return nil, lookup.Errorf(lookup.ErrUnavailable, "%s can't be started: %v: install it again, or use another store", p.Name, err)
	}
	said := strings.TrimSpace(out.String())
	if said == "credentials not found in native keychain" {
		return nil, helper.ErrNotFound
	}
	if said == "" {
		said = strings.TrimSpace(messages.String())
	}
	return nil, lookup.Errorf(lookup.ErrRefused, "%s refused (%v)%s: unlock its store and try again", p.Name, failed, quoted(said, value))
}

// quoted are a program's words in quotation marks, unless they repeat a part of a
// value.
func quoted(said, value string) string {
	const longest, telling = 200, 16 // bytes
	if said == "" {
		return ""
	}
	if len(said) > longest {
		said = said[:longest] + "..."
	}
	for i := 0; i+telling <= len(said); i++ {
		if strings.Contains(value, said[i:i+telling]) {
			return ", in words that hold what was to be kept"
		}
	}
	return fmt.Sprintf(": %+q", said)
}

// urlOf is the server URL that stands for an account: of letters that every program
// leaves as they are, and short enough for the name of a file in base64.
func urlOf(service, account string) string {
	const longest, digits = 80, 16
	sum := sha256.Sum256([]byte(service + ":" + account))
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, account)
	return server + plain[:min(len(plain), longest)] + "-" + hex.EncodeToString(sum[:])[:digits]
}

// limited keeps the beginning of what is written to it.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	kept := b[:min(len(b), l.left)]
	l.left -= len(kept)
	l.Buffer.Write(kept)
	return len(b), nil
}

// Missing is the [lookup.ErrUnavailable] of a program that isn't installed.
func Missing(name string) error {
	return lookup.Errorf(lookup.ErrUnavailable, "%s is not on PATH: install it, or use another store", name)
}
