package kv

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// layoutVersion is that of both records. A newer one is neither read nor written over.
const layoutVersion = 1

// maxRecord is how many bytes a record may have. Storage behind Vault takes 1 MiB
// (raft's max_entry_size), and no longer answer is read.
const maxRecord = 1_000_000

// What a record can be, besides good. ErrDamaged is a [keyring.ErrDamaged]: whoever
// stores or erases repairs it.
var (
	ErrDamaged error = damaged{}
	ErrNewer         = errors.New("the record in the vault was written by a newer version: upgrade")
	ErrTooBig        = errors.New("too big for the vault: a record takes 1,000,000 bytes")
)

type damaged struct{}

func (damaged) Error() string {
	return "the record in the vault is damaged: log out, or log in again"
}

func (damaged) Is(target error) bool { return target == keyring.ErrDamaged }

// record is what lies at "session": the session, and who is about to change it.
// Without a credential it is a tombstone.
type record struct {
	Version    int     `json:"v"`
	Claim      *claim  `json:"claim,omitempty"`
	Credential *stored `json:"credential,omitempty"`

	// Behind: "token" may not be brought up to date with this yet.
	Behind bool `json:"token_behind,omitempty"`
}

// claim says that somebody renews or replaces the session. It ends when it is
// taken away, or when whoever waits has seen it unchanged for a whole lease.
type claim struct {
	ID    string `json:"id"`            // of this very claim
	By    string `json:"by"`            // the machine's name, for people
	Lease int    `json:"lease_seconds"` // how long it holds
}

// stored is a credential. Its times are by the server's clock.
type stored struct {
	Origin             string  `json:"origin"`
	Username           string  `json:"username"`
	Secret             *string `json:"secret,omitempty"`
	AuthType           string  `json:"authtype,omitempty"`
	Expires            *int64  `json:"expires,omitempty"` // seconds since 1970
	Issued             *int64  `json:"issued,omitempty"`
	RefreshToken       *string `json:"refresh_token,omitempty"`
	IDToken            *string `json:"id_token,omitempty"`
	TokenEndpoint      string  `json:"token_endpoint,omitempty"`
	RevocationEndpoint string  `json:"revocation_endpoint,omitempty"`
	ClientID           string  `json:"client_id,omitempty"`
}

// tokenRecord is what lies at "token", for those who only get: the access token.
type tokenRecord struct {
	Version    int     `json:"v"`
	From       int     `json:"session_version"` // the version of "session" that it comes from
	Credential *stored `json:"credential,omitempty"`
}

// decode reads a record of either kind into r, which has its layout's version in v.
func decode(data json.RawMessage, r any, v *int) error {
	if json.Unmarshal(data, r) == nil && *v == layoutVersion {
		return nil
	}
	var any struct {
		Version int `json:"v"`
	}
	if json.Unmarshal(data, &any) == nil && any.Version > layoutVersion {
		return fmt.Errorf("%w (layout %d)", ErrNewer, any.Version)
	}
	return ErrDamaged
}

func decodeSession(data json.RawMessage) (r record, err error) {
	if data == nil {
		return record{}, nil
	}
	if err := decode(data, &r, &r.Version); err != nil {
		return record{}, err
	}
	if r.Credential != nil && r.Credential.check() != nil || r.Claim != nil && r.Claim.ID == "" {
		return record{}, ErrDamaged
	}
	return r, nil
}

func decodeToken(data json.RawMessage) (r tokenRecord, err error) {
	if data == nil {
		return tokenRecord{}, nil
	}
	if err := decode(data, &r, &r.Version); err != nil {
		return tokenRecord{}, err
	}
	if r.Credential != nil && r.Credential.check() != nil {
		return tokenRecord{}, ErrDamaged
	}
	return r, nil
}

func encode(r any) (json.RawMessage, error) {
	data, err := json.Marshal(r)
	if err == nil && len(data) > maxRecord {
		err = ErrTooBig
	}
	return data, err
}

func (s *stored) check() error {
	_, err := helper.ParseOrigin(s.Origin)
	return err
}

// store puts c into a record whose clock is ahead of this machine's by skew.
func store(c helper.Credential, skew time.Duration) (*stored, error) {
	s := &stored{
		Origin:             c.Origin.String(),
		Username:           c.Username,
		Secret:             reveal(c.Secret),
		AuthType:           c.AuthType,
		Expires:            seconds(c.Expiry, skew),
		Issued:             seconds(c.Issued, skew),
		RefreshToken:       reveal(c.RefreshToken),
		IDToken:            reveal(c.IDToken),
		TokenEndpoint:      c.TokenEndpoint,
		RevocationEndpoint: c.RevocationEndpoint,
		ClientID:           c.ClientID,
	}
	for _, text := range []string{c.Username, c.Secret.Reveal(), c.RefreshToken.Reveal(), c.IDToken.Reveal()} {
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("%w: what isn't UTF-8 can't be kept in a vault", helper.ErrRequest)
		}
	}
	if c.Origin.Protocol == "" || c.Origin.Host == "" || c.Room() != helper.RoomShared {
		return nil, fmt.Errorf("nothing can be kept in a vault: %w", helper.ErrOrigin)
	}
	return s, nil
}

// credential is what store has stored.
func (s *stored) credential(skew time.Duration) helper.Credential {
	origin, _ := helper.ParseOrigin(s.Origin) // it was checked
	return helper.Credential{
		Origin:             origin,
		Username:           s.Username,
		Secret:             conceal(s.Secret),
		AuthType:           s.AuthType,
		Expiry:             instant(s.Expires, skew),
		Issued:             instant(s.Issued, skew),
		RefreshToken:       conceal(s.RefreshToken),
		IDToken:            conceal(s.IDToken),
		TokenEndpoint:      s.TokenEndpoint,
		RevocationEndpoint: s.RevocationEndpoint,
		ClientID:           s.ClientID,
	}
}

// forUse is s for those who only get.
func (s *stored) forUse() *stored {
	if s == nil {
		return nil
	}
	return &stored{Origin: s.Origin, Username: s.Username, Secret: s.Secret, AuthType: s.AuthType, Expires: s.Expires, Issued: s.Issued}
}

func seconds(t time.Time, skew time.Duration) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.Add(skew).Unix())
}

func instant(seconds *int64, skew time.Duration) time.Time {
	if seconds == nil {
		return time.Time{}
	}
	return time.Unix(*seconds, 0).Add(-skew).UTC()
}

func reveal(s helper.Secret) *string {
	if !s.IsSet() {
		return nil
	}
	return new(s.Reveal())
}

func conceal(text *string) helper.Secret {
	if text == nil {
		return helper.Secret{}
	}
	return helper.NewSecret(*text)
}
