package errand

import (
	"context"
	"errors"
	"time"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

// version is the conversation's: one JSON document in, one out. The two programs
// are installed together, so that no other version is understood.
const version = 1

const (
	taskGet   = "get"
	taskRenew = "renew"
	taskStore = "store"
	taskErase = "erase"
	taskCheck = "check"
	taskList  = "list"

	taskDescribe = "describe"
	taskUse      = "use"
	taskMove     = "move"

	taskAskGrant   = "ask a grant"
	taskCarryGrant = "carry a grant"
	taskExchange   = "exchange"
)

// question asks for one task. Names and secrets are bytes, which JSON holds in
// base64: they need not be text.
type question struct {
	Version    int         `json:"v"`
	Task       string      `json:"task"`
	Query      *query      `json:"query,omitempty"`      // of all but store and list
	Credential *credential `json:"credential,omitempty"` // of store and exchange
	Place      string      `json:"place,omitempty"`      // of move
	Grant      *GrantPath  `json:"grant,omitempty"`      // of the tasks about a grant
	Words      []byte      `json:"words,omitempty"`      // for a grant, or the platform
}

func (q question) versioned() question {
	q.Version = version
	return q
}

// writes reports whether the task's outcome has to be known.
func (q question) writes() bool {
	return q.Task != taskGet && q.Task != taskRenew && q.Task != taskDescribe && !q.isCarried()
}

// isCarried reports whether the task is a [Carrier]'s.
func (q question) isCarried() bool { return q.Grant != nil || q.Task == taskExchange }

// answer is what came of it.
type answer struct {
	Version     int          `json:"v"`
	Notices     []string     `json:"notices,omitempty"` // for a person
	Credentials []credential `json:"credentials,omitempty"`
	Failure     *failure     `json:"failure,omitempty"`
	Words       []byte       `json:"words,omitempty"` // a grant's, or the platform's

	Description *helper.Description `json:"description,omitempty"` // which is text, and shown as such
}

type origin struct {
	Protocol, Host, Path []byte
}

func newOrigin(o helper.Origin) origin {
	return origin{[]byte(o.Protocol), []byte(o.Host), []byte(o.Path)}
}

func (o origin) origin() helper.Origin {
	return helper.Origin{Protocol: string(o.Protocol), Host: string(o.Host), Path: string(o.Path)}
}

type query struct {
	Origin       origin
	Room         int
	Username     []byte // null: any
	Secret       []byte // null: any
	PasswordOnly bool
	ValidFor     time.Duration
}

func newQuery(q helper.Query) *query {
	asked := &query{Origin: newOrigin(q.Origin), Room: int(q.Room), Secret: reveal(q.Secret), PasswordOnly: q.PasswordOnly, ValidFor: q.ValidFor}
	if q.Username != nil {
		asked.Username = []byte(*q.Username)
	}
	return asked
}

func (q query) query() helper.Query {
	asked := helper.Query{
		Origin: q.Origin.origin(), Room: helper.Room(q.Room),
		Secret: conceal(q.Secret), PasswordOnly: q.PasswordOnly, ValidFor: q.ValidFor,
	}
	if q.Username != nil {
		asked.Username = new(string(q.Username))
	}
	return asked
}

type credential struct {
	Origin                                      origin
	Username, AuthType                          []byte
	Secret, RefreshToken, IDToken               []byte // null: none
	Expiry, Issued                              *int64 // seconds since 1970; null: not known
	TokenEndpoint, RevocationEndpoint, ClientID []byte
	ServerURL                                   []byte
}

func newCredential(c helper.Credential) *credential {
	return &credential{
		Origin: newOrigin(c.Origin), Username: []byte(c.Username), AuthType: []byte(c.AuthType),
		Secret: reveal(c.Secret), RefreshToken: reveal(c.RefreshToken), IDToken: reveal(c.IDToken),
		Expiry: seconds(c.Expiry), Issued: seconds(c.Issued),
		TokenEndpoint: []byte(c.TokenEndpoint), RevocationEndpoint: []byte(c.RevocationEndpoint), ClientID: []byte(c.ClientID),
		ServerURL: []byte(c.ServerURL),
	}
}

func (c credential) credential() helper.Credential {
	return helper.Credential{
		Origin: c.Origin.origin(), Username: string(c.Username), AuthType: string(c.AuthType),
		Secret: conceal(c.Secret), RefreshToken: conceal(c.RefreshToken), IDToken: conceal(c.IDToken),
		Expiry: instant(c.Expiry), Issued: instant(c.Issued),
		TokenEndpoint: string(c.TokenEndpoint), RevocationEndpoint: string(c.RevocationEndpoint), ClientID: string(c.ClientID),
		ServerURL: string(c.ServerURL),
	}
}

func reveal(s helper.Secret) []byte {
	if !s.IsSet() {
		return nil
	}
	return []byte(s.Reveal())
}

func conceal(b []byte) helper.Secret {
	if b == nil {
		return helper.Secret{}
	}
	return helper.NewSecret(string(b))
}

func seconds(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.Unix())
}

func instant(seconds *int64) time.Time {
	if seconds == nil {
		return time.Time{}
	}
	return time.Unix(*seconds, 0).UTC()
}

// failure is an error with the kinds that callers tell apart.
type failure struct {
	Message string   `json:"message"`
	Kinds   []string `json:"kinds,omitempty"`
	Missing []string `json:"missing,omitempty"` // of a list: why, for each thing that it lacks
}

// kinds names them. An error may be of several.
func kinds() map[string]error {
	return map[string]error{
		"not found":     helper.ErrNotFound,
		"account":       helper.ErrAccount,
		"lifetime":      helper.ErrLifetime,
		"request":       helper.ErrRequest,
		"busy":          helper.ErrBusy,
		"changed":       helper.ErrChanged,
		"locked":        lookup.ErrLocked,
		"no keychain":   lookup.ErrUnavailable,
		"provider":      reading.ErrProvider,
		"not a session": reading.ErrNotASession,
		"setting":       status.ErrSetting,
		"contradiction": reading.ErrContradiction,
		"cancelled":     context.Canceled,
		"late":          context.DeadlineExceeded,
	}
}

func newFailure(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{Message: err.Error()}
	for name, kind := range kinds() {
		if errors.Is(err, kind) {
			f.Kinds = append(f.Kinds, name)
		}
	}
	if incomplete, ok := errors.AsType[*helper.IncompleteError](err); ok {
		for _, err := range incomplete.Errs {
			f.Missing = append(f.Missing, err.Error())
		}
	}
	return f
}

func (f *failure) error() error {
	if f == nil {
		return nil
	}
	if f.Missing != nil {
		incomplete := new(helper.IncompleteError)
		for _, why := range f.Missing {
			incomplete.Errs = append(incomplete.Errs, errors.New(why))
		}
		return incomplete
	}
	e := failed{message: f.Message}
	all := kinds()
	for _, name := range f.Kinds {
		if kind := all[name]; kind != nil {
			e.kinds = append(e.kinds, kind)
		}
	}
	return e
}

// failed is the other side's error, word by word.
type failed struct {
	message string
	kinds   []error
}

func (f failed) Error() string   { return f.message }
func (f failed) Unwrap() []error { return f.kinds }
