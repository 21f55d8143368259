package e2e

import (
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestCommonFlagsAreTakenAfterEveryCommand is about those that the manual promises
// for all of cre's own commands.
func TestCommonFlagsAreTakenAfterEveryCommand(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, sandbox.Options{})
	m.logIn()
	m.setenv("GIT_CONFIG_GLOBAL=" + m.home + "/gitconfig")
	for _, command := range []string{
		"whoami", "session", "session status", "session list", "session token", "session grants", "session use email@domain.com",
		"setup git", "setup git --undo", "completion bash", "doctor port", "version",
	} {
		args := append(strings.Fields(command), "--quiet", "--non-interactive")
		if o := m.run("", "cre", args...); o.status == statusUsage || strings.Contains(o.stderr, "unknown flag") {
			t.Errorf("%s: %v", command, o)
		}
	}
	for command, want := range map[string]string{
		"doctor port --json":  `"check":"port"`,
		"session list --json": `"credentials":`,
		"session use " + firstAccount + " --account " + secondAccount: secondAccount,
	} {
		if o := m.run("", "cre", strings.Fields(command)...); !strings.Contains(strings.ReplaceAll(o.stdout+o.stderr, `": "`, `":"`), want) {
			t.Errorf("%s: %v", command, o)
		}
	}
}

// TestAMistypedVariableIsSaidWhereOneLooks for what doesn't work.
func TestAMistypedVariableIsSaidWhereOneLooks(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, sandbox.Options{})
	m.setenv("CRE_CREDENTIAL_STOR=file")
	for _, command := range []string{"session", "session list", "doctor environment", "whoami"} {
		o := m.run("", "cre", strings.Fields(command)...)
		if !strings.Contains(o.stdout+o.stderr, "nothing reads CRE_CREDENTIAL_STOR: did you mean CRE_CREDENTIAL_STORE?") {
			t.Errorf("%s: %v", command, o)
		}
	}
}
