// Package plain reads cre.yaml where it is written as the CRE tools write it: a
// few lines of a key and a value. That takes no YAML library, whose start alone
// costs a get a tenth. What is written in any other way is package fallback's to
// read.
package plain

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"cre-credential-helper/fallback/internal/guarded"
	"cre-credential-helper/helper"
)

// Name is the file's name in its directory.
const Name = "cre.yaml"

// InHome returns the path of the directory in a user's home directory that the
// file is in.
func InHome(home string) string { return filepath.Join(home, ".cre") }

// ErrNotPlain reports a file that has to be read by a YAML library. What it
// says, and whether it is damaged, isn't known.
var ErrNotPlain = errors.New("the session is not in the plain form")

// Session is what cre.yaml says of sessions. The zero value is no session, and
// the same as no file.
type Session struct {
	Tokens   Tokens   // of one environment; zero: no session is kept here
	Details  Details  // of Tokens, and gone with their access token
	Keychain []string // the origins whose sessions are in the keychain

	// StandIn is what the official CLI takes for an access token. It is no token
	// and no part of Tokens, and stands beside a pointer alone. Not set: there is
	// none.
	StandIn helper.Secret
}

// Tokens is a session as the official CLI keeps it in cre.yaml's five
// documented keys: AccessToken, IDToken, RefreshToken, ExpiresIn, TokenType.
type Tokens struct {
	Access, ID, Refresh helper.Secret // as read, never set to ""
	ExpiresIn           int64         // seconds that Access was good for when it was issued
	Type                string        // "Bearer" (RFC 6749, 7.1)
}

// IsZero reports whether there is nothing in t. Secrets that are set to "" are
// nothing, too.
func (t Tokens) IsZero() bool {
	return t.Access.Reveal() == "" && t.ID.Reveal() == "" && t.Refresh.Reveal() == "" && t.ExpiresIn == 0 && t.Type == ""
}

// Details say of a session what its [Tokens] may not: whose it is, when it
// ends, where it is renewed. They are cre.yaml's sixth key, Session. They hold
// for one access token: when another program replaces that and keeps the key,
// they are dropped. The zero value writes no such key.
type Details struct {
	Origin, Username, AuthType                  string
	Issued, Expires                             time.Time // to the second; zero: not known
	TokenEndpoint, RevocationEndpoint, ClientID string
}

// IsZero reports whether d says nothing.
func (d Details) IsZero() bool {
	return d.Origin == "" && d.Username == "" && d.AuthType == "" && d.Issued.IsZero() && d.Expires.IsZero() &&
		d.TokenEndpoint == "" && d.RevocationEndpoint == "" && d.ClientID == ""
}

// Read reads cre.yaml in a directory. No file is the zero Session. Errors are
// [ErrNotPlain] and those of package fallback's ReadSession.
func Read(dir string) (Session, error) {
	var data []byte
	err := guarded.Patiently(func() (err error) {
		if err = guarded.CheckDir(dir); err == nil {
			data, err = guarded.ReadFile(filepath.Join(dir, Name))
		}
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Session{}, nil
	case err != nil:
		return Session{}, fmt.Errorf("read the session: %w", err)
	}
	s, ok := Parse(string(data))
	if !ok {
		return Session{}, ErrNotPlain
	}
	return s, nil
}
