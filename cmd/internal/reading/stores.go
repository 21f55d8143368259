package reading

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/near"
	"cre-credential-helper/helper"
)

// InKernel is the Linux kernel's key retention service (keyrings(7)).
const InKernel = Place("kernel")

// InGrant is no store: cre.yaml says so of a session that a grant answered, for
// whoever comes when no variable leads to the grant any more. See [Nowhere].
const InGrant = helper.PlaceGrant

// ProgramPrefix is how the words of the stores begin that are programs of docker's
// protocol: the program's name is the word.
const ProgramPrefix = "docker-credential-"

// ErrMode reports a word that is no store's.
var ErrMode = errors.New("unknown credential store")

// Store is where a session can be kept. What opens it is package stores'.
type Store struct {
	Word   string // in CRE_CREDENTIAL_STORE and after --to, and in cre.yaml's pointer
	Family bool   // a name follows the word
	Placed bool   // a colon may follow the word, and where it is
	Called string // by a person; "": by its word
	Lasts  string // what a person should know of how long it keeps things; "": nothing
}

// Stores are those that a session can be in.
func Stores() []Store {
	return []Store{
		{Word: string(InKeychain), Called: "the keychain"},
		{Word: string(InFile), Called: "cre.yaml, in plain text"},
		{
			Word: string(InKernel), Called: "the kernel's keyring",
			Lasts: "it is gone when the machine restarts, or when it hasn't been used for three days",
		},
		{Word: ProgramPrefix, Family: true},
		{Word: location.Word, Placed: true, Called: "the vault"},
	}
}

// StoreAt returns a place's store. ok is false where no store has that word.
func StoreAt(place Place) (s Store, ok bool) {
	at := slices.IndexFunc(Stores(), func(s Store) bool { return s.has(string(place)) })
	if at < 0 {
		return Store{Word: string(place)}, false
	}
	return Stores()[at], true
}

func (s Store) has(word string) bool {
	if kind, _, ok := location.Parse(Place(word)); ok {
		return s.Placed && kind == s.Word
	}
	name, ok := strings.CutPrefix(word, s.Word)
	if !s.Family {
		return ok && name == ""
	}
	return ok && isName(name)
}

// isName tells the names that a program may have: letters that no system folds, and
// never the name that this program has among docker's helpers.
func isName(name string) bool {
	const longest = 64
	strange := func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }
	return name != "" && name[0] != '-' && len(name) <= longest && name != "cre" && !strings.ContainsFunc(name, strange)
}

// ParsePlace reads a word that names a store; "keyring" is another word for the
// keychain's. Its error is [ErrMode].
func ParsePlace(word string) (Place, error) {
	if word == string(Keyring) {
		return InKeychain, nil
	}
	if _, ok := StoreAt(Place(word)); !ok {
		meant := near.Best(word, Words())
		if meant != "" {
			meant = " (did you mean " + meant + "?)"
		}
		return "", fmt.Errorf("%w %.40q%s", ErrMode, word, meant)
	}
	return Place(word), nil
}

// Words are those of all stores, as a person reads them.
func Words() (words []string) {
	for _, s := range Stores() {
		if s.Family {
			s.Word += "NAME"
		}
		words = append(words, s.Word)
	}
	return words
}

// Lasting says how long something is good for, as people say it.
func Lasting(d time.Duration) string {
	n, unit := int(d.Round(time.Minute)/time.Minute), "minute"
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d >= 48*time.Hour:
		n, unit = int(d/(24*time.Hour)), "day"
	case d >= 2*time.Hour:
		n, unit = int(d/time.Hour), "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// Called is how a person calls a place.
func Called(place Place) string {
	if _, at, ok := location.Parse(place); ok {
		return at.String()
	}
	if place == InGrant {
		return "a grant"
	}
	if s, ok := StoreAt(place); ok && s.Called != "" {
		return s.Called
	}
	return string(place)
}

// IsVault reports whether a place is one that cre.yaml points to.
func IsVault(place Place) bool {
	return place != "" && place != InFile && place != helper.PlaceEnvironment
}

// Nowhere is the vault of [InGrant], in which nothing is.
type Nowhere struct{}

// Get implements [Vault].
func (Nowhere) Get(context.Context, helper.Query) (helper.Credential, error) {
	return helper.Credential{}, helper.ErrNotFound
}

// All implements [Vault].
func (Nowhere) All(context.Context, helper.Query) ([]helper.Credential, error) { return nil, nil }

// UnknownStore is the [ErrMode] of a pointer to a place that has no store here.
func UnknownStore(place Place) error {
	return fmt.Errorf("%w: cre.yaml says that the session is in %.40q, which this version doesn't know: a newer version wrote it: "+
		"upgrade, or log in with another store (nothing is lost meanwhile)", ErrMode, string(place))
}
