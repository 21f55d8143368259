package reading_test

import (
	"context"
	"testing"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

// late is a vault into which a session comes between the reads of a get.
type late struct{ c helper.Credential }

func (late) Get(context.Context, helper.Query) (helper.Credential, error) {
	return helper.Credential{}, helper.ErrNotFound
}

func (l late) All(context.Context, helper.Query) ([]helper.Credential, error) {
	return []helper.Credential{{Origin: l.c.Origin, Username: "b@x", Secret: l.c.Secret}, l.c}, nil
}

// TestASessionThatComesMeanwhileIsTheAnswer: nobody is told to use the very account
// that commands use.
func TestASessionThatComesMeanwhileIsTheAnswer(t *testing.T) {
	env := platform.Known()[0]
	c := helper.Credential{Origin: env.Origin(), Username: "a@x", Secret: helper.NewSecret("token")}
	for _, named := range []reading.Named{{}, {Account: "a@x"}} {
		p := reading.Places{
			Format: reading.Format{Environment: env},
			Named:  named,
			File: func() (plain.Session, error) {
				return plain.Session{Keychain: []string{"https://a%40x@" + env.Origin().Host}}, nil
			},
			Vault: func(reading.Place) reading.Vault { return late{c} },
		}
		if got, err := p.Get(t.Context(), helper.Query{Origin: env.Origin()}); err != nil || got.Username != "a@x" {
			t.Errorf("%+v: %q, %v", named, got.Username, err)
		}
	}
}
