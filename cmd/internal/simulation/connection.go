package simulation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// connection is the keychain as one process reaches it.
type connection struct{ process *Process }

var (
	_ keyring.Backend  = (*connection)(nil)
	_ keyring.Locker   = (*connection)(nil)
	_ keyring.Preparer = (*connection)(nil)
)

// Get implements [keyring.Backend].
func (c *connection) Get(_, account string) (value string, err error) {
	err = c.ask("read "+account, false, func(k *Keychain) error {
		value, err = k.get(account)
		return err
	})
	return value, err
}

// Set implements [keyring.Backend].
func (c *connection) Set(_, account, value string) error {
	return c.ask("write "+account, true, func(k *Keychain) error {
		k.set(account, value)
		return nil
	})
}

// Delete implements [keyring.Backend].
func (c *connection) Delete(_, account string) error {
	return c.ask("delete "+account, true, func(k *Keychain) error { return k.remove(account) })
}

// ask sends a request. Once it is sent, it is done in the keychain's own time,
// whatever has become of the process.
func (c *connection) ask(what string, write bool, do func(*Keychain) error) error {
	p, w, k := c.process, c.process.world, c.process.world.keychain
	leave := p.step("asks the keychain to " + what)
	p.judgeReach()
	if k.now() == absent {
		defer leave()
		return k.refuses(write)
	}
	served := k.served()
	leave()
	p.awaitTurn(served)
	err := k.refuses(write)
	if err == nil {
		if err = do(k); !write {
			p.lastRead = time.Now()
		}
		w.note("the keychain", "does what %s asked: %s", p.name, what)
		w.judgeWrite(p, write)
	} else {
		w.note("the keychain", "refuses what %s asked: %s", p.name, what)
	}
	w.leave()
	p.step("has the keychain's answer")()
	return err
}

// awaitTurn waits until the keychain gets to p's request, and holds the world.
func (p *Process) awaitTurn(served time.Time) {
	w, k := p.world, p.world.keychain
	for {
		time.Sleep(time.Until(served))
		w.hold()
		switch k.now() {
		case silent:
			served = k.served()
		case prompting:
			if p.isGone() { // who would send the request once it is unlocked?
				w.leave()
				w.vanish()
			}
			served = w.momentAfter(k.until, k.rand)
		default:
			return
		}
		w.leave()
	}
}

// Prepare implements [keyring.Preparer].
func (c *connection) Prepare(_, account string) (keyring.Item, error) {
	var found *entry
	err := c.ask("find "+account, false, func(k *Keychain) error {
		if found = k.items[account]; found == nil {
			return helper.ErrNotFound
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &preparedItem{c, account, found}, nil
}

// preparedItem is an item that was found. It may be gone by now.
type preparedItem struct {
	*connection
	account string
	found   *entry
}

// Get implements [keyring.Item].
func (i *preparedItem) Get() (value string, err error) {
	err = i.ask("read what was found as "+i.account, false, func(k *Keychain) error {
		value = i.found.value
		return i.check(k)
	})
	return value, err
}

// Set implements [keyring.Item].
func (i *preparedItem) Set(value string) error {
	return i.ask("write what was found as "+i.account, true, func(k *Keychain) error {
		if err := i.check(k); err != nil {
			return err
		}
		i.found.value = value
		return nil
	})
}

func (i *preparedItem) check(k *Keychain) error {
	if k.items[i.account] != i.found {
		return errRefused // there is no such object
	}
	return nil
}

// vault is the keychain's, with a moment after a call in which a process may
// die, stop, or lose its lock.
type vault struct {
	helper.Vault
	process *Process
}

// Check implements [helper.Checker].
func (v vault) Check(ctx context.Context, o helper.Origin) error {
	err := v.Vault.Check(ctx, o)
	v.process.step("has checked the keychain")()
	return err
}

// Swap implements [helper.Swapper].
func (v vault) Swap(ctx context.Context, old, fresh helper.Credential) error {
	err := v.Vault.Swap(ctx, old, fresh)
	v.process.step("has swapped")()
	return err
}

// Lock implements [keyring.Locker].
func (c *connection) Lock(ctx context.Context) (held context.Context, unlock func() error, err error) {
	p, k := c.process, c.process.world.keychain
	leave := p.step("reaches for the keychain's lock")
	p.judgeReach()
	gone := k.now() == absent
	leave()
	if gone {
		return nil, nil, fmt.Errorf("%w (simulated)", keyring.ErrUnavailable)
	}
	if err := k.lock.take(ctx, p); err != nil {
		return nil, nil, err
	}
	held, cancel := context.WithCancelCause(ctx)
	p.world.hold()
	k.lock.lost = cancel
	p.vaultHeld = time.Now()
	p.world.leave()
	return held, sync.OnceValue(func() error {
		cancel(nil)
		defer p.step("frees the keychain's lock")()
		k.lock.free(p)
		return nil
	}), nil
}
