package errand

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/helper"
)

// slow is a renewer that nothing ends early.
type slow struct{ ended *atomic.Bool }

func (s slow) Renew(context.Context, helper.Query) (helper.Credential, error) {
	time.Sleep(time.Minute)
	s.ended.Store(true)
	return helper.Credential{Username: "fresh"}, nil
}

func TestARenewalGoesOnWithoutWhoAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Bool
		b := Background{Renewer: slow{&ended}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := b.Renew(ctx, helper.Query{}); !errors.Is(err, context.DeadlineExceeded) || ended.Load() {
			t.Errorf("%v", err)
		}
		if b.Wait(); !ended.Load() {
			t.Error("it wasn't waited for")
		}
		if c, err := b.Renew(t.Context(), helper.Query{}); err != nil || c.Username != "fresh" {
			t.Errorf("%v, %v", c, err)
		}
	})
}
