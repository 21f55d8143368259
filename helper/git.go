package helper

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxLine is git-credential(1)'s limit of a line, its end included.
const maxLine = 65535

// gitForm is the form of git-credential(1): key=value lines up to a blank one.
type gitForm struct {
	authtype  bool // the caller announced that it understands authtype
	ephemeral bool // who understands authtype is told not to keep what is answered
}

// The attributes that a request may hold once. Every other one is ignored, as
// git-credential(1) asks. Those that begin with oauth_ and end in a word other
// than refresh_token are this project's own.
const (
	keyProtocol   = "protocol"
	keyHost       = "host"
	keyPath       = "path"
	keyUsername   = "username"
	keyPassword   = "password"
	keyAuthType   = "authtype"
	keyCredential = "credential"
	keyEphemeral  = "ephemeral"
	keyExpiry     = "password_expiry_utc"
	keyRefresh    = "oauth_refresh_token"
	keyIDToken    = "oauth_id_token"
	keyTokenEnd   = "oauth_token_endpoint"
	keyRevokeEnd  = "oauth_revocation_endpoint"
	keyClientID   = "oauth_client_id"
	keyValidFor   = "valid_for" // ours, of a get
	keyStore      = "store"     // ours, of a move
	keyCapability = "capability[]"

	capAuthType = "authtype"

	// protocolCert is what git asks under for the passphrase of a client
	// certificate, with an empty host.
	protocolCert = "cert"
)

var singleKeys = []string{
	keyProtocol, keyHost, keyPath, keyUsername, keyPassword, keyAuthType, keyCredential, keyEphemeral,
	keyExpiry, keyRefresh, keyIDToken, keyTokenEnd, keyRevokeEnd, keyClientID,
	keyValidFor, keyStore,
}

// isAttribute tells a key=value line from the URL that docker's form begins
// with: no key that git knows or will know holds what ends a URL's scheme.
func isAttribute(line []byte) bool {
	key, _, found := bytes.Cut(line, []byte("="))
	return found && len(key) > 0 && !bytes.ContainsAny(key, ":/{") || isBlank(line)
}

// isBlank knows both line ends.
func isBlank(line []byte) bool { return string(line) == "\n" || string(line) == "\r\n" }

func (f *gitForm) parse(op string, data []byte) (request, error) {
	attrs, capabilities, err := parseAttributes(data)
	if err != nil {
		return request{}, err
	}
	f.authtype = slices.Contains(capabilities, capAuthType)
	if host, given := attrs[keyHost]; attrs[keyProtocol] == protocolCert && given && host == "" {
		return request{}, fmt.Errorf("%w: a certificate's passphrase has no host and isn't kept", ErrNotFound)
	}
	origin, err := NewOrigin(attrs[keyProtocol], attrs[keyHost], attrs[keyPath])
	if err != nil {
		return request{}, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	c := Credential{
		Origin:             origin,
		Username:           attrs[keyUsername],
		Secret:             attrSecret(attrs, keyPassword),
		Expiry:             parseExpiry(attrs[keyExpiry]),
		RefreshToken:       attrSecret(attrs, keyRefresh),
		IDToken:            attrSecret(attrs, keyIDToken),
		TokenEndpoint:      attrs[keyTokenEnd],
		RevocationEndpoint: attrs[keyRevokeEnd],
		ClientID:           attrs[keyClientID],
	}
	if f.authtype && attrs[keyAuthType] != "" {
		c.AuthType, c.Secret = attrs[keyAuthType], attrSecret(attrs, keyCredential)
	}
	req := request{
		query:      Query{Origin: origin, Secret: c.Secret, PasswordOnly: op == opGet && !f.authtype},
		credential: c,
		ephemeral:  isTrue(attrs[keyEphemeral]),
	}
	if username, ok := attrs[keyUsername]; ok {
		req.query.Username = &username
	}
	switch op {
	case opStore:
		err = checkEndpoints(c)
	case opGet:
		if seconds, ok := attrs[keyValidFor]; ok {
			req.query.ValidFor, err = parseValidFor(seconds)
		}
	}
	return req, err
}

// parseValidFor reads seconds, from one to as many as a year has.
func parseValidFor(text string) (time.Duration, error) {
	const year = 366 * 24 * 60 * 60
	seconds, err := strconv.ParseUint(text, 10, 32)
	if err != nil || seconds == 0 || seconds > year {
		return 0, fmt.Errorf("%w: valid_for takes seconds, from 1 to %d, not %.40q", ErrRequest, year, text)
	}
	return time.Duration(seconds) * time.Second, nil
}

// isTrue reads one of git-config(1)'s booleans. A word that is none of them
// counts as true: it marks what had better not be kept.
func isTrue(text string) bool {
	switch strings.ToLower(text) {
	case "", "0", "false", "no", "off":
		return false
	}
	return true
}

// parseAttributes reads key=value lines up to a blank one or the end. What
// depends on a capability that isn't announced before it is ignored.
func parseAttributes(data []byte) (attrs map[string]string, capabilities []string, err error) {
	attrs = make(map[string]string)
	for line := range bytes.Lines(data) {
		if isBlank(line) {
			break
		}
		key, value, err := parseLine(line)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrRequest, err)
		}
		known := slices.Contains(singleKeys, key)
		if _, doubled := attrs[key]; doubled && known {
			return nil, nil, fmt.Errorf("%w: %s is given twice", ErrRequest, key)
		}
		switch {
		case key == keyCapability && value == "":
			capabilities = nil // an empty element resets a list
		case key == keyCapability:
			capabilities = append(capabilities, value)
		case !known, needsAuthType(key) && !slices.Contains(capabilities, capAuthType):
		default:
			attrs[key] = value
		}
	}
	return attrs, capabilities, nil
}

// parseLine reads one line, which ends in LF, CR LF or nothing.
func parseLine(line []byte) (key, value string, err error) {
	text, ended := strings.CutSuffix(string(line), "\n")
	if len(text) >= maxLine {
		return "", "", fmt.Errorf("a line is longer than %d bytes", maxLine)
	}
	if ended {
		text = strings.TrimSuffix(text, "\r")
	}
	key, value, found := strings.Cut(text, "=")
	if !found || key == "" {
		return "", "", errors.New("a line without key=value")
	}
	return key, value, checkLine("a value", value)
}

func needsAuthType(key string) bool { return key == keyAuthType || key == keyCredential }

func attrSecret(attrs map[string]string, key string) Secret {
	if text, ok := attrs[key]; ok {
		return NewSecret(text)
	}
	return Secret{}
}

// parseExpiry reads seconds since 1970. What isn't such a number counts as
// unknown, as it does for git.
func parseExpiry(text string) time.Time {
	const year9999 = 253402300799
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds <= 0 || seconds > year9999 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

func checkEndpoints(c Credential) error {
	for _, endpoint := range []string{c.TokenEndpoint, c.RevocationEndpoint} {
		if endpoint == "" {
			continue
		}
		if err := CheckEndpoint(endpoint); err != nil {
			return fmt.Errorf("%w: %w", ErrRequest, err)
		}
	}
	return nil
}

// answer leaves out protocol, host and path: the caller knows what it asked.
func (f *gitForm) answer(out io.Writer, c Credential) error {
	var w attributeWriter
	if f.authtype && (c.AuthType != AuthBasic || f.ephemeral) {
		w.add(keyCapability, capAuthType)
	}
	if c.AuthType != AuthBasic && f.authtype {
		w.add(keyAuthType, c.AuthType)
		w.addSecret(keyCredential, c.Secret)
		w.addText(keyUsername, c.Username)
	} else {
		w.add(keyUsername, c.Username)
		w.addSecret(keyPassword, c.Secret)
	}
	w.addExpiry(c.Expiry)
	if f.authtype && f.ephemeral {
		w.add(keyEphemeral, "1")
	}
	if !c.Refreshable() && !f.ephemeral {
		w.addSecret(keyRefresh, c.RefreshToken)
	}
	if w.err != nil {
		return fmt.Errorf("%w: %w", errUnfit, w.err)
	}
	return w.flush(out)
}

// fail keeps silent when nothing was found: git then asks the next helper.
func (f *gitForm) fail(_ io.Writer, _ string, err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// attributeWriter collects git's form. It writes nothing at all when a value
// can't be written: half a credential could be taken for a whole one.
type attributeWriter struct {
	buf bytes.Buffer
	err error
}

func (w *attributeWriter) add(key, value string) {
	if err := checkLine(key, value); err != nil && w.err == nil {
		w.err = err
	}
	if len(key)+len(value)+len("=\n") > maxLine && w.err == nil {
		w.err = fmt.Errorf("%s is too long for a line of %d bytes", key, maxLine)
	}
	w.buf.WriteString(key + "=" + value + "\n")
}

func (w *attributeWriter) addText(key, value string) {
	if value != "" {
		w.add(key, value)
	}
}

func (w *attributeWriter) addSecret(key string, s Secret) {
	if s.IsSet() {
		w.add(key, s.Reveal())
	}
}

func (w *attributeWriter) addExpiry(t time.Time) {
	if !t.IsZero() {
		w.add(keyExpiry, strconv.FormatInt(t.Unix(), 10))
	}
}

func (w *attributeWriter) flush(out io.Writer) error {
	if w.err != nil {
		return fmt.Errorf("%w: %w", ErrRequest, w.err)
	}
	_, err := out.Write(w.buf.Bytes())
	return err
}
