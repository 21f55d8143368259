package keyring

import (
	"strings"
	"testing"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/internal/layout"
)

func TestAccount(t *testing.T) {
	plain := map[string]string{
		"https://api.example.test":        "https://api.example.test",
		"https://api.example.test:8443/p": "https://api.example.test:8443/p",
		"http://[::1]:1":                  "http://[::1]:1",
	}
	for rawURL, want := range plain {
		o, err := helper.ParseOrigin(rawURL)
		if err != nil {
			t.Fatal(err)
		}
		if got := account(o); got != want {
			t.Errorf("%s is kept as %s", rawURL, got)
		}
	}
	seen := map[string]string{}
	for _, path := range []string{"Upper", "UPPER", "a b", "a#a.0", "ä", "\xff", "'quoted'", "$(x)", strings.Repeat("x", 300)} {
		name := account(helper.Origin{Protocol: "https", Host: "h", Path: path})
		if !strings.HasPrefix(name, "sha256:") || len(name) != len("sha256:")+64 || seen[name] != "" {
			t.Errorf("path %q is kept as %s", path, name)
		}
		seen[name] = path
	}
}

func TestHeadFitsTheLeastLimit(t *testing.T) {
	value, err := document{Generation: "a", Pieces: layout.MaxPieces, SHA256: checksum("")}.Encode()
	if err != nil || len(value) > minLimit {
		t.Errorf("a head takes %d bytes, error %v", len(value), err)
	}
}

func TestPlatformLimit(t *testing.T) {
	for goos, want := range map[string]int{"windows": 2560, "darwin": 2700, "linux": unlimited, "freebsd": unlimited} {
		if got := platformLimit(goos); got != want {
			t.Errorf("%s: %d", goos, got)
		}
	}
	// What go-keyring makes of an item for macOS' security, at its largest.
	line := "add-generic-password -U -s '" + strings.Repeat("s", 200) + "' -a '" + strings.Repeat("a", 200+len("#a.1023")) + "' -w 'go-keyring-base64:'\n"
	if n := len(line) + (limitDarwin+2)/3*4; n > 4096 {
		t.Errorf("a command line of %d bytes", n)
	}
}
