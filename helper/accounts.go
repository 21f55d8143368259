package helper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// The operations of [Accounts], which are this project's own and are asked in
// git's form (docs/specification.md, 2.9 to 2.11).
const (
	opDescribe = "describe"
	opUse      = "use"
	opMove     = "move"
)

var (
	// ErrAccount is an [ErrNotFound] that its user should know of: there are
	// accounts, and none of them is the one to answer. Git's form, which else
	// keeps silent, says it on standard error.
	ErrAccount error = accountError("no such account")

	// ErrLifetime reports a [Query.ValidFor] that no token of the credential
	// reaches.
	ErrLifetime = errors.New("no token is good for that long")
)

// accountError is a type so that no program formats it at its start.
type accountError string

func (e accountError) Error() string      { return string(e) }
func (accountError) Unwrap() error        { return ErrNotFound }
func (accountError) Is(target error) bool { return target == ErrAccount }

// AccountErrorf returns an [ErrAccount] in words of its own.
func AccountErrorf(format string, args ...any) error {
	return accountError(fmt.Sprintf(format, args...))
}

// Place says where a credential is.
type Place string

// The places.
const (
	PlaceEnvironment Place = "environment" // a variable, or a file that a variable names
	PlaceKeychain    Place = "keychain"
	PlaceFile        Place = "file"  // cre.yaml itself
	PlaceGrant       Place = "grant" // where a grant runs, which a variable leads to
)

// Accounts is a [Store] that keeps several accounts at one origin, of which one
// answers who names none.
type Accounts interface {
	// Describe says what there is at o, without a secret. It renews nothing,
	// asks nobody and uses no network. That nothing is there is no error.
	Describe(ctx context.Context, o Origin) (Description, error)

	// Use makes the account of that username the default one at o. That it
	// isn't kept there is [ErrNotFound].
	Use(ctx context.Context, o Origin, username string) error

	// Move takes the account that answers at o to another place,
	// [PlaceKeychain] or [PlaceFile]: it is written there, and read back, before
	// it is removed from where it was. That it is there already is success. A
	// place that isn't known is [ErrRequest].
	Move(ctx context.Context, o Origin, to Place) error
}

// DescriptionSchema is the Schema of a [Description]. Another one means that a
// member has changed its meaning or is gone; new members don't change it.
const DescriptionSchema = 1

// NewDescription returns one that says nothing yet.
func NewDescription() Description {
	return Description{Schema: DescriptionSchema, Credentials: []Account{}, Notes: []string{}}
}

// Description is what an [Accounts] says of one origin.
type Description struct {
	Schema      int       `json:"schema"`
	Credentials []Account `json:"credentials"` // what answers first comes first
	Notes       []string  `json:"notes"`       // for a person, a line each

	// Unread says why the keychain was not read: [UnreadLocked], [UnreadMissing] or
	// [UnreadDamaged]. Of what is in it, only what cre.yaml says is known then.
	// Empty: it was read, or nothing is expected there.
	Unread string `json:"unread,omitempty"`

	// Problem is why nobody answers who names no account, although there are
	// some: what a get fails with. Empty: somebody does, or there are none.
	Problem string `json:"problem,omitempty"`
}

// The values of [Description.Unread].
const (
	UnreadLocked  = "locked"  // or it does not answer
	UnreadMissing = "missing" // or it is out of reach
	UnreadDamaged = "damaged" // what is in it, or a newer version wrote that
)

// Account says of a credential all but its secrets.
type Account struct {
	Origin   string `json:"origin"`
	Username string `json:"username"`
	AuthType string `json:"authType"`
	Place    Place  `json:"place"`

	// Variable is the environment variable that it comes from, at
	// [PlaceEnvironment] and at [PlaceGrant].
	Variable string `json:"variable,omitempty"`

	// Default: it is the account that cre.yaml names, which answers who names
	// none, unless CRE_ACCOUNT or an API key comes first.
	Default bool `json:"default"`

	OrganizationID string `json:"organizationId,omitempty"` // "": not known
	DeployAccess   bool   `json:"deployAccess"`             // as far as known

	Expires time.Time `json:"expires,omitzero"` // of the access token; zero: not known, or never
	Issued  time.Time `json:"issued,omitzero"`  // the same; zero: not known
	Since   time.Time `json:"since,omitzero"`   // of the login; zero: not known

	Renewable bool `json:"renewable"`

	// Stray: it is in the keychain, and cre.yaml doesn't point there, because
	// the official CLI's login or logout has replaced or removed that. It
	// answers nobody.
	Stray bool `json:"stray"`
}

// accounts does one of the operations of [Accounts].
func (s Server) accounts(ctx context.Context, op string, in io.Reader, out io.Writer) error {
	store, ok := s.Store.(Accounts)
	if !ok {
		return s.unknown(op)
	}
	attrs, origin, err := s.accountsRequest(ctx, op, in)
	if err != nil {
		return err
	}
	switch op {
	case opDescribe:
		d, err := store.Describe(ctx, origin)
		if err != nil {
			return err
		}
		return writeJSON(out, d)
	case opUse:
		username, ok := attrs[keyUsername]
		if !ok {
			return fmt.Errorf("%w: the username is missing", ErrRequest)
		}
		return store.Use(ctx, origin, username)
	default:
		to := Place(attrs[keyStore])
		if to == "keyring" { // another word for it
			to = PlaceKeychain
		}
		return store.Move(ctx, origin, to)
	}
}

// accountKeys are the attributes of an operation: one that it ignored could have been
// what its caller meant.
func accountKeys(op string) []string {
	keys := []string{keyProtocol, keyHost, keyPath}
	switch op {
	case opUse:
		return append(keys, keyUsername)
	case opMove:
		return append(keys, keyStore)
	}
	return keys
}

// accountsRequest reads git's form. Without protocol and host it is about the
// default origin.
func (s Server) accountsRequest(ctx context.Context, op string, in io.Reader) (attrs map[string]string, o Origin, err error) {
	f, data, err := s.readRequest(ctx, in)
	if err != nil {
		return nil, Origin{}, err
	}
	if _, isGit := f.(*gitForm); !isGit && f != nil {
		return nil, Origin{}, fmt.Errorf("%w: %s is asked in git's form", ErrRequest, op)
	}
	if attrs, _, err = parseAttributes(data); err != nil {
		return nil, Origin{}, err
	}
	for _, key := range singleKeys {
		if _, given := attrs[key]; given && !slices.Contains(accountKeys(op), key) {
			return nil, Origin{}, fmt.Errorf("%w: %s takes no %s", ErrRequest, op, key)
		}
	}
	_, hasProtocol := attrs[keyProtocol]
	_, hasHost := attrs[keyHost]
	if !hasProtocol && !hasHost && s.Default != (Origin{}) {
		return attrs, s.Default, nil
	}
	if o, err = NewOrigin(attrs[keyProtocol], attrs[keyHost], attrs[keyPath]); err != nil {
		err = fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return attrs, o, err
}

// Describe implements [Accounts].
func (c Client) Describe(ctx context.Context, o Origin) (Description, error) {
	out, err := c.run(ctx, opDescribe, originRequest(o))
	if err != nil {
		return Description{}, err
	}
	return parseDescription(out)
}

// Use implements [Accounts]. What the helper fails with is a [ProgramError].
func (c Client) Use(ctx context.Context, o Origin, username string) error {
	w := originRequest(o)
	w.add(keyUsername, username)
	_, err := c.run(ctx, opUse, w)
	return err
}

// Move implements [Accounts], as Use does.
func (c Client) Move(ctx context.Context, o Origin, to Place) error {
	w := originRequest(o)
	w.add(keyStore, string(to))
	_, err := c.run(ctx, opMove, w)
	return err
}
