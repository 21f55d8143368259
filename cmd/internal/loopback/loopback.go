// Package loopback carries questions to a grant over HTTP, for machines that share
// no file system's sockets: a virtual machine, WSL. Who may ask has a capability, a
// key in a file. The key is never sent: both sides show that they have it, by an
// HMAC-SHA256 (RFC 2104) over what is said and a nonce of each. So whoever listens in
// the place of a grant that has ended learns nothing, and can't answer.
//
// What is said is not encrypted: an answer holds a token. The way between the two
// machines must be one that nobody else reads.
package loopback

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// The protocol. A question is a POST to pathAsk, after one to pathNonce, whose answer
// is the server's nonce. host is what the Host header says, whatever the server is
// called: no browser sends it.
const (
	host = "cre-credential-grant"

	pathNonce = "/nonce"
	pathAsk   = "/ask"

	headerServerNonce = "Grant-Nonce"
	headerClientNonce = "Grant-Client-Nonce"
	headerMAC         = "Grant-Mac"

	labelQuestion = "question"
	labelAnswer   = "answer"

	size      = 32      // bytes of a key and of a nonce
	maxKey    = 4 << 10 // bytes of a key's file
	maxLength = 2 << 20 // bytes of a question or an answer
)

// Key is a capability. It isn't printed.
type Key struct{ secret [size]byte }

// String says nothing of it.
func (Key) String() string { return "[key]" }

// GoString says nothing of it.
func (Key) GoString() string { return "[key]" }

// NewKey makes one, and a file of it for this user alone. What is at the path
// already is an error.
func NewKey(path string) (k Key, err error) {
	_, _ = rand.Read(k.secret[:]) // never fails
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Key{}, err
	}
	_, err = fmt.Fprintln(file, hex.EncodeToString(k.secret[:]))
	return k, errors.Join(err, file.Close())
}

// ErrKey reports a file that holds no key.
var ErrKey = errors.New("it holds no capability of a grant")

// ReadKey reads what [NewKey] has written.
func ReadKey(path string) (k Key, err error) {
	file, err := os.Open(path)
	if err != nil {
		return Key{}, err
	}
	defer file.Close() //nolint:errcheck // only read
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return Key{}, fmt.Errorf("%s: %w", path, errors.Join(ErrKey, err))
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKey))
	if err != nil {
		return Key{}, err
	}
	bytes, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(bytes) != size {
		return Key{}, fmt.Errorf("%s: %w", path, ErrKey)
	}
	return Key{[size]byte(bytes)}, nil
}

type nonce [size]byte

func newNonce() (n nonce) {
	_, _ = rand.Read(n[:]) // never fails
	return n
}

func parseNonce(text string) (n nonce, ok bool) {
	bytes, err := hex.DecodeString(text)
	if err != nil || len(bytes) != size {
		return nonce{}, false
	}
	return nonce(bytes), true
}

func (n nonce) String() string { return hex.EncodeToString(n[:]) }

// mac is over one side's words in one conversation. All parts but the last are of
// known lengths, or end in a zero.
func (k Key) mac(label string, server, client nonce, said []byte) string {
	h := hmac.New(sha256.New, k.secret[:])
	h.Write([]byte(label + "\x00"))
	h.Write(server[:])
	h.Write(client[:])
	h.Write(said)
	return hex.EncodeToString(h.Sum(nil))
}

func (k Key) verifies(mac, label string, server, client nonce, said []byte) bool {
	return hmac.Equal([]byte(mac), []byte(k.mac(label, server, client, said)))
}
