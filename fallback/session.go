package fallback

import (
	"errors"
	"fmt"
	"io/fs"

	"gopkg.in/yaml.v3"

	"cre-credential-helper/helper"
)

// pointerComment tells a reader who looks for the tokens where they are.
const pointerComment = "# The session of each of these is kept in this machine's keychain: see cre-credential-helper(1)."

// File is what cre.yaml says. The zero value is no session at all, and the
// same as no file. A file without tokens is a pointer: its sessions are in the
// keychain, and the official CLI takes it for "not logged in".
type File struct {
	Tokens   Tokens   // of one environment; zero: no session is kept here
	Keychain []string // the origins whose sessions are in the keychain

	unknown []*yaml.Node // keys and values by turns, kept for their owner
}

// IsZero reports whether there is nothing in f, as if there were no file.
func (f File) IsZero() bool {
	return f.Tokens.IsZero() && len(f.Keychain) == 0 && len(f.unknown) == 0
}

// Tokens is a session as the official CLI keeps it in cre.yaml's five
// documented keys: AccessToken, IDToken, RefreshToken, ExpiresIn, TokenType.
type Tokens struct {
	Access, ID, Refresh helper.Secret // as read, never set to ""
	ExpiresIn           int64         // seconds that Access was good for when it was issued
	Type                string        // "Bearer" (RFC 6749, 7.1)
}

// IsZero reports whether there is nothing in t. Secrets that are set to "" are
// nothing, too.
func (t Tokens) IsZero() bool { return t.keys() == tokenKeys{} }

type tokenKeys struct {
	AccessToken  string `yaml:"AccessToken"`
	IDToken      string `yaml:"IDToken"`
	RefreshToken string `yaml:"RefreshToken"`
	ExpiresIn    int64  `yaml:"ExpiresIn"`
	TokenType    string `yaml:"TokenType"`
}

func (t Tokens) keys() tokenKeys {
	return tokenKeys{t.Access.Reveal(), t.ID.Reveal(), t.Refresh.Reveal(), t.ExpiresIn, t.Type}
}

type keychainKey struct {
	Keychain []string `yaml:"Keychain"`
}

// ReadSession reads cre.yaml. No file is the zero File. Errors are
// [ErrDamaged], [ErrUnsafe] or the operating system's.
func (d Dir) ReadSession() (File, error) {
	data, err := d.read(sessionName)
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, nil
	}
	if err != nil {
		return File{}, fmt.Errorf("read the session: %w", err)
	}
	f, err := parseSession(data)
	if err != nil {
		return File{}, damaged(d.SessionPath(), err)
	}
	return f, nil
}

// WriteSession makes cre.yaml say f, whatever it said before, damaged or not;
// what f doesn't hold is gone. A File that holds nothing removes cre.yaml.
// After an error cre.yaml says the one or the other, never a part. The caller
// holds the lock.
func (d Dir) WriteSession(f File) error {
	if f.IsZero() {
		return d.RemoveSession()
	}
	data, err := f.encode()
	if err != nil {
		return fmt.Errorf("write %s: the session can't be put into it: it %w", d.SessionPath(), err)
	}
	return d.write(sessionName, data)
}

// RemoveSession removes cre.yaml, damaged or not, and what the official CLI left
// of it when it crashed. No file is no error. The caller holds the lock.
func (d Dir) RemoveSession() error { return d.remove(sessionName) }

// encode gives nothing that couldn't be read back.
func (f File) encode() ([]byte, error) {
	root := newMapping()
	if !f.Tokens.IsZero() {
		node, err := toNode(f.Tokens.keys())
		if err != nil {
			return nil, errType
		}
		root.Content = node.Content
	}
	if len(f.Keychain) > 0 {
		node, err := toNode(keychainKey{f.Keychain})
		if err != nil {
			return nil, errType
		}
		node.Content[0].HeadComment = pointerComment
		root.Content = append(root.Content, node.Content...)
	}
	root.Content = append(root.Content, f.unknown...)
	data, err := marshal(root)
	if err != nil {
		return nil, err
	}
	_, err = parseSession(data)
	return data, err
}

func parseSession(data []byte) (File, error) {
	root, err := parseMapping(data)
	if err != nil {
		return File{}, err
	}
	var f File
	for key, value := range pairs(root) {
		if err := f.set(key, value); err != nil {
			return File{}, err
		}
	}
	return f, nil
}

func (f *File) set(key, value *yaml.Node) (err error) {
	switch key.Value {
	case "AccessToken":
		f.Tokens.Access, err = secret(value)
	case "IDToken":
		f.Tokens.ID, err = secret(value)
	case "RefreshToken":
		f.Tokens.Refresh, err = secret(value)
	case "ExpiresIn":
		f.Tokens.ExpiresIn, err = number(value)
	case "TokenType":
		f.Tokens.Type, err = text(value)
	case "Keychain":
		f.Keychain, err = texts(value)
	default:
		f.unknown = append(f.unknown, key, value)
	}
	return err
}

func secret(node *yaml.Node) (helper.Secret, error) {
	s, err := text(node)
	if s == "" {
		return helper.Secret{}, err
	}
	return helper.NewSecret(s), err
}

// text takes a key without a value for an empty one, as the official CLI does.
func text(node *yaml.Node) (string, error) {
	switch {
	case isNull(node):
		return "", nil
	case isText(node):
		return node.Value, nil
	}
	return "", errType
}

func texts(node *yaml.Node) ([]string, error) {
	if isNull(node) {
		return nil, nil
	}
	if node.Kind != yaml.SequenceNode {
		return nil, errType
	}
	var all []string
	for _, item := range node.Content {
		if !isText(item) {
			return nil, errType
		}
		all = append(all, item.Value)
	}
	return all, nil
}

func number(node *yaml.Node) (int64, error) {
	if isNull(node) {
		return 0, nil
	}
	var n int64
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!int" || node.Decode(&n) != nil {
		return 0, errType
	}
	return n, nil
}
