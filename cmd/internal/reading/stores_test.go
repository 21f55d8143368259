package reading_test

import (
	"errors"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/helper"
)

func TestWordsThatNameAStore(t *testing.T) {
	for word, want := range map[string]reading.Mode{
		"": reading.Auto, "auto": reading.Auto, "keychain": reading.Keyring, "keyring": reading.Keyring, "file": reading.File,
		"kernel": "kernel", "docker-credential-pass": "docker-credential-pass", "docker-credential-1password-x": "docker-credential-1password-x",
	} {
		if got, err := reading.ParseMode(word); err != nil || got != want {
			t.Errorf("%q: %q, %v", word, got, err)
		}
	}
	for _, word := range []string{
		"kernel2", "Kernel", "docker-credential-", "docker-credential-cre", "docker-credential-Pass", "docker-credential-../x",
		"docker-credential--x", "docker-credential-a b", "pass", "docker-credential-" + strings.Repeat("x", 65), "environment",
	} {
		if got, err := reading.ParseMode(word); !errors.Is(err, reading.ErrMode) || !strings.Contains(err.Error(), "docker-credential-NAME") {
			t.Errorf("%q: %q, %v", word, got, err)
		}
	}
	if _, err := reading.ParseMode("kernal"); err == nil || !strings.Contains(err.Error(), `"kernal" (did you mean kernel?)`) {
		t.Errorf("%v", err)
	}
	if _, err := reading.ParsePlace("auto"); !errors.Is(err, reading.ErrMode) {
		t.Errorf("auto is no place: %v", err)
	}
}

func TestAPointerNamesItsStore(t *testing.T) {
	const at = "api.cre.chain.link"
	o := helper.Origin{Protocol: "https", Host: at}
	for entries, want := range map[string]string{
		"":                            "  []",
		"https://" + at:               "keychain  [keychain]",
		"kernel+https://a%40b@" + at:  "kernel  [kernel]",
		"future+https://apikey@" + at: " future [future]",
		"https://a@" + at + " kernel+https://apikey@" + at: "keychain kernel [keychain kernel]",
		"kernel+https://a@" + at + " https://a@" + at:      "kernel  [kernel keychain]", // a move that was broken off
		"kernel+https://other." + at:                       "  []",
		"kernel+http://" + at:                              "  []",
	} {
		p := reading.PointerAt(strings.Fields(entries), o)
		places := make([]string, 0, 2)
		for _, place := range p.Places() {
			places = append(places, string(place))
		}
		if got := string(p.In) + " " + string(p.KeyIn) + " [" + strings.Join(places, " ") + "]"; got != want {
			t.Errorf("%s: %s, want %s", entries, got, want)
		}
	}
}
