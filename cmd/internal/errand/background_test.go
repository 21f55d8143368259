package errand

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/helper"
)

// slow is a renewer that nothing ends early.
type slow struct{ ended *bool }

func (s slow) Renew(context.Context, helper.Query) (helper.Credential, error) {
	time.Sleep(time.Minute)
	*s.ended = true
	return helper.Credential{Username: "fresh"}, nil
}

func TestARenewalGoesOnWithoutWhoAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		b := Background{Renewer: slow{&ended}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := b.Renew(ctx, helper.Query{}); !errors.Is(err, context.DeadlineExceeded) || ended {
			t.Errorf("%v", err)
		}
		if b.Wait(); !ended {
			t.Error("it wasn't waited for")
		}
		if c, err := b.Renew(t.Context(), helper.Query{}); err != nil || c.Username != "fresh" {
			t.Errorf("%v, %v", c, err)
		}
	})
}
