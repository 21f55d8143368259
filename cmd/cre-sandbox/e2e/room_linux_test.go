package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/keyring/keyringtest"
)

// noRoom are shell scripts that run a command where .cre takes no writes. A
// limit on the size of files stands in for a quota: the write fails half-way.
var noRoom = map[string]string{
	"disk full": `
		cp -a "$HOME/.cre" "$HOME/copy"
		mount -t tmpfs -o size=64k,mode=700 none "$HOME/.cre"
		cp -a "$HOME/copy/." "$HOME/.cre"
		cat /dev/zero >"$HOME/.cre/filler" 2>/dev/null || true
		"$@" || status=$?
		cmp "$HOME/copy/cre.yaml" "$HOME/.cre/cre.yaml"
		exit $status`,
	"read-only folder": `
		mount --bind "$HOME/.cre" "$HOME/.cre"
		mount -o remount,bind,ro "$HOME/.cre"
		exec "$@"`,
	"quota": `ulimit -f 1; exec "$@"`,
}

// TestNoRoomLeavesTheOldSession finds no room in .cre: the error names the folder, the
// refresh token isn't spent, and the session stays what it was. A session in the
// keychain needs no room there, but its lock, which is a file, can't be had in a
// read-only folder.
func TestNoRoomLeavesTheOldSession(t *testing.T) {
	t.Parallel()
	for name, script := range noRoom {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := mountNamespace(t)
			eachMode(t, sandbox.Options{}, func(m *machine) {
				m.expire(m.logIn().Access)
				old := readFile(t, m.sessionFile())
				run := func(op, stdin string) outcome {
					return m.finish(m.elsewhere(namespace, script, "cre-credential-helper", op), stdin)
				}
				if m.keychain != nil && name != "read-only folder" {
					if o := run("get", ""); o.status != 0 || m.mustGet() != o.token() {
						m.Errorf("get: %v", o)
					}
				} else {
					m.refusesToWrite("get", old, run("get", ""))
				}
				if m.keychain == nil {
					m.refusesToWrite("store", old, run("store", m.request(m.attributes(m.newSession())...)))
				}
				m.mustGet()
				if s := m.platform.Stats(); s.Refreshes != 1 || s.RefreshReuses != 0 {
					m.Errorf("the provider saw %+v", s)
				}
			})
		})
	}
}

// elsewhere is a command that runs a program in a shell script, where mounts
// are the script's own.
func (m *machine) elsewhere(namespace []string, script, program string, args ...string) *exec.Cmd {
	all := append(slices.Clip(namespace), "sh", "-euc", "status=0\n"+script, "sh", filepath.Join(m.bin, program))
	cmd := exec.CommandContext(m.Context(), all[0], append(all[1:], args...)...)
	cmd.Env = m.environ()
	return cmd
}

// refusesToWrite fails unless an operation has failed because of .cre, and left
// cre.yaml as it was.
func (m *machine) refusesToWrite(op, old string, o outcome) {
	m.Helper()
	if o.status != 1 || o.stdout != "" || !strings.Contains(o.stderr, m.home+"/.cre") || strings.Contains(o.stderr, "is kept") {
		m.Errorf("%s: %v", op, o)
	}
	if now := readFile(m.T, m.sessionFile()); now != old {
		m.Errorf("%s: cre.yaml became\n%s", op, now)
	}
}

// mountNamespace is a command that runs another where mounts are its own.
func mountNamespace(t *testing.T) []string {
	t.Helper()
	keyringtest.Need(t, "unshare", "mount")
	for _, flags := range []string{"-m", "-rm"} { // root may, and others as root of their own
		if exec.Command("unshare", flags, "true").Run() == nil {
			return []string{"unshare", flags}
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("mount namespaces are not permitted here, and in CI no test may be left out")
	}
	t.Skip("left out: mount namespaces are not permitted here")
	return nil
}
