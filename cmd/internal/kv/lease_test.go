package kv

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/kv/kvtest"
	"cre-credential-helper/helper"
)

// machine is one whose uptime the test moves.
type testMachine struct {
	*Session
	slept atomic.Int64
	said  []string
}

func newMachine(f *kvtest.Fake, name string) *testMachine {
	m := &testMachine{Session: on(f)}
	m.Machine = name
	m.Uptime = func() time.Duration { return uptime() + time.Duration(m.slept.Load()) }
	m.Notify = func(line string) { m.said = append(m.said, line) }
	return m
}

func (m *testMachine) sleep(d time.Duration) { m.slept.Add(int64(d)) }

func TestAMachineThatSleptHoldsNoClaimAnyMore(t *testing.T) {
	f := kvtest.NewFake(t)
	m := newMachine(f, "here")
	mustStore(t, m.Session, ann("1"))
	held, unlock, err := m.Lock(t.Context())
	if err != nil || held.Err() != nil {
		t.Fatal(err, held.Err())
	}
	m.sleep(startTime)
	if held.Err() == nil || !errors.Is(context.Cause(held), helper.ErrBusy) {
		t.Errorf("%v, because of %v", held.Err(), context.Cause(held))
	}
	select {
	case <-held.Done():
	default:
		t.Error("it isn't done")
	}
	_ = unlock()
	if data, _, _ := f.Look(sessionName); strings.Contains(data, "claim") {
		t.Error("a claim that nobody has taken over is left")
	}
}

// TestALostClaimIsToldFromAnEndedContext: who waited for a renewal may have gone.
func TestALostClaimIsToldFromAnEndedContext(t *testing.T) {
	m := newMachine(kvtest.NewFake(t), "here")
	mustStore(t, m.Session, ann("1"))
	ctx, cancel := context.WithCancel(t.Context())
	held, unlock, err := m.Lock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock() //nolint:errcheck // a test's
	lost := held.(interface{ Lost() error }).Lost
	if cancel(); held.Err() == nil || lost() != nil {
		t.Errorf("gone: %v, lost: %v", held.Err(), lost())
	}
	if m.sleep(startTime); !errors.Is(lost(), helper.ErrBusy) {
		t.Errorf("after its time: %v", lost())
	}
}

func TestADeadMachinesClaimIsTakenOverAfterItsLease(t *testing.T) {
	f := kvtest.NewFake(t)
	dead, waits := newMachine(f, "build-7\x1b[2J"), newMachine(f, "build-8")
	mustStore(t, dead.Session, ann("1"))
	dead.said = nil
	if _, _, err := dead.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, _, err := waits.Lock(short); !errors.Is(err, helper.ErrBusy) {
		t.Errorf("before the lease: %v", err)
	}
	time.AfterFunc(300*time.Millisecond, func() { waits.sleep(lease) })
	held, unlock, err := waits.Lock(t.Context())
	if err != nil || held.Err() != nil {
		t.Fatal(err)
	}
	defer unlock() //nolint:errcheck // a test's
	if len(waits.said) != 1 || !strings.Contains(waits.said[0], "build-7[2J has claimed the session") || !strings.Contains(waits.said[0], "then log in again") {
		t.Errorf("said %q", waits.said)
	}
	if err := waits.Swap(held, ann("1"), ann("2")); err != nil {
		t.Error(err)
	}
}

// TestAClaimThatMovesIsNotTakenOver: whoever holds it is alive, or it is another's.
func TestAClaimThatMovesIsNotTakenOver(t *testing.T) {
	w := waiting{pause: firstPause}
	claimed := func(version int) state {
		return state{record: record{Claim: &claim{ID: "x", Lease: 100}}, version: version}
	}
	for i, look := range []struct {
		version int
		at      time.Duration
		take    bool
	}{
		{1, 0, false}, {1, 99 * time.Second, false}, {2, 101 * time.Second, false}, {2, 200 * time.Second, false}, {2, 201 * time.Second, true},
	} {
		if take := w.mayTake(claimed(look.version), look.at); take != look.take {
			t.Errorf("look %d: %v", i, take)
		}
	}
}

func TestASaveAfterATakeoverReplacesWhatItRenewedAndNothingElse(t *testing.T) {
	f := kvtest.NewFake(t)
	slow, other := newMachine(f, "slow"), newMachine(f, "other")
	mustStore(t, slow.Session, ann("1"))
	held, unlock, err := slow.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(300*time.Millisecond, func() { other.sleep(lease) })
	taken, free, err := other.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	saved := context.WithoutCancel(held)
	if err := slow.Swap(saved, ann("1"), ann("2")); err != nil { // the old one is spent: this is worth it
		t.Errorf("the late save: %v", err)
	}
	if err := other.Swap(taken, ann("1"), ann("3")); !errors.Is(err, helper.ErrChanged) {
		t.Errorf("the save over it: %v", err)
	}
	_, _ = unlock(), free()
	mustGet(t, slow.Session, ann("2"))
	if data, _, _ := f.Look(sessionName); strings.Contains(data, "claim") {
		t.Errorf("a claim is left: %s", data)
	}
}

// TestWhoWaitedForARenewalIsToldThatItIsDone and takes no claim.
func TestWhoWaitedForARenewalIsToldThatItIsDone(t *testing.T) {
	f := kvtest.NewFake(t)
	first := newMachine(f, "first")
	mustStore(t, first.Session, ann("1"))
	held, unlock, err := first.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const machines = 20
	var told atomic.Int32
	var all sync.WaitGroup
	for range machines {
		all.Go(func() {
			if _, _, err := on(f).Lock(t.Context()); errors.Is(err, helper.ErrChanged) {
				told.Add(1)
			} else {
				t.Error(err)
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	for { // every machine has had its first look
		f.Lock()
		asked := f.Requests
		f.Unlock()
		if asked >= machines+10 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := first.Swap(held, ann("1"), ann("2")); err != nil {
		t.Fatal(err)
	}
	_ = unlock()
	all.Wait()
	if told.Load() != machines {
		t.Errorf("%d of %d", told.Load(), machines)
	}
}

func TestOneOfManyClaimsAtOnceIsHad(t *testing.T) {
	f := kvtest.NewFake(t)
	mustStore(t, on(f), ann("1"))
	var inside, most atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, unlock, err := on(f).Lock(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			most.Store(max(most.Load(), inside.Add(1)))
			time.Sleep(5 * time.Millisecond)
			inside.Add(-1)
			_ = unlock()
		})
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d at once", most.Load())
	}
}
