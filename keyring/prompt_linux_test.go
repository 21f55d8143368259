package keyring_test

import (
	"testing"
	"time"

	"cre-credential-helper/keyring/keyringtest"
)

func TestPromptThatIsDismissedIsLocked(t *testing.T) {
	k := keyringtest.Start(t)
	k.Lock(t)
	k.Prompt(t, true)
	play(t, "patient", k.Env(), k.Address).expect(t, "locked", 5*time.Second)
}

func TestPromptThatNobodyAnswersTimesOut(t *testing.T) {
	k := keyringtest.Start(t)
	k.Lock(t)
	k.Prompt(t, false)
	play(t, "impatient", k.Env(), k.Address).expect(t, "timeout", 5*time.Second)
}
