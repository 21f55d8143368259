package reading

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

// Describer is a part of [helper.Accounts].
type Describer interface {
	Describe(ctx context.Context, o helper.Origin) (helper.Description, error)
}

// Describe says what there is at o: the key in the environment, and what places
// says. With a key, what fails there is a note: a key needs nothing of it.
func (r Reader) Describe(ctx context.Context, o helper.Origin, places Describer) (helper.Description, error) {
	d, err := places.Describe(ctx, o)
	key, hasKey := r.apiKey()
	if !hasKey || key.Origin != o {
		return d, err
	}
	if err != nil {
		d = helper.NewDescription()
		d.Notes = append(d.Notes, err.Error())
	}
	about := accountOf(key, helper.PlaceEnvironment)
	about.Variable = r.APIKeyVariable
	if err := r.Named.Against(keyOf(r.APIKeyVariable)); err != nil {
		d.Problem = err.Error()
	}
	d.Credentials = slices.Insert(d.Credentials, 0, about)
	return d, nil
}

// Describe implements [Describer]. It looks into the vaults that cre.yaml points to
// and, unlike Get, into the keychain where it points to none. Its errors are those
// of cre.yaml, and [lookup.ErrUnsure].
func (p Places) Describe(ctx context.Context, o helper.Origin) (helper.Description, error) {
	d := helper.NewDescription()
	var file plain.Session
	if p.Decides(o, helper.RoomShared) {
		var err error
		if file, err = p.read(); err != nil {
			return d, err
		}
	}
	pointer := PointerAt(file.Keychain, o)
	inFile, holds := p.Credential(file)
	if holds = holds && inFile.Origin == o; holds {
		about := accountOf(inFile, helper.PlaceFile)
		about.Default = true
		d.Credentials = append(d.Credentials, about)
	}
	all, err := p.describeVaults(ctx, &d, o, pointer, holds)
	if err != nil {
		return d, err
	}
	if err := p.againstStored(d.Credentials); err != nil {
		d.Problem = err.Error()
	} else if d.Unread == "" && !slices.ContainsFunc(d.Credentials, p.answers) {
		if err := p.unanswered(file, o, all); err != ErrNotLoggedIn { //nolint:errorlint // that very one has no reason
			d.Problem = err.Error()
		}
	}
	slices.SortStableFunc(d.Credentials, func(a, b helper.Account) int { return cmp.Compare(p.rank(a), p.rank(b)) })
	return d, nil
}

// describeVaults adds what is in the vaults, and returns what of it can be reached.
// holds: the session is in cre.yaml.
func (p Places) describeVaults(ctx context.Context, d *helper.Description, o helper.Origin, pointer Pointer, holds bool) (all []helper.Credential, err error) {
	places := pointer.Places()
	if len(places) == 0 {
		places = []Place{InKeychain}
	}
	for _, place := range places {
		kept, err := p.Vault(place).All(ctx, helper.Query{Origin: o})
		switch {
		case errors.Is(err, lookup.ErrUnsure):
			return nil, err
		case errors.Is(err, lookup.ErrUnavailable) && !pointer.Any(): // nothing is there
		case err != nil:
			d.Notes = append(d.Notes, fmt.Sprintf("%s was not read: %v", Called(place), err))
			d.Unread = unreadBecause(err)
			d.Credentials = append(d.Credentials, p.unread(o, pointer, place, holds)...)
		}
		for _, c := range kept {
			d.Credentials = append(d.Credentials, p.kept(c, place, pointer, kept, holds))
			if pointer.Has(c.Username, place) {
				all = append(all, c)
			}
		}
	}
	return all, nil
}

func unreadBecause(err error) string {
	switch {
	case errors.Is(err, lookup.ErrUnavailable), errors.Is(err, lookup.ErrBus):
		return helper.UnreadMissing
	case errors.Is(err, lookup.ErrDamaged), errors.Is(err, lookup.ErrNewer):
		return helper.UnreadDamaged
	}
	return helper.UnreadLocked
}

// kept describes one of all that are kept in a vault. holds: the session is in
// cre.yaml.
func (p Places) kept(c helper.Credential, place Place, pointer Pointer, all []helper.Credential, holds bool) helper.Account {
	about := accountOf(c, place)
	if p.Decides(c.Origin, helper.RoomShared) {
		named, hasDefault := pointer.DefaultOf(all)
		about.Stray = !pointer.Has(c.Username, place) || holds && !IsKey(c)
		about.Default = hasDefault && !holds && pointer.In == place && c.Username == named.Username
	}
	return about
}

// againstStored is [Named.Against] for the key that is stored; nil without one.
func (p Places) againstStored(all []helper.Account) error {
	key := slices.IndexFunc(all, isKeyThatAnswers)
	if key < 0 {
		return nil
	}
	return p.Against(storedKey(all[key].Place))
}

func isKeyThatAnswers(a helper.Account) bool {
	return !a.Stray && a.AuthType == helper.AuthAPIKey && a.Username == APIKeyUsername
}

// answers reports whether a is what answers who names nobody, if no key comes
// before it.
func (p Places) answers(a helper.Account) bool {
	switch {
	case a.Stray:
		return false
	case isKeyThatAnswers(a):
		return true
	case p.Account != "":
		return a.Username == p.Account
	}
	return a.Default
}

// unread is what cre.yaml says of a vault that can't be read. holds: the session
// is in cre.yaml.
func (p Places) unread(o helper.Origin, pointer Pointer, place Place, holds bool) (all []helper.Account) {
	if pointer.KeyIn == place {
		c := helper.Credential{Origin: o, Username: APIKeyUsername, AuthType: helper.AuthAPIKey}
		all = append(all, accountOf(c, place))
	}
	if pointer.In == place && !holds {
		c := helper.Credential{Origin: o, AuthType: helper.AuthBearer}
		if pointer.Account != nil {
			c.Username = *pointer.Account
		}
		isDefault := p.Account == "" || p.Account == c.Username
		if !isDefault {
			c.Username = p.Account
		}
		about := accountOf(c, place)
		about.Default = isDefault
		all = append(all, about)
	}
	return all
}

// rank puts what answers first first.
func (p Places) rank(a helper.Account) int {
	switch {
	case a.Stray:
		return 4
	case isKeyThatAnswers(a):
		return 0
	case p.Account != "" && a.Username == p.Account:
		return 1
	case a.Default:
		return 2
	}
	return 3
}

// accountOf says of a credential all but its secrets.
func accountOf(c helper.Credential, place helper.Place) helper.Account {
	access, _ := claims.Parse(c.Secret) // an opaque one says nothing
	id, _ := claims.Parse(c.IDToken)
	since := id.AuthTime
	if since.IsZero() {
		since = id.IssuedAt
	}
	return helper.Account{
		Origin: c.Origin.String(), Username: c.Username, AuthType: c.AuthType, Place: place,
		OrganizationID: access.OrgID, DeployAccess: access.DeployAccess || c.AuthType == helper.AuthAPIKey,
		Expires: c.Expiry.UTC(), Issued: c.Issued.UTC(), Since: since,
		Renewable: c.Refreshable(),
	}
}
