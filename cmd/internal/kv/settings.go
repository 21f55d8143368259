package kv

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/smallfile"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// VarTokenFile names a file with the token, such as an agent's sink. It is ours: the
// other variables are those of Vault's own client.
const VarTokenFile = "VAULT_TOKEN_FILE"

// varToken is Vault's own variable with the token itself.
const varToken = "VAULT_TOKEN"

// ErrSetting reports a variable of Vault's, or a path, that can't be used.
var ErrSetting = location.ErrSetting

// maxFile is the most that is read of a file with a token or a certificate, in bytes.
const maxFile = 1 << 20

// Environment is what the settings are read from.
type Environment struct {
	Getenv  func(string) string
	HomeDir func() (string, error) // that .vault-token may be in
}

// Open returns the client of the server at an address, which nothing is asked of yet.
// A VAULT_ADDR that names another one is refused: what is meant for one server must
// not go to another. Its errors are [ErrSetting].
func (e Environment) Open(address string) (*Client, error) {
	at, err := location.Find(e.Getenv)
	switch {
	case err != nil:
		return nil, err
	case at.Address != "" && at.Address != address:
		return nil, fmt.Errorf("%w: VAULT_ADDR is %s, and the session is in %s: unset it, or log in there", ErrSetting, at.Address, address)
	}
	if err := location.CheckAddress(address); err != nil {
		return nil, err
	}
	if skip := e.Getenv("VAULT_SKIP_VERIFY"); skip != "" {
		if is, err := strconv.ParseBool(skip); err != nil || is {
			return nil, fmt.Errorf("%w: VAULT_SKIP_VERIFY would give the session to whoever answers: unset it, and set VAULT_CACERT to the file of the server's CA", ErrSetting)
		}
	}
	token, from, err := e.token()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSetting, err)
	}
	config, err := e.tls()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSetting, err)
	}
	return &Client{
		Address: address, Token: token, TokenFrom: from, Namespace: strings.Trim(e.Getenv("VAULT_NAMESPACE"), "/"),
		HTTP: web.NewClientWithTLS(0, config),
	}, nil
}

// token finds the token where Vault's own client does, and in VAULT_TOKEN_FILE. It
// says where that was.
func (e Environment) token() (token helper.Secret, from string, err error) {
	if text := e.Getenv(varToken); text != "" {
		token, err = parseToken(varToken, text)
		return token, varToken, err
	}
	if path := e.Getenv(VarTokenFile); path != "" {
		if token, err = readToken(path); err != nil {
			err = fmt.Errorf("%s: %w", VarTokenFile, err)
		}
		return token, path, err
	}
	home, err := e.HomeDir()
	if err != nil {
		return helper.Secret{}, "", err
	}
	path := filepath.Join(home, ".vault-token")
	if token, err = readToken(path); errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("there is no token: set %s or %s, or log in by vault login", varToken, VarTokenFile)
	}
	return token, path, err
}

func readToken(path string) (helper.Secret, error) {
	text, err := readFile(path)
	if err != nil {
		return helper.Secret{}, err
	}
	return parseToken(path, string(text))
}

// parseToken refuses what is no token without quoting it.
func parseToken(where, text string) (helper.Secret, error) {
	const longest = 16 << 10
	text = strings.TrimSpace(text)
	strange := func(r rune) bool { return r <= ' ' || r >= 0x7f }
	switch {
	case text == "":
		return helper.Secret{}, fmt.Errorf("the token in %s is empty: the agent may not have written it yet", where)
	case len(text) > longest || strings.ContainsFunc(text, strange):
		return helper.Secret{}, fmt.Errorf("what is in %s is no token: a token is one word", where)
	}
	return helper.NewSecret(text), nil
}

// tls is how the server is verified, and how this machine names itself.
func (e Environment) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if path := e.Getenv("VAULT_CACERT"); path != "" {
		pem, err := readFile(path)
		if err != nil {
			return nil, fmt.Errorf("VAULT_CACERT: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("VAULT_CACERT: there is no certificate in %s", path)
		}
	}
	cert, key := e.Getenv("VAULT_CLIENT_CERT"), e.Getenv("VAULT_CLIENT_KEY")
	if cert == "" && key == "" {
		return config, nil
	}
	certPEM, err := readFile(cert)
	if err != nil {
		return nil, fmt.Errorf("VAULT_CLIENT_CERT: %w", err)
	}
	keyPEM, err := readFile(key)
	if err != nil {
		return nil, fmt.Errorf("VAULT_CLIENT_KEY: %w", err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, errors.New("VAULT_CLIENT_CERT and VAULT_CLIENT_KEY are no certificate with its key")
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// readFile reads a small regular file: a FIFO could be waited for without end.
func readFile(path string) ([]byte, error) {
	if path == "" {
		return nil, errors.New("it isn't set")
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	return smallfile.Read(f, maxFile)
}
