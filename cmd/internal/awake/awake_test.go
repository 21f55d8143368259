package awake

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestATimeoutEndsAsTheContextsOwnDoes(t *testing.T) {
	for _, d := range []time.Duration{-time.Second, 0, 1, 7, time.Millisecond, 20 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			ctx, cancel := WithTimeout(t.Context(), d)
			defer cancel()
			<-ctx.Done()
			if took := time.Since(begin); took < d || took > max(d, ticks) || ctx.Err() != context.DeadlineExceeded || context.Cause(ctx) != context.DeadlineExceeded {
				t.Errorf("%v: error %v, cause %v after %v", d, ctx.Err(), context.Cause(ctx), took)
			}
		})
	}
}

func TestWhatEndsATimeoutEarly(t *testing.T) {
	boredom := errors.New("boredom")
	tests := []struct {
		name       string
		end        func(cancel, cancelParent func())
		err, cause error
	}{
		{"its own cancel", func(cancel, _ func()) { cancel() }, context.Canceled, context.Canceled},
		{"its own cancel, twice", func(cancel, _ func()) { cancel(); cancel() }, context.Canceled, context.Canceled},
		{"the parent's", func(_, parent func()) { parent(); synctest.Wait() }, context.Canceled, boredom},
		{"the parent's deadline", func(_, _ func()) { time.Sleep(5 * time.Second); synctest.Wait() }, context.DeadlineExceeded, context.DeadlineExceeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				parent, cancelParent := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancelParent()
				parent, cancelCause := context.WithCancelCause(parent)
				ctx, cancel := WithTimeout(parent, 20*time.Second)
				defer cancel()
				child, cancelChild := context.WithCancel(ctx)
				defer cancelChild()
				if ctx.Err() != nil || child.Err() != nil {
					t.Fatalf("ended before it began: %v, %v", ctx.Err(), child.Err())
				}
				tt.end(cancel, func() { cancelCause(boredom) })
				if ctx.Err() != tt.err || context.Cause(ctx) != tt.cause {
					t.Errorf("error %v, cause %v", ctx.Err(), context.Cause(ctx))
				}
				synctest.Wait()
				if child.Err() != tt.err {
					t.Errorf("the child's error is %v", child.Err())
				}
			})
		})
	}
}

func TestAChildSeesTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := WithTimeout(t.Context(), time.Second)
		defer cancel()
		child, cancelChild := context.WithTimeout(ctx, time.Hour)
		defer cancelChild()
		<-child.Done()
		if child.Err() != context.DeadlineExceeded {
			t.Errorf("error %v", child.Err())
		}
	})
}

func TestTheParentsDeadlineAndValuesShowThrough(t *testing.T) {
	type key struct{}
	ctx, cancel := WithTimeout(context.WithValue(t.Context(), key{}, "value"), time.Second)
	defer cancel()
	if _, known := ctx.Deadline(); known || ctx.Value(key{}) != "value" {
		t.Errorf("deadline known %v, value %v", known, ctx.Value(key{}))
	}
}

// TestNothingIsLeftAfterCancel fails in synctest, which panics when a bubble's
// goroutine outlives its test.
func TestNothingIsLeftAfterCancel(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		_, cancel := WithTimeout(context.Background(), 1<<62)
		cancel()
	})
}
