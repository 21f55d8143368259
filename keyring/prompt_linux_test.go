package keyring_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"cre-credential-helper/keyring/keyringtest"
)

func TestPromptThatIsDismissedIsLocked(t *testing.T) {
	k := keyringtest.Start(t)
	lockWithItem(t, k)
	k.Prompt(t, true)
	play(t, "patient", k.Env(), k.Address).expect(t, "locked", 5*time.Second)
}

func TestPromptThatNobodyAnswersTimesOut(t *testing.T) {
	k := keyringtest.Start(t)
	lockWithItem(t, k)
	k.Prompt(t, false)
	play(t, "impatient", k.Env(), k.Address).expect(t, "timeout", 5*time.Second)
}

// TestWhatIsNotThereAsksNobody looks in a locked keychain, empty or not, for what
// it doesn't hold.
func TestWhatIsNotThereAsksNobody(t *testing.T) {
	for name, lock := range map[string]func(*testing.T, *keyringtest.Keyring){
		"empty":     func(t *testing.T, k *keyringtest.Keyring) { k.Lock(t) },
		"not":       lockWithItem,
		"restarted": func(t *testing.T, k *keyringtest.Keyring) { lockWithItem(t, k); k.RestartLocked(t) },
	} {
		t.Run(name, func(t *testing.T) {
			k := keyringtest.Start(t)
			lock(t, k)
			k.Prompt(t, false)
			messages, err := k.Messages(func() error {
				for _, role := range []string{"get other.", "erase other."} {
					out := play(t, role, k.Env(), k.Address)
					if state, _, _ := strings.Cut(out.text, " "); state != "not-found" || out.spent > 3*time.Second {
						t.Errorf("%s: %s in %v, want not-found", role, out.text, out.spent)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if i := slices.IndexFunc(messages, func(m *dbus.Message) bool {
				return slices.Contains([]string{"Unlock", "Prompt", "BeginPrompting"}, keyringtest.Member(m))
			}); i >= 0 {
				t.Errorf("%s was called", keyringtest.Member(messages[i]))
			}
			if name != "empty" { // what is there is worth a prompt
				if out := play(t, "impatient-get", k.Env(), k.Address); !strings.HasPrefix(out.text, "timeout") {
					t.Errorf("what is there: %s, want timeout", out.text)
				}
			}
		})
	}
}
