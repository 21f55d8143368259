package reading_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/reading"
)

func TestSuggestedCommandsCanBePasted(t *testing.T) {
	for username, want := range map[string][2]string{
		"ann@domain.com": {"cre session use ann@domain.com", "cre login --account ann@domain.com"},
		"o'brien@x":      {`cre session use 'o'\''brien@x'`, `cre login --account 'o'\''brien@x'`},
		"$(id)":          {"cre session use '$(id)'", "cre login --account '$(id)'"},
		"auth0|1; id":    {"cre session use 'auth0|1; id'", "cre login --account 'auth0|1; id'"},
		"-a@x":           {"cre session use -- -a@x", "cre login --account=-a@x"},
		"--all":          {"cre session use -- --all", "cre login --account=--all"},
		"a\x1b[31m@x":    {"cre session use EMAIL", "cre login"},
		"a\nb@x":         {"cre session use EMAIL", "cre login"},
		"a\u202e@x":      {"cre session use EMAIL", "cre login"},
		"":               {"cre session use EMAIL", "cre login"},
	} {
		got := [2]string{reading.UseCommand(username), reading.LoginCommand(username)}
		if got != want {
			t.Errorf("%q: %q", username, got)
		}
		if sh, err := exec.LookPath("sh"); err == nil && want[1] != "cre login" {
			out, err := exec.Command(sh, "-c", "cre() { printf '%s\n' \"$@\"; }; "+got[0]).Output()
			if words := strings.Fields(string(out)); err != nil || !slices.Equal(words[:2], []string{"session", "use"}) || !strings.HasSuffix(string(out), "\n"+username+"\n") {
				t.Errorf("%s came out as %q, %v", got[0], out, err)
			}
		}
	}
	if got := reading.UseCommand("a@x", "b\t@x", "-c@x"); got != "cre session use -- a@x or -c@x" {
		t.Error(got)
	}
}
