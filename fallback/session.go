package fallback

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"cre-credential-helper/fallback/internal/guarded"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

const (
	// pointerComment tells a reader who looks for the tokens where they are.
	pointerComment = "# The session of each of these is kept in this machine's keychain: see cre-credential-helper(1)."

	// storesComment does so where one of them is in another store.
	storesComment = "# Where the session of each of these is kept stands before the +, and else it is this machine's keychain: see cre-credential-helper(1)."

	// standInComment tells a reader who takes it for a token what it is.
	standInComment = "# No token: a stand-in, with which the official CLI works through cre: see cre(1)."

	// detailsComment tells the reader of a sixth key why it is there.
	detailsComment = "# What the tokens don't say about themselves: see cre-credential-helper(1)."
)

// File is what cre.yaml says. The zero value is no session at all, and the
// same as no file. A file without tokens is a pointer: its sessions are in the
// keychain. Beside a pointer there may be a stand-in, which the official CLI takes
// for an access token; without one, it takes the file for "not logged in".
//
// A File remembers what it was read from. A changed copy of it remembers the
// same.
type File struct {
	Tokens   Tokens   // of one environment; zero: no session is kept here
	Details  Details  // of Tokens, and gone with their access token
	Keychain []string // the origins whose sessions are in the keychain

	// StandIn is no token; see [plain.StandInPrefix]. Not set: there is none. It
	// is written beside a pointer only, and never beside tokens.
	StandIn helper.Secret

	unknown []*yaml.Node // keys and values by turns, kept for their owner
	was     snapshot     // of cre.yaml when f was read
}

// IsZero reports whether there is nothing in f, as if there were no file.
// Details without tokens are nothing, and so is a stand-in without a pointer.
func (f File) IsZero() bool {
	return f.Tokens.IsZero() && len(f.Keychain) == 0 && len(f.unknown) == 0
}

// Exists reports whether there was a file when f was read, whatever was in it.
func (f File) Exists() bool { return !f.was.absent() }

// Session returns what f says of sessions.
func (f File) Session() plain.Session {
	return plain.Session{Tokens: f.Tokens, Details: f.Details, Keychain: f.Keychain, StandIn: f.StandIn}
}

// What cre.yaml says is declared in package plain, which reads its plain form.
type (
	Tokens  = plain.Tokens
	Details = plain.Details
)

type tokenKeys struct {
	AccessToken  string `yaml:"AccessToken"`
	IDToken      string `yaml:"IDToken"`
	RefreshToken string `yaml:"RefreshToken"`
	ExpiresIn    int64  `yaml:"ExpiresIn"`
	TokenType    string `yaml:"TokenType"`
}

func keysOf(t Tokens) tokenKeys {
	return tokenKeys{t.Access.Reveal(), t.ID.Reveal(), t.Refresh.Reveal(), t.ExpiresIn, t.Type}
}

type standInKey struct {
	AccessToken string `yaml:"AccessToken"`
}

type keychainKey struct {
	Keychain []string `yaml:"Keychain"`
}

// ReadSession reads cre.yaml. No file is the zero File. Errors are
// [ErrDamaged], [ErrUnsafe] or the operating system's. A File that comes with
// an error holds nothing, but it is what stands there, to be replaced or
// removed by [Dir.ReplaceSession].
func (d Dir) ReadSession() (File, error) {
	now, err := d.look(sessionName)
	if err != nil {
		return File{was: now}, fmt.Errorf("read the session: %w", err)
	}
	f, err := parseSession([]byte(now.data.Reveal()))
	if err != nil {
		return File{was: now}, guarded.Damaged(d.SessionPath(), err)
	}
	f.was = now
	return f, nil
}

// ReplaceSession makes cre.yaml say fresh if it still is what old was read
// from, and returns fresh as if it had been read from there. What fresh doesn't
// hold is gone; if it holds nothing, cre.yaml is removed, and what the official
// CLI left of it when it crashed. The zero File as old stands for no file.
//
// If cre.yaml is neither what old was read from nor fresh already, the error is
// [helper.ErrChanged]. After this and every other error, old is returned and
// cre.yaml says the one or the other, never a part. The caller holds the lock.
func (d Dir) ReplaceSession(old, fresh File) (File, error) {
	if fresh.IsZero() {
		if err := d.removeSession(old.was); err != nil {
			return old, err
		}
		return File{}, nil
	}
	data, err := d.encode(fresh)
	if err != nil {
		return old, err
	}
	s, err := d.stage(sessionName)
	if err != nil {
		return old, err
	}
	defer s.Discard()
	if err := s.put(old.was, data); err != nil {
		return old, err
	}
	fresh.was = data
	return fresh, nil
}

func (d Dir) encode(f File) (snapshot, error) {
	data, err := f.encode()
	if err != nil {
		return snapshot{}, fmt.Errorf("write %s: the session can't be put into it: it %w", d.SessionPath(), err)
	}
	return snapshot{data: helper.NewSecret(string(data))}, nil
}

// encode gives nothing that couldn't be read back.
func (f File) encode() ([]byte, error) {
	root := newMapping()
	err := f.encodeTo(root)
	if err != nil {
		return nil, err
	}
	root.Content = append(root.Content, f.unknown...)
	data, err := marshal(root)
	if err != nil {
		return nil, err
	}
	_, err = parseSession(data)
	return data, err
}

func (f File) encodeTo(root *yaml.Node) error {
	if plain.IsStandIn(f.Tokens.Access) || f.StandIn.IsSet() && !plain.IsStandIn(f.StandIn) {
		return errStandIn
	}
	if !f.Tokens.IsZero() {
		if err := addKeys(root, keysOf(f.Tokens), ""); err != nil {
			return err
		}
	} else if f.StandIn.IsSet() && len(f.Keychain) > 0 {
		if err := addKeys(root, standInKey{f.StandIn.Reveal()}, standInComment); err != nil {
			return err
		}
	}
	if f.Tokens.Access.Reveal() != "" && !f.Details.IsZero() {
		if err := addKeys(root, sessionKey{detailKeysOf(f.Details, f.Tokens.Access)}, detailsComment); err != nil {
			return err
		}
	}
	if len(f.Keychain) > 0 {
		return addKeys(root, keychainKey{f.Keychain}, commentOn(f.Keychain))
	}
	return nil
}

// commentOn says where what the entries name is.
func commentOn(entries []string) string {
	elsewhere := func(text string) bool {
		e, ok := plain.ParseEntry(text)
		return ok && e.Store != ""
	}
	if slices.ContainsFunc(entries, elsewhere) {
		return storesComment
	}
	return pointerComment
}

// addKeys appends v's keys to a mapping, under a comment.
func addKeys(root *yaml.Node, v any, comment string) error {
	node, err := toNode(v)
	if err == nil {
		err = tidy(node)
	}
	if err != nil {
		return errType
	}
	node.Content[0].HeadComment = comment
	root.Content = append(root.Content, node.Content...)
	return nil
}

func parseSession(data []byte) (File, error) {
	root, err := parseMapping(data)
	if err != nil {
		return File{}, err
	}
	var f File
	var about string
	for key, value := range pairs(root) {
		if key.Value == "Session" {
			f.Details, about, err = parseDetails(value)
		} else {
			err = f.set(key, value)
		}
		if err != nil {
			return File{}, err
		}
	}
	f.Tokens, f.StandIn = plain.SetApart(f.Tokens, len(f.Keychain) > 0)
	if about == "" || about != digest(f.Tokens.Access) {
		f.Details = Details{} // another program replaced the tokens
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
