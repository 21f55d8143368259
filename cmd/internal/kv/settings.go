package kv

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// VarPath names the session's path, for a login and for machines that only read.
const VarPath = "CRE_CREDENTIAL_VAULT_PATH"

// VarTokenFile names a file with the token, such as an agent's sink. It is ours: the
// other variables are those of Vault's own client.
const VarTokenFile = "VAULT_TOKEN_FILE"

// ErrSetting reports a variable of Vault's, or a path, that can't be used.
var ErrSetting = errors.New("unusable setting for the vault")

// maxFile is the most that is read of a file with a token or a certificate, in bytes.
const maxFile = 1 << 20

// Environment is what the settings are read from.
type Environment struct {
	Getenv  func(string) string
	HomeDir func() (string, error) // that .vault-token may be in
}

// Location is where a session is: a server's address and a path on it.
type Location struct{ Address, Path string }

// Locate returns the location that the environment gives, with "" for what it doesn't
// say. Its errors are [ErrSetting].
func (e Environment) Locate() (at Location, err error) {
	at = Location{strings.TrimRight(e.Getenv("VAULT_ADDR"), "/"), strings.Trim(e.Getenv(VarPath), "/")}
	if at.Address != "" {
		err = checkAddress(at.Address)
	}
	if err == nil && at.Path != "" {
		err = CheckPath(at.Path)
	}
	return at, err
}

// Open returns the client of the server at an address, which nothing is asked of yet.
// A VAULT_ADDR that names another one is refused: what is meant for one server must
// not go to another. Its errors are [ErrSetting].
func (e Environment) Open(address string) (*Client, error) {
	at, err := e.Locate()
	switch {
	case err != nil:
		return nil, err
	case address == "":
		return nil, fmt.Errorf("%w: VAULT_ADDR isn't set: set it to the server's address, such as https://vault.example:8200", ErrSetting)
	case at.Address != "" && at.Address != address:
		return nil, fmt.Errorf("%w: VAULT_ADDR is %s, and the session is in %s: unset it, or log in there", ErrSetting, at.Address, address)
	}
	if err := checkAddress(address); err != nil {
		return nil, err
	}
	if skip := e.Getenv("VAULT_SKIP_VERIFY"); skip != "" {
		if is, err := strconv.ParseBool(skip); err != nil || is {
			return nil, fmt.Errorf("%w: VAULT_SKIP_VERIFY would give the session to whoever answers: unset it, and set VAULT_CACERT to the file of the server's CA", ErrSetting)
		}
	}
	token, err := e.token()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSetting, err)
	}
	config, err := e.tls()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSetting, err)
	}
	return &Client{
		Address: address, Token: token, Namespace: strings.Trim(e.Getenv("VAULT_NAMESPACE"), "/"),
		HTTP: web.NewClientWithTLS(0, config),
	}, nil
}

func checkAddress(address string) error {
	if err := helper.CheckEndpoint(address); err != nil {
		return fmt.Errorf("%w: the address of the server is %w", ErrSetting, err)
	}
	u, err := url.Parse(address)
	if err != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" || u.Port() == "0" {
		return fmt.Errorf("%w: the address of the server is https://HOST:PORT, and nothing after it", ErrSetting)
	}
	return nil
}

// CheckPath tells whether a session can be at a path: MOUNT/data/… in words that mean
// the same in a policy. Its error is [ErrSetting].
func CheckPath(path string) error {
	const longest = 400
	mount, rest, ok := strings.Cut(path, "/data/")
	good := ok && mount != "" && rest != "" && len(path) <= longest
	for _, word := range strings.Split(path, "/") {
		strange := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`%?#*\"`, r) }
		good = good && word != "" && word != "." && word != ".." && !strings.ContainsFunc(word, strange)
	}
	if !good {
		return fmt.Errorf("%w: %s takes the form of a policy, such as secret/data/cre/production/ann@example.com, not %.100q", ErrSetting, VarPath, path)
	}
	return nil
}

// token finds the token where Vault's own client does, and in VAULT_TOKEN_FILE.
func (e Environment) token() (helper.Secret, error) {
	if text := e.Getenv("VAULT_TOKEN"); text != "" {
		return parseToken("VAULT_TOKEN", text)
	}
	if path := e.Getenv(VarTokenFile); path != "" {
		text, err := readFile(path)
		if err != nil {
			return helper.Secret{}, fmt.Errorf("%s: %w", VarTokenFile, err)
		}
		return parseToken(path, string(text))
	}
	home, err := e.HomeDir()
	if err != nil {
		return helper.Secret{}, err
	}
	path := filepath.Join(home, ".vault-token")
	text, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return helper.Secret{}, fmt.Errorf("there is no token: set VAULT_TOKEN or %s, or log in by vault login", VarTokenFile)
	} else if err != nil {
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
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return data, err
}
