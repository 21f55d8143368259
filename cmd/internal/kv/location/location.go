// Package location says where in a Vault or an OpenBao a session is. It speaks to
// nobody: cre-credential-helper, which parses strangers' requests, knows no more of it.
package location

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"cre-credential-helper/helper"
)

// The words of places in a vault: all of a session, and its token alone, for
// machines that only read. What follows is the location.
const (
	Word      = "vault"
	TokenWord = "vault-token"
)

// VarPath names the session's path, for a login and for machines that only read.
const VarPath = "CRE_CREDENTIAL_VAULT_PATH"

// ErrSetting reports a variable of Vault's, or a path, that can't be used.
var ErrSetting = errors.New("the variables of Vault")

// At is a server's address, such as https://vault.example:8200, and a path there.
type At struct{ Address, Path string }

// Find returns the location that the environment gives. What it doesn't say is "".
// Its errors are [ErrSetting].
func Find(getenv func(string) string) (at At, err error) {
	at = At{strings.TrimRight(getenv("VAULT_ADDR"), "/"), strings.Trim(getenv(VarPath), "/")}
	if at.Address != "" {
		err = CheckAddress(at.Address)
	}
	if err == nil && at.Path != "" {
		err = CheckPath(at.Path)
	}
	return at, err
}

// FindWhole is Find for who needs both. The path of who names none is that of an
// environment and an account, which may be "".
func FindWhole(getenv func(string) string, environment, account string) (at At, err error) {
	if at, err = Find(getenv); err != nil {
		return At{}, err
	}
	if at.Address == "" {
		return At{}, fmt.Errorf("%w: VAULT_ADDR isn't set: set it to the server's address, such as https://vault.example:8200", ErrSetting)
	}
	if at.Path == "" {
		if account == "" {
			account = "default"
		}
		at.Path = "secret/data/cre/" + strings.ToLower(environment) + "/" + account
	}
	return at, CheckPath(at.Path)
}

// CheckAddress tells whether secrets may be sent to a server. Its error is [ErrSetting].
func CheckAddress(address string) error {
	if err := helper.CheckEndpoint(address); err != nil {
		return fmt.Errorf("%w: the address of the server is %w", ErrSetting, err)
	}
	u, err := url.Parse(address)
	if err != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
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
	for word := range strings.SplitSeq(path, "/") {
		strange := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`%?#*\"`, r) }
		good = good && word != "" && word != "." && word != ".." && !strings.ContainsFunc(word, strange)
	}
	if !good {
		return fmt.Errorf("%w: %s takes the form of a policy, such as secret/data/cre/production/ann@example.com, not %.100q", ErrSetting, VarPath, path)
	}
	return nil
}

// apiRoot is what stands between the address and the path, as in every request.
const apiRoot = "/v1/"

// Place is at in one word, as cre.yaml's pointer has it: what word says is there, the
// address without the slashes, and the path.
func (at At) Place(word string) helper.Place {
	scheme, host, _ := strings.Cut(at.Address, "://")
	parts := strings.Split(at.Path, "/")
	for i := range parts {
		parts[i] = strings.ReplaceAll(url.QueryEscape(parts[i]), "+", "%20")
	}
	return helper.Place(word + ":" + scheme + ":" + host + apiRoot + strings.Join(parts, "/"))
}

// Parse reads what Place has written. ok is false for anything else.
func Parse(place helper.Place) (word string, at At, ok bool) {
	word, rest, _ := strings.Cut(string(place), ":")
	scheme, rest, _ := strings.Cut(rest, ":")
	host, escaped, _ := strings.Cut(rest, apiRoot)
	path, err := url.PathUnescape(escaped)
	at = At{scheme + "://" + host, path}
	if err != nil || word != Word && word != TokenWord || CheckAddress(at.Address) != nil || CheckPath(path) != nil || at.Place(word) != place {
		return "", At{}, false
	}
	return word, at, true
}

// String is how a person calls it.
func (at At) String() string { return fmt.Sprintf("the vault at %s (%s)", at.Address, at.Path) }
