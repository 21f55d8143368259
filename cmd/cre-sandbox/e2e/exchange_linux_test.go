package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/official"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// withOfficial is a machine with a keychain and the stand-in of the official CLI.
func withOfficial(t *testing.T, o sandbox.Options) *machine {
	t.Helper()
	m := newMachine(t, keychainMode, o)
	m.useOwnPrograms()
	m.setenv("CRE_KEYRING_TIMEOUT=1m", "CRE_OFFICIAL_CLI="+m.officialCLI())
	return m
}

// officialCLI is the stand-in's path, in a folder of m's own.
func (m *machine) officialCLI() string {
	m.Helper()
	path := filepath.Join(m.TempDir(), "cre-official")
	if err := os.Symlink(filepath.Join(m.plain(), "cre-sandbox"), path); err != nil {
		m.Fatal(err)
	}
	return path
}

func (m *machine) plain() string {
	m.Helper()
	folder, err := plainBin()
	if err != nil {
		m.Fatal(err)
	}
	return folder
}

// official runs a command of the official CLI through our cre.
func (m *machine) official(args ...string) outcome {
	m.Helper()
	return m.run("", "cre", args...)
}

// paused is a command of the official CLI that waits, with all that it got.
type paused struct {
	pid     int // the official CLI's
	cre     int // ours
	release func()
	wait    func() outcome
}

// pause starts a command through our cre, and returns when the official CLI
// waits: a deploy between its two requests, any other command at its end.
func (m *machine) pause(args ...string) paused {
	m.Helper()
	file := filepath.Join(m.TempDir(), "pause")
	cmd := m.command(m.Context(), "cre", args...)
	cmd.Env = append(cmd.Env, official.VarPause+"="+file)
	p := paused{release: func() { _ = os.Remove(file) }}
	p.wait = m.start(cmd, "")
	m.Cleanup(func() { p.release(); _ = cmd.Process.Kill() })
	p.cre = cmd.Process.Pid
	m.until("the official CLI waits", func() bool {
		text, err := os.ReadFile(file)
		p.pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil && !isAlive(p.cre) {
			m.Fatalf("it has ended: %v", p.wait())
		}
		return err == nil
	})
	return p
}

// variable is one of a process's.
func variable(t *testing.T, pid int, name string) string {
	t.Helper()
	for _, line := range strings.Split(readFile(t, fmt.Sprintf("/proc/%d/environ", pid)), "\x00") {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	t.Fatalf("%d has no %s", pid, name)
	return ""
}

// address is where the exchange of a command listens.
func (p paused) address(t *testing.T) string {
	t.Helper()
	return variable(t, p.pid, "CRE_CLI_GRAPHQL_URL")
}

// isAlive is false of a process that has ended, also if nobody has taken note.
func isAlive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(text), ") ")
	return err == nil && !strings.HasPrefix(after, "Z") && !strings.HasPrefix(after, "X")
}

// standIn is the access token that cre.yaml shows the official CLI.
func (m *machine) standIn() string {
	m.Helper()
	for line := range strings.Lines(readFile(m.T, m.sessionFile())) {
		if token, ok := strings.CutPrefix(line, "AccessToken: "); ok {
			return strings.TrimSpace(token)
		}
	}
	m.Fatal("cre.yaml holds no stand-in")
	return ""
}

// TestTwentyCommandsRenewOnce have a token that the platform took a moment ago and
// doesn't take any more, and one that is about to expire.
func TestTwentyCommandsRenewOnce(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, slowRefresh)
	for what, due := range map[string]func(){
		"rejected":        func() { m.expire(m.logIn().Access) },
		"about to expire": func() { m.storeAged(10*time.Minute, time.Now().Add(2*time.Second)) },
	} {
		m.Run(what, func(t *testing.T) {
			m := m.in(t)
			due()
			before := m.platform.Stats()
			for _, o := range m.together(20, func() outcome { return m.official("workflow", "list") }) {
				if o.status != 0 || !strings.Contains(o.stdout, "0 workflows") {
					t.Errorf("workflow list: %v", o)
				}
			}
			s := m.platform.Stats()
			if s.Refreshes != before.Refreshes+1 || s.RefreshReuses != 0 || s.FamiliesRevoked != 0 || s.GraphQLRejected != before.GraphQLRejected {
				t.Errorf("the provider saw %+v, and before %+v", s, before)
			}
		})
	}
}

// TestADeployThatOutlivesItsToken takes longer than any token is good for.
func TestADeployThatOutlivesItsToken(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{DeployAccess: true, TokenLifetime: 8 * time.Second})
	s := m.logIn()
	file := readFile(t, m.sessionFile())
	if o := m.official("workflow", "deploy", "--takes", "9s"); o.status != 0 || !strings.Contains(o.stdout, "Workflow deployed") {
		t.Errorf("deploy: %v", o)
	}
	if m.takes(s.Access) {
		t.Error("the first token is still good")
	}
	if stats := m.platform.Stats(); stats.Refreshes == 0 || stats.RefreshReuses != 0 || stats.ArtifactCredentials != 0 {
		t.Errorf("the provider saw %+v", stats)
	}
	if now := readFile(t, m.sessionFile()); now != file {
		t.Errorf("cre.yaml became\n%s", now)
	}
}

// storeAged starts a session whose access token says that it was issued a while
// ago, which the platform doesn't take, because its signature no longer fits.
func (m *machine) storeAged(age time.Duration, expiry time.Time) {
	m.Helper()
	s := m.skewed(-age)
	s.Expiry = expiry
	if o := m.helper("store", m.attributes(s)...); o.status != 0 {
		m.Fatalf("store: %v", o)
	}
}
