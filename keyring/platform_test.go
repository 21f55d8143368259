package keyring_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	zalando "github.com/zalando/go-keyring"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// unsupported is go-keyring on a platform that it has nothing for, as FreeBSD
// without cgo.
type unsupported struct{}

func (unsupported) Get(string, string) (string, error) { return "", zalando.ErrUnsupportedPlatform }
func (unsupported) Set(string, string, string) error   { return zalando.ErrUnsupportedPlatform }
func (unsupported) Delete(string, string) error        { return zalando.ErrUnsupportedPlatform }

func TestAPlatformWithoutAKeychainIsNamed(t *testing.T) {
	store := keyring.New(keyring.Options{Backend: unsupported{}})
	err := store.Check(t.Context(), helper.Origin{Protocol: "https", Host: "api.example.test"})
	if !errors.Is(err, keyring.ErrUnavailable) {
		t.Fatalf("%v, want ErrUnavailable", err)
	}
	if text := err.Error(); !strings.Contains(text, runtime.GOOS) || strings.Contains(text, "gnome-keyring") {
		t.Errorf("no help for whoever uses such a platform: %q", text)
	}
}
