package e2e

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/keyring/keyringtest"
)

// noSockets is a filter for seccomp(2), by which socket(AF_UNIX) is not permitted.
func noSockets() []byte {
	const (
		number, firstArgument = 0, 16 // of struct seccomp_data
		load, equals, result  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	)
	program := []unix.SockFilter{
		{Code: load, K: number},
		{Code: equals, K: unix.SYS_SOCKET, Jt: 0, Jf: 3},
		{Code: load, K: firstArgument},
		{Code: equals, K: unix.AF_UNIX, Jt: 0, Jf: 1},
		{Code: result, K: unix.SECCOMP_RET_ERRNO | uint32(syscall.EPERM)},
		{Code: result, K: unix.SECCOMP_RET_ALLOW},
	}
	var out bytes.Buffer
	_ = binary.Write(&out, binary.NativeEndian, program)
	return out.Bytes()
}

func TestASandboxWithoutSocketsAsksByWhatItInherits(t *testing.T) {
	t.Parallel()
	keyringtest.Need(t, "bwrap")
	m := grantHost(t, sandbox.Options{})
	dir := m.TempDir()
	m.write(dir+"/filter", 0o600, string(noSockets()))
	inside := func(args ...string) outcome {
		script := `exec bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs ` + m.home + ` --unshare-all --seccomp 9 9<` + dir + `/filter ` +
			`sh -c 'for i in 1 2 3; do cre-credential-helper get </dev/null & done; wait'`
		return m.run("", "cre-credential-helper", append(append([]string{"grant"}, args...), "--", "sh", "-c", script)...)
	}
	token := m.mustGet()
	if o := inside("--fd"); o.status != 0 || strings.Count(o.stdout, "password="+token+"\n") != 3 || strings.Count(o.stderr, "answered ") != 3 {
		t.Errorf("by the descriptor: %v", o)
	}
	if o := inside(); o.stdout != "" || !strings.Contains(o.stderr, "operation not permitted") {
		t.Errorf("by the socket: %v", o)
	}
}

func TestAGrantIsInherited(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	m.setenv("CRE_OFFICIAL_CLI=" + m.officialCLI())
	token := m.mustGet()
	under := func(script string) outcome {
		return m.run("", "cre-credential-helper", "grant", "--fd", "--", "sh", "-c", script)
	}
	for name, c := range map[string]struct{ script, stdout, stderr string }{
		"a get":              {"cre-credential-helper get </dev/null", "password=" + token, "answered " + m.platform.URL + " to user "},
		"cre":                {"HOME=" + m.TempDir() + " cre whoami", "email@domain.com", "sent a request to "},
		"the official CLI":   {"HOME=" + m.TempDir() + " cre workflow list", "workflows", throughUs},
		"other hosts":        {`echo '{"uri":"https://example.com"}' | cre-credential-helper get`, "", "not for https://example.com"},
		"store":              {"cre-credential-helper store </dev/null", "", "nothing on standard input"},
		"closed in between":  {"cre-credential-helper get </dev/null 3>&-", "", "a program in between has closed it"},
		"something else":     {"cre-credential-helper get </dev/null 3</dev/null", "", "a program in between has closed it"},
		"no number":          {"CRE_CREDENTIAL_FD=three cre-credential-helper get </dev/null", "", "takes the number of a descriptor"},
		"a stream":           {"CRE_CREDENTIAL_FD=0 cre-credential-helper get </dev/null", "", "takes the number of a descriptor"},
		"a grant in a grant": {"cre-credential-helper grant -- sh -c 'cre-credential-helper get </dev/null'", "password=" + token, `grant "sh" for`},
		"one that has ended": {`kill -9 $PPID; i=0; while kill -0 $PPID 2>/dev/null; do :; done; cre-credential-helper get </dev/null`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := under(c.script)
			if !strings.Contains(o.stdout, c.stdout) || !strings.Contains(o.stdout+o.stderr, c.stderr) || c.stdout == "" && o.stdout != "" {
				t.Errorf("%v", o)
			}
		})
	}
	if o := m.run("", "cre-credential-helper", "grant", "--fd"); o.status != statusUsage {
		t.Errorf("without a command: %v", o)
	}
	dir := m.runtimeDir()
	if err := os.RemoveAll(dir + "/cre-credential-grants"); err != nil { // what the killed one left
		t.Error(err)
	}
}

func (m *machine) runtimeDir() (dir string) {
	for _, pair := range m.env {
		if text, ok := strings.CutPrefix(pair, "XDG_RUNTIME_DIR="); ok {
			dir = text
		}
	}
	return dir
}
