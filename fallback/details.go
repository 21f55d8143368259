package fallback

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"gopkg.in/yaml.v3"

	"cre-credential-helper/helper"
)

type sessionKey struct {
	Session detailKeys `yaml:"Session"`
}

type detailKeys struct {
	AccessSHA256       string `yaml:"access_sha256"`
	Origin             string `yaml:"origin,omitempty"`
	Username           string `yaml:"username,omitempty"`
	AuthType           string `yaml:"authtype,omitempty"`
	Issued             string `yaml:"issued,omitempty"`
	Expires            string `yaml:"expires,omitempty"`
	TokenEndpoint      string `yaml:"token_endpoint,omitempty"`
	RevocationEndpoint string `yaml:"revocation_endpoint,omitempty"`
	ClientID           string `yaml:"client_id,omitempty"`
}

func detailKeysOf(d Details, access helper.Secret) detailKeys {
	return detailKeys{
		digest(access), d.Origin, d.Username, d.AuthType, stamp(d.Issued), stamp(d.Expires),
		d.TokenEndpoint, d.RevocationEndpoint, d.ClientID,
	}
}

// digest is "" for no token, which no details fit.
func digest(access helper.Secret) string {
	if access.Reveal() == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(access.Reveal()))
	return hex.EncodeToString(sum[:])
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// parseDetails returns the value of the key Session, and the digest of the
// access token that it is about. Keys that aren't known here are left out.
func parseDetails(node *yaml.Node) (d Details, digest string, err error) {
	if isNull(node) {
		return Details{}, "", nil
	}
	if node.Kind != yaml.MappingNode {
		return Details{}, "", errType
	}
	if err := checkKeys(node); err != nil {
		return Details{}, "", err
	}
	for key, value := range pairs(node) {
		if key.Value == "access_sha256" {
			digest, err = text(value)
		} else {
			err = setDetail(&d, key, value)
		}
		if err != nil {
			return Details{}, "", err
		}
	}
	return d, digest, nil
}

func setDetail(d *Details, key, value *yaml.Node) (err error) {
	switch key.Value {
	case "origin":
		d.Origin, err = text(value)
	case "username":
		d.Username, err = text(value)
	case "authtype":
		d.AuthType, err = text(value)
	case "issued":
		d.Issued, err = instant(value)
	case "expires":
		d.Expires, err = instant(value)
	case "token_endpoint":
		d.TokenEndpoint, err = text(value)
	case "revocation_endpoint":
		d.RevocationEndpoint, err = text(value)
	case "client_id":
		d.ClientID, err = text(value)
	}
	return err
}

// instant takes nothing but what stamp gives, with quotes or without.
func instant(node *yaml.Node) (time.Time, error) {
	if isNull(node) || isText(node) && node.Value == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, node.Value)
	if err != nil || node.Kind != yaml.ScalarNode || !isText(node) && node.ShortTag() != "!!timestamp" || stamp(t) != node.Value {
		return time.Time{}, errType
	}
	return t.UTC(), nil
}
