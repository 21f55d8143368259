package errand

import (
	"context"
	"sync"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/helper"
)

// Background is a [reading.Renewer] whose renewals go on when whoever asked has
// gone. Renewer must be set.
type Background struct {
	Renewer reading.Renewer
	running sync.WaitGroup
}

// Renew implements [reading.Renewer]. It returns when ctx ends.
func (b *Background) Renew(ctx context.Context, q helper.Query) (helper.Credential, error) {
	type result struct {
		c   helper.Credential
		err error
	}
	renewed := make(chan result, 1)
	b.running.Go(func() {
		c, err := b.Renewer.Renew(ctx, q)
		renewed <- result{c, err}
	})
	select {
	case r := <-renewed:
		return r.c, r.err
	case <-ctx.Done():
		return helper.Credential{}, ctx.Err()
	}
}

// Wait waits for the renewals that go on.
func (b *Background) Wait() { b.running.Wait() }
