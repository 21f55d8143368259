package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/keyring/keyringtest"
)

// withMode is a system call that makes something or changes its mode, as strace
// writes it: the call, the path, the flags of an open, and the mode.
var withMode = regexp.MustCompile(`\b(openat|open|creat|mkdirat|mkdir|mknodat|mknod|fchmodat2?|chmod)\((?:AT_FDCWD, )?"([^"]+)", (?:([A-Z_|]*O_CREAT[A-Z_|]*), )?(0[0-7]+)\b`)

// TestFilesArePrivateFromTheirFirstByte watches the system calls of a login and
// a logout under a umask that hides nothing.
func TestFilesArePrivateFromTheirFirstByte(t *testing.T) {
	keyringtest.Need(t, "strace")
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("only root's strace sees into programs that close their memory, and in CI no test may be left out")
		}
		t.Skip("left out: only root's strace sees into programs that close their memory")
	}
	m := newMachine(t, fileMode, sandbox.Options{})
	log := filepath.Join(t.TempDir(), "log")
	callbackPort.Lock()
	cmd := exec.CommandContext(t.Context(), "strace", "-f", "-qq", "-e", "trace=%file", "-o", log, "sh", "-c", "umask 0; cre login && cre logout")
	cmd.Env = m.environ()
	o := m.finish(cmd, "")
	callbackPort.Unlock()
	if o.status != 0 {
		t.Fatal(o)
	}
	seen := map[string]int{}
	for _, call := range withMode.FindAllStringSubmatch(readFile(t, log), -1) {
		name, found := strings.CutPrefix(call[2], m.home+"/")
		if !found {
			continue
		}
		want := "0600"
		if name == ".cre" {
			want = "0700"
		}
		if call[4] != want || strings.Contains(name, ".tmp-") && call[3] != "" && !strings.Contains(call[3], "O_EXCL") {
			t.Errorf("%s of %s with the flags %q and the mode %s", call[1], name, call[3], call[4])
		}
		seen[strings.TrimRight(name, "0123456789")]++
	}
	for _, name := range []string{".cre", ".cre/cre.lock", ".cre/.tmp-cre.yaml", ".cre/.tmp-context.yaml"} {
		if seen[name] == 0 {
			t.Errorf("nothing was seen of %s", name)
		}
	}
}
