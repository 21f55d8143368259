package keyring

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"cre-credential-helper/helper"
)

// version is the layout's. A reader refuses every other one, so a field may be
// added under the same version only if losing it does no harm.
const version = 1

// document is the JSON value of every item except a piece. It has three shapes:
//
//	{"v":1,"credentials":[{…},…]}                                 an origin's, the newest first
//	{"v":1,"origins":[{"protocol":…,"host":…,"path":…},…]}        the index
//	{"v":1,"generation":"a","pieces":3,"sha256":"<lower-case hex>"}  the head of either, cut into pieces
//
// The pieces, put together in order, are the document that the head stands in
// for; sha256 is over its bytes. Generations are "a" and "b", in turns.
type document struct {
	Version     int      `json:"v"`
	Credentials []record `json:"credentials,omitempty"`
	Origins     []place  `json:"origins,omitempty"`
	Generation  string   `json:"generation,omitempty"`
	Pieces      int      `json:"pieces,omitempty"`
	SHA256      string   `json:"sha256,omitempty"`
}

// record is a credential without its origin. A secret that is absent is no
// secret, one that is "" is an empty one.
type record struct {
	Username           text   `json:"username"`
	Secret             *text  `json:"secret,omitempty"`
	AuthType           text   `json:"authtype,omitempty"`
	Expires            *int64 `json:"expires,omitempty"` // seconds since 1970
	Issued             *int64 `json:"issued,omitempty"`  // the same; lost without harm
	RefreshToken       *text  `json:"refresh_token,omitempty"`
	IDToken            *text  `json:"id_token,omitempty"`
	TokenEndpoint      text   `json:"token_endpoint,omitempty"`
	RevocationEndpoint text   `json:"revocation_endpoint,omitempty"`
	ClientID           text   `json:"client_id,omitempty"`
	ServerURL          text   `json:"server_url,omitempty"`
}

// place is an origin, in its parts: not every path survives a URL's parser.
type place struct {
	Protocol text `json:"protocol"`
	Host     text `json:"host"`
	Path     text `json:"path,omitempty"`
}

// text is a string that survives JSON and every keychain byte for byte: a JSON
// string in plain ASCII or, where it isn't valid UTF-8, an array that holds its
// base64. In the string, braces are escaped too, for KeePassXC replaces what
// looks like its placeholders: {TITLE} by the item's title.
type text string

func (t text) MarshalJSON() ([]byte, error) {
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

func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case bytes.HasPrefix(b, []byte("[")):
		var raw [1][]byte
		err := json.Unmarshal(b, &raw)
		*t = text(raw[0])
		return err
	case bytes.HasPrefix(b, []byte(`"`)) && bytes.IndexByte(b, '\\') < 0 && utf8.Valid(b):
		*t = text(b[1 : len(b)-1]) // it stands for itself, as every token does
		return nil
	}
	return json.Unmarshal(b, (*string)(t))
}

// decode reads a document. No error tells what it holds: it may be a secret.
func decode(value string) (document, error) {
	var d document
	if json.Unmarshal([]byte(value), &d) != nil || d.Version != version {
		return document{}, unreadable(value)
	}
	switch {
	case d.Generation == "" && d.Pieces == 0:
		return d, nil
	case other(d.Generation) == "" || d.Pieces < 1 || d.Pieces > maxPieces:
		return document{}, fmt.Errorf("%w (impossible pieces)", ErrDamaged)
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
	case v.Version > version:
		return fmt.Errorf("%w (layout %d)", ErrNewer, v.Version)
	}
	return fmt.Errorf("%w (layout %d, unreadable)", ErrDamaged, version)
}

func (d document) encode() (string, error) {
	d.Version = version
	value, err := json.Marshal(d)
	return string(value), err
}

// other returns the generation to write while g is the committed one, and ""
// when there is no such g.
func other(g string) string { return map[string]string{"a": "b", "b": "a"}[g] }

func checksum(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

func newRecord(c helper.Credential) record {
	r := record{
		Username:           text(c.Username),
		Secret:             reveal(c.Secret),
		AuthType:           text(c.AuthType),
		RefreshToken:       reveal(c.RefreshToken),
		IDToken:            reveal(c.IDToken),
		TokenEndpoint:      text(c.TokenEndpoint),
		RevocationEndpoint: text(c.RevocationEndpoint),
		ClientID:           text(c.ClientID),
		ServerURL:          text(c.ServerURL),
	}
	r.Expires, r.Issued = seconds(c.Expiry), seconds(c.Issued)
	return r
}

func (r record) credential(o helper.Origin) helper.Credential {
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

func reveal(s helper.Secret) *text {
	if !s.IsSet() {
		return nil
	}
	return new(text(s.Reveal()))
}

func conceal(t *text) helper.Secret {
	if t == nil {
		return helper.Secret{}
	}
	return helper.NewSecret(string(*t))
}

func newPlace(o helper.Origin) place {
	return place{Protocol: text(o.Protocol), Host: text(o.Host), Path: text(o.Path)}
}

func (p place) origin() helper.Origin {
	return helper.Origin{Protocol: string(p.Protocol), Host: string(p.Host), Path: string(p.Path)}
}

// The accounts that no origin has: an origin's holds "://" or begins with
// "sha256:".
const (
	indexAccount = "index"
	probeAccount = "check"
)

// account names an origin's item: the origin as a URL or, for one that some
// platform would confuse with another (Windows ignores case), refuse (its user
// names end at 513 bytes) or not quote safely, the URL's digest.
func account(o helper.Origin) string {
	const maxPlain = 200
	if u := o.String(); len(u) <= maxPlain && !strings.ContainsFunc(u, isSpecial) {
		return u
	}
	return "sha256:" + checksum(o.String())
}

func isSpecial(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~:/[]@%+=,", r))
}

// pieceAccount names piece i of a generation. No account holds a "#" itself.
func pieceAccount(account, generation string, i int) string {
	return fmt.Sprintf("%s#%s.%d", account, generation, i)
}
