package simulation

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// Keychain is the one on this machine. It answers requests one after another,
// in the order in which they came, whether or not somebody still waits.
type Keychain struct {
	world *World
	rand  *rand.Rand
	lock  *lock
	items map[string]*entry // by account

	mood    Calamity // "" is well
	since   time.Time
	until   time.Time
	busy    time.Time // until it has answered what it was asked
	gone    time.Time // until when there was none
	badTime time.Duration

	writer  *Process // of the last change
	written time.Time

	kept []kept // what was seen in the session's item
}

// entry is an item. One that is deleted and made again is another one.
type entry struct{ value string }

// errRefused is what a locked keychain says. It says it in words that no
// product code may depend on.
var errRefused = errors.New("refused by the simulated keychain")

func newKeychain(w *World) *Keychain {
	k := &Keychain{world: w, rand: w.source("keychain"), items: map[string]*entry{}}
	k.lock = &lock{world: w, name: "the keychain's lock"}
	return k
}

// turn changes the keychain's mood for a while, unless it is in one already.
// The world is held.
func (k *Keychain) turn(mood Calamity, long time.Duration) {
	if k.now() != "" {
		return
	}
	k.world.note("the keychain", "%s, for %v", mood, long)
	if mood == absent {
		k.gone = time.Now().Add(long)
	}
	k.mood, k.since, k.until = mood, time.Now(), time.Now().Add(long)
}

// settle ends a mood whose time is up.
func (k *Keychain) settle() {
	if k.mood == "" || time.Now().Before(k.until) {
		return
	}
	k.badTime += k.until.Sub(k.since)
	k.mood = ""
}

// now returns the mood.
func (k *Keychain) now() Calamity {
	if !k.world.plan.Keychain {
		return absent
	}
	k.settle()
	return k.mood
}

// badSoFar is how long it hasn't been well in all.
func (k *Keychain) badSoFar() time.Duration {
	if k.settle(); k.mood != "" {
		return k.badTime + time.Since(k.since)
	}
	return k.badTime
}

// wasBad reports whether it isn't well, or wasn't since it had been so for that
// long.
func (k *Keychain) wasBad(before time.Duration) bool { return k.badSoFar() > before || k.now() != "" }

// served returns when a request that comes now is. The world is held.
func (k *Keychain) served() time.Time {
	takes := 300*time.Microsecond + time.Duration(k.rand.Int64N(int64(8*time.Millisecond)))
	if k.now() == slow {
		takes = 200*time.Millisecond + time.Duration(k.rand.Int64N(int64(2*time.Second)))
	}
	at := time.Now()
	if k.busy.After(at) {
		at = k.busy
	}
	if k.now() == silent && k.until.After(at) {
		at = k.until
	}
	k.busy = k.world.own(at.Add(takes))
	return k.busy
}

// refuses is the error with which it meets a request.
func (k *Keychain) refuses(write bool) error {
	switch mood := k.now(); {
	case mood == absent:
		return fmt.Errorf("%w (simulated)", keyring.ErrUnavailable)
	case mood == locked, mood == readOnly && write:
		return errRefused
	}
	return nil
}

// kept is what a place keeps for one account.
type kept struct{ username, access, refresh string }

func (s kept) isZero() bool { return s.access == "" && s.refresh == "" }

// document is as much of an item as is looked at here. It is read
// independently of package keyring.
type document struct {
	Credentials []struct {
		Username string `json:"username"`
		Secret   string `json:"secret"`
		Refresh  string `json:"refresh_token"`
	} `json:"credentials"`
	Generation string `json:"generation"`
	Pieces     int    `json:"pieces"`
}

// look reads what the item of the session's origin holds, nil for nothing that
// is whole. The world is held.
func (k *Keychain) look() []kept {
	account := k.world.env.Origin().String()
	item := k.items[account]
	if item == nil {
		return nil
	}
	var d document
	if json.Unmarshal([]byte(item.value), &d) != nil {
		return nil
	}
	if d.Generation != "" {
		var whole strings.Builder
		for i := range d.Pieces {
			if piece := k.items[fmt.Sprintf("%s#%s.%d", account, d.Generation, i)]; piece != nil {
				whole.WriteString(piece.value)
			}
		}
		if d = (document{}); json.Unmarshal([]byte(whole.String()), &d) != nil {
			return nil
		}
	}
	var all []kept
	for _, c := range d.Credentials {
		all = append(all, kept{c.Username, c.Secret, c.Refresh})
	}
	return all
}

// get, set and remove do what was asked, once it is served.
func (k *Keychain) get(account string) (string, error) {
	if item := k.items[account]; item != nil {
		return item.value, nil
	}
	return "", helper.ErrNotFound
}

func (k *Keychain) set(account, value string) {
	if item := k.items[account]; item != nil {
		item.value = value
		return
	}
	k.items[account] = &entry{value}
}

func (k *Keychain) remove(account string) error {
	if k.items[account] == nil {
		return helper.ErrNotFound
	}
	delete(k.items, account)
	return nil
}
