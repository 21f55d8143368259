// Package layout is how credentials lie in keychain items: versioned JSON,
// under the names of their origins. It knows nothing of keychains, and imports
// no cryptography, so that a reader starts fast.
package layout

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"cre-credential-helper/helper"
)

// Version is the layout's. A reader refuses every other one, so a field may be
// added under the same version only if losing it does no harm.
const Version = 1

// MaxPieces bounds what a damaged head can make a reader ask for.
const MaxPieces = 1 << 10

var (
	// ErrDamaged reports an item that can't be read as a whole: a piece of it
	// is missing or changed, or it is none of ours. Erasing the origin or
	// storing to it repairs it.
	ErrDamaged = errors.New("the keychain item is damaged: erase it or log in again")

	// ErrNewer reports an item made by a newer version of this package. It is
	// neither read nor overwritten.
	ErrNewer = errors.New("the keychain item was made by a newer version: upgrade, or remove it with the keychain's own program")
)

// Document is the JSON value of every item except a piece. It has three shapes:
//
//	{"v":1,"credentials":[{…},…]}                                 an origin's, the newest first
//	{"v":1,"origins":[{"protocol":…,"host":…,"path":…},…]}        the index
//	{"v":1,"generation":"a","pieces":3,"sha256":"<lower-case hex>"}  the head of either, cut into pieces
//
// The pieces, put together in order, are the document that the head stands in
// for; sha256 is over its bytes. Generations are "a" and "b", in turns.
type Document struct {
	Version     int      `json:"v"`
	Credentials []Record `json:"credentials,omitempty"`
	Origins     []Place  `json:"origins,omitempty"`
	Generation  string   `json:"generation,omitempty"`
	Pieces      int      `json:"pieces,omitempty"`
	SHA256      string   `json:"sha256,omitempty"`
}

// Record is a credential without its origin. A secret that is absent is no
// secret, one that is "" is an empty one.
type Record struct {
	Username           Text   `json:"username"`
	Secret             *Text  `json:"secret,omitempty"`
	AuthType           Text   `json:"authtype,omitempty"`
	Expires            *int64 `json:"expires,omitempty"` // seconds since 1970
	Issued             *int64 `json:"issued,omitempty"`  // the same; lost without harm
	RefreshToken       *Text  `json:"refresh_token,omitempty"`
	IDToken            *Text  `json:"id_token,omitempty"`
	TokenEndpoint      Text   `json:"token_endpoint,omitempty"`
	RevocationEndpoint Text   `json:"revocation_endpoint,omitempty"`
	ClientID           Text   `json:"client_id,omitempty"`
	ServerURL          Text   `json:"server_url,omitempty"`
}

// Place is an origin, in its parts: not every path survives a URL's parser.
type Place struct {
	Protocol Text `json:"protocol"`
	Host     Text `json:"host"`
	Path     Text `json:"path,omitempty"`
}

// Text is a string that survives JSON and every keychain byte for byte: a JSON
// string in plain ASCII or, where it isn't valid UTF-8, an array that holds its
// base64. In the string, braces are escaped too, for KeePassXC replaces what
// looks like its placeholders: {TITLE} by the item's title.
type Text string

// MarshalJSON implements [json.Marshaler].
func (t Text) MarshalJSON() ([]byte, error) {
	if !utf8.ValidString(string(t)) {
		return json.Marshal([][]byte{[]byte(t)})
	}
	quoted, err := json.Marshal(string(t))
	if err != nil {
		return nil, err
	}
	plain := make([]byte, 0, len(quoted))
	for _, r := range string(quoted) {
		if r < 0x7f && r != '{' && r != '}' {
			plain = append(plain, byte(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			plain = fmt.Appendf(plain, `\u%04x`, unit)
		}
	}
	return plain, nil
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *Text) UnmarshalJSON(b []byte) error {
	switch {
	case bytes.HasPrefix(b, []byte("[")):
		var raw [1][]byte
		err := json.Unmarshal(b, &raw)
		*t = Text(raw[0])
		return err
	case bytes.HasPrefix(b, []byte(`"`)) && bytes.IndexByte(b, '\\') < 0 && utf8.Valid(b):
		*t = Text(b[1 : len(b)-1]) // it stands for itself, as every token does
		return nil
	}
	return json.Unmarshal(b, (*string)(t))
}

// Decode reads a document. Its errors are [ErrDamaged] and [ErrNewer], and none
// tells what it holds: it may be a secret.
func Decode(value string) (Document, error) {
	var d Document
	if json.Unmarshal([]byte(value), &d) != nil || d.Version != Version {
		return Document{}, unreadable(value)
	}
	switch {
	case d.Generation == "" && d.Pieces == 0:
		return d, nil
	case Other(d.Generation) == "" || d.Pieces < 1 || d.Pieces > MaxPieces:
		return Document{}, fmt.Errorf("%w (impossible pieces)", ErrDamaged)
	}
	return d, nil
}

// unreadable says why value isn't a document of this layout.
func unreadable(value string) error {
	var v struct {
		Version int `json:"v"`
	}
	switch {
	case json.Unmarshal([]byte(value), &v) != nil || v.Version < 1:
		return fmt.Errorf("%w (no known layout)", ErrDamaged)
	case v.Version > Version:
		return fmt.Errorf("%w (layout %d)", ErrNewer, v.Version)
	}
	return fmt.Errorf("%w (layout %d, unreadable)", ErrDamaged, Version)
}

// Encode writes a document, whatever Version says.
func (d Document) Encode() (string, error) {
	d.Version = Version
	value, err := json.Marshal(d)
	return string(value), err
}

// Other returns the generation to write while g is the committed one, and ""
// when there is no such g.
func Other(g string) string {
	switch g {
	case "a":
		return "b"
	case "b":
		return "a"
	}
	return ""
}

// Matching returns the credentials of an origin's document that q asks for.
func (d Document) Matching(q helper.Query) (all []helper.Credential) {
	for _, r := range d.Credentials {
		if c := r.Credential(q.Origin); q.Matches(c) {
			all = append(all, c)
		}
	}
	return all
}

// Swap puts fresh in old's place in an origin's document; see
// [helper.Swapper]. That it is there already changes nothing.
func (d Document) Swap(old, fresh helper.Credential) (changed bool, err error) {
	at := slices.IndexFunc(d.Credentials, NewRecord(old).InPlaceOf)
	if at < 0 || !NewRecord(fresh).InPlaceOf(NewRecord(old)) {
		return false, helper.ErrChanged
	}
	switch kept := d.Credentials[at].Credential(old.Origin); {
	case kept.Same(old):
		d.Credentials[at] = NewRecord(fresh)
		return true, nil
	case kept.Same(fresh):
		return false, nil
	}
	return false, helper.ErrChanged
}

// InPlaceOf reports whether one of the two would take the other's place: docker's
// room is apart from the one that all others share.
func (r Record) InPlaceOf(other Record) bool {
	return r.Username == other.Username && (r.ServerURL != "") == (other.ServerURL != "")
}

// NewRecord returns what is kept of c.
func NewRecord(c helper.Credential) Record {
	r := Record{
		Username:           Text(c.Username),
		Secret:             reveal(c.Secret),
		AuthType:           Text(c.AuthType),
		RefreshToken:       reveal(c.RefreshToken),
		IDToken:            reveal(c.IDToken),
		TokenEndpoint:      Text(c.TokenEndpoint),
		RevocationEndpoint: Text(c.RevocationEndpoint),
		ClientID:           Text(c.ClientID),
		ServerURL:          Text(c.ServerURL),
	}
	r.Expires, r.Issued = seconds(c.Expiry), seconds(c.Issued)
	return r
}

// Credential returns what was kept, as o's.
func (r Record) Credential(o helper.Origin) helper.Credential {
	c := helper.Credential{
		Origin:             o,
		Username:           string(r.Username),
		Secret:             conceal(r.Secret),
		AuthType:           string(r.AuthType),
		RefreshToken:       conceal(r.RefreshToken),
		IDToken:            conceal(r.IDToken),
		TokenEndpoint:      string(r.TokenEndpoint),
		RevocationEndpoint: string(r.RevocationEndpoint),
		ClientID:           string(r.ClientID),
		ServerURL:          string(r.ServerURL),
	}
	c.Expiry, c.Issued = instant(r.Expires), instant(r.Issued)
	return c
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

func reveal(s helper.Secret) *Text {
	if !s.IsSet() {
		return nil
	}
	return new(Text(s.Reveal()))
}

func conceal(t *Text) helper.Secret {
	if t == nil {
		return helper.Secret{}
	}
	return helper.NewSecret(string(*t))
}

// NewPlace returns o's parts.
func NewPlace(o helper.Origin) Place {
	return Place{Protocol: Text(o.Protocol), Host: Text(o.Host), Path: Text(o.Path)}
}

// Origin returns the origin that p is the parts of.
func (p Place) Origin() helper.Origin {
	return helper.Origin{Protocol: string(p.Protocol), Host: string(p.Host), Path: string(p.Path)}
}

// PlainAccount names an origin's item by its URL. It is false for an origin
// that some platform would confuse with another (Windows ignores case), refuse
// (its user names end at 513 bytes) or not quote safely.
func PlainAccount(o helper.Origin) (account string, ok bool) {
	const maxPlain = 200
	account = o.String()
	return account, len(account) <= maxPlain && !strings.ContainsFunc(account, isSpecial)
}

func isSpecial(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~:/[]@%+=,", r))
}
