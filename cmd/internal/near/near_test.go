package near

import (
	"strings"
	"testing"
)

func TestBest(t *testing.T) {
	known := []string{"whoami", "login", "logout", "CRE_API_KEY", "CRE_API_KEY_FILE", "json"}
	for word, want := range map[string]string{
		"whomai": "whoami", "Whoami": "whoami", "lgoin": "login", "logn": "login", "jsn": "json", "CRE_APIKEY": "CRE_API_KEY",
		"CRE_API_KEY": "", "CRE_API_KEYS": "CRE_API_KEY", "login": "", "": "", "x": "", "frobnicate": "", "js": "",
		strings.Repeat("login", 1000): "",
	} {
		if got := Best(word, known); got != want {
			t.Errorf("%.20s: %q, want %q", word, got, want)
		}
	}
}
