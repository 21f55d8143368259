package lookup

import (
	"errors"
	"testing"
	"time"
)

// TestATimeoutSaysHowLongItWaited, and is an ErrTimeout and an ErrLocked.
func TestATimeoutSaysHowLongItWaited(t *testing.T) {
	for after, want := range map[time.Duration]string{
		5*time.Second + 3*time.Millisecond: "the keychain did not answer within 5 s: unlock it and try again",
		time.Minute:                        "the keychain did not answer within 60 s: unlock it and try again",
		500 * time.Millisecond:             "the keychain did not answer within 0.5 s: unlock it and try again",
		0:                                  "the keychain did not answer in time: unlock it and try again",
	} {
		if err := TimedOut(after); err.Error() != want || !errors.Is(err, ErrTimeout) || !errors.Is(err, ErrLocked) {
			t.Errorf("%v: %v", after, err)
		}
	}
	for _, err := range []error{ErrRefused, ErrBus, ErrNoCollection, ErrLocked} {
		if errors.Is(err, ErrTimeout) || !errors.Is(err, ErrLocked) {
			t.Errorf("%v", err)
		}
	}
}
