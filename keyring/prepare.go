package keyring

import (
	"context"
	"io"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/internal/layout"
)

// Preparer is a [Backend] that can do the slow parts of a read and a write
// beforehand. One that isn't is asked by the item's name each time.
type Preparer interface {
	// Prepare makes an item that is there ready to be read and written. Its
	// errors are those of [Backend].
	Prepare(service, account string) (Item, error)
}

// Item is one item of a keychain, found and unlocked. Its errors are those of
// [Backend], and like there a call may come while an earlier one still blocks.
// One that is an [io.Closer] is closed when it has been used.
type Item interface {
	Get() (string, error)
	Set(value string) error
}

// named is the Item of a [Backend] that isn't a [Preparer].
type named struct {
	backend          Backend
	service, account string
}

func (n named) Get() (string, error) { return n.backend.Get(n.service, n.account) }

func (n named) Set(value string) error { return n.backend.Set(n.service, n.account, value) }

// prepared is an item that the lock's holder has at hand.
type prepared struct {
	store    *Store
	account  string
	item     Item
	value    string // what is in it, as far as we know
	inPieces bool   // then value is only the head
}

// prepare finds an item that holds a document, and reads it.
func (s *Store) prepare(ctx context.Context, account string) (*prepared, error) {
	item, err := call(ctx, s, func() (Item, error) {
		if p, ok := s.backend.(Preparer); ok {
			return p.Prepare(s.service, account)
		}
		return named{s.backend, s.service, account}, nil
	})
	if err != nil {
		return nil, describe(account, err)
	}
	p := &prepared{store: s, account: account, item: item}
	var head document
	if p.value, err = p.get(ctx); err == nil {
		head, err = layout.Decode(p.value)
	}
	if err != nil {
		p.close()
		return nil, describe(account, err)
	}
	p.inPieces = head.Generation != ""
	return p, nil
}

func (p *prepared) get(ctx context.Context) (string, error) { return call(ctx, p.store, p.item.Get) }

func (p *prepared) set(ctx context.Context, value string) error {
	_, err := call(ctx, p.store, func() (string, error) { return "", p.item.Set(value) })
	return describe(p.account, mayLand(err))
}

func (p *prepared) close() {
	c, ok := p.item.(io.Closer)
	if !ok {
		return
	}
	// What can't be closed ends with the process.
	_, _ = call(context.Background(), p.store, func() (string, error) { return "", c.Close() })
}

// swapPrepared swaps with one read and one write of the item that Check has
// found. Unless known, the ordinary way has to be gone; then err is that of a
// write whose outcome is unclear.
//
// The keychain may have put somebody else's item in that place, so nothing is
// written unless the item holds, byte for byte, what was seen in it before.
func (s *Store) swapPrepared(ctx context.Context, turn turn, old, fresh helper.Credential) (known bool, err error) {
	p := turn.prepared(account(old.Origin))
	if p == nil || p.inPieces {
		return false, nil
	}
	value, err := p.get(ctx)
	if err != nil || value != p.value {
		return false, nil
	}
	d, err := layout.Decode(value)
	if err != nil {
		return false, nil
	}
	changed, err := d.Swap(old, fresh)
	if err != nil || !changed {
		return true, err
	}
	value, err = d.Encode()
	if err != nil || len(value) > s.limit {
		return false, nil
	}
	if err := p.set(ctx, value); err != nil {
		return false, err
	}
	p.value = value
	return true, nil
}
