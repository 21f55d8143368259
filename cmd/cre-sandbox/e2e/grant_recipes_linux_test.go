package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/keyring/keyringtest"
)

// shortDir is a folder whose path leaves room for a socket's.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "cre-socket-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestSystemdStartsAGrantForEachQuestion by socket activation, which is what
// docs/systemd asks for.
func TestSystemdStartsAGrantForEachQuestion(t *testing.T) {
	t.Parallel()
	keyringtest.Need(t, "systemd-socket-activate")
	activate, _ := exec.LookPath("systemd-socket-activate")
	m := grantHost(t, sandbox.Options{})
	token := m.mustGet()
	socket := shortDir(t) + "/s"
	cmd := m.command(t.Context(), "x")
	cmd.Path, cmd.Err = activate, nil
	cmd.Args = []string{"systemd-socket-activate", "--accept", "--inetd", "-l", socket}
	for _, pair := range cmd.Env { // it hands on what it is told to
		name, _, _ := strings.Cut(pair, "=")
		cmd.Args = append(cmd.Args, "-E", name)
	}
	said := new(safeBuffer)
	cmd.Args = append(cmd.Args, filepath.Join(m.bin, "cre-credential-helper"), "grant", "--stdio", "--name", "systemd")
	cmd.Stdout, cmd.Stderr = said, said
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	m.until("systemd listens", func() bool { _, err := os.Lstat(socket); return err == nil })
	c := m.consumer(socket)
	for range 2 {
		if o := c.get(); o.status != 0 || o.token() != token {
			t.Fatalf("%v, %s", o, said)
		}
	}
	if o := c.run("protocol=https\nhost=example.com\n", "cre-credential-helper", "get"); o.stdout != "" || !strings.Contains(o.stderr, "not for https://example.com") {
		t.Errorf("another host: %v", o)
	}
	m.until("the use is logged", func() bool { return strings.Contains(said.String(), "answered "+m.platform.URL) })
	if tokenPattern.MatchString(said.String()) {
		t.Errorf("%s", said)
	}
}

// TestAGetDoesNotAnswerAConnection that somebody has accepted for it, and answers
// the ends of a pair, by which some programs talk to those that they start.
func TestAGetDoesNotAnswerAConnection(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours := os.NewFile(uintptr(pair[0]), "pair"), os.NewFile(uintptr(pair[1]), "pair")
	defer ours.Close()
	if _, err := io.WriteString(ours, m.request()+"\n\n"); err != nil {
		t.Fatal(err)
	}
	ask := func(in *os.File, args ...string) outcome {
		defer in.Close()
		cmd := m.command(t.Context(), "cre-credential-helper", args...)
		var out, said strings.Builder
		cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &said
		_ = cmd.Run()
		return outcome{stdout: out.String(), stderr: said.String(), status: cmd.ProcessState.ExitCode()}
	}
	if o := ask(theirs, "get"); o.status != 0 || o.token() == "" {
		t.Errorf("a pair: %v", o)
	}
	for network, address := range map[string]string{"unix": shortDir(t) + "/s", "tcp": "127.0.0.1:0"} {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		accept := func() *os.File {
			conn, err := net.Dial(network, l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			if _, err := io.WriteString(conn, m.request()+"\n\n"); err != nil {
				t.Fatal(err)
			}
			accepted, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer accepted.Close()
			file, err := accepted.(interface{ File() (*os.File, error) }).File()
			if err != nil {
				t.Fatal(err)
			}
			return file
		}
		if o := ask(accept(), "get"); o.status != statusUsage || o.stdout != "" || !strings.Contains(o.stderr, "grant --stdio") {
			t.Errorf("%s: %v", network, o)
		}
		if network == "tcp" {
			if o := ask(accept(), "grant", "--stdio"); o.status != statusUsage || o.stdout != "" || !strings.Contains(o.stderr, "no connection to a Unix socket") {
				t.Errorf("--stdio over %s: %v", network, o)
			}
		}
	}
	if o := m.run(m.request(), "cre-credential-helper", "grant", "--stdio"); o.status != statusUsage || o.stdout != "" {
		t.Errorf("--stdio on a pipe: %v", o)
	}
}

// TestASandboxAsksThroughAGrant is the recipe for bwrap.
func TestASandboxAsksThroughAGrant(t *testing.T) {
	t.Parallel()
	keyringtest.Need(t, "bwrap")
	m := grantHost(t, sandbox.Options{})
	o := m.run("", "cre-credential-helper", "grant", "--", "sh", "-c", `
		exec bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs /home --tmpfs `+m.home+` --unshare-all \
			--bind "$CRE_CREDENTIAL_SOCKET" "$CRE_CREDENTIAL_SOCKET" cre-credential-helper get </dev/null`)
	if o.status != 0 || o.token() != m.mustGet() {
		t.Errorf("%v", o)
	}
}

// TestAUserNamespaceAsksThroughAGrant as rootless podman's containers do: root
// there is this user.
func TestAUserNamespaceAsksThroughAGrant(t *testing.T) {
	t.Parallel()
	keyringtest.Need(t, "unshare")
	m := grantHost(t, sandbox.Options{})
	o := m.run("", "cre-credential-helper", "grant", "--", "sh", "-c", `
		exec unshare --user --map-root-user --mount --net --pid --fork sh -c '
			mount -t tmpfs none /mnt && touch /mnt/cre.sock && mount --bind "$CRE_CREDENTIAL_SOCKET" /mnt/cre.sock &&
			CRE_CREDENTIAL_SOCKET=/mnt/cre.sock HOME=/nowhere exec cre-credential-helper get </dev/null'`)
	if o.status != 0 || o.token() != m.mustGet() {
		t.Errorf("%v", o)
	}
}

// TestAnotherMachineAsksThroughSSH is the recipe for ssh, with a server on this
// machine.
func TestAnotherMachineAsksThroughSSH(t *testing.T) {
	t.Parallel()
	const sshd = "/usr/sbin/sshd" // which wants its whole path
	keyringtest.Need(t, sshd, "ssh", "ssh-keygen")
	m := grantHost(t, sandbox.Options{})
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := shortDir(t)
	for _, key := range []string{"host", "mine"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir+"/"+key).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	m.write(dir+"/authorized", 0o600, readFile(t, dir+"/mine.pub"))
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m.write(dir+"/request", 0o600, m.request()+"\n") // the other machine doesn't know this platform
	port := freePort(t)
	m.write(dir+"/config", 0o600, fmt.Sprintf(`ListenAddress 127.0.0.1:%d
HostKey %[2]s/host
AuthorizedKeysFile %[2]s/authorized
PidFile none
UsePAM no
StrictModes no
StreamLocalBindUnlink yes
`, port, dir))
	server := exec.Command(sshd, "-D", "-e", "-f", dir+"/config")
	said := new(safeBuffer)
	server.Stderr = said
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	m.until("sshd listens", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	for round := range 2 { // the second finds the first one's file
		o := m.run("", "cre-credential-helper", "grant", "--name", "ssh", "--", "sh", "-c", fmt.Sprintf(`
			exec ssh -F none -p %[1]d -i %[2]s/mine -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
				-R %[2]s/remote.sock:"$CRE_CREDENTIAL_SOCKET" %[3]s@127.0.0.1 \
				"HOME=/nowhere CRE_CREDENTIAL_SOCKET=%[2]s/remote.sock %[4]s/cre-credential-helper get <%[2]s/request"`,
			port, dir, me.Username, m.bin))
		if o.status != 0 || o.token() == "" || !strings.Contains(o.stderr, "(ssh)") {
			t.Errorf("round %d: %v, %s", round, o, said)
		}
	}
}

// freePort is one that nobody had a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestAKeychainThatIsLockedMeanwhileIsSaidThroughAGrant(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.setenv("XDG_RUNTIME_DIR="+shortDir(t), "CRE_CREDENTIAL_SOCKET=")
	m.logIn()
	c := m.consumer(m.startGrant().socket)
	if o := c.get(); o.status != 0 || o.token() == "" {
		t.Fatalf("%v", o)
	}
	m.keychain.Lock(t)
	if o := c.get(); o.status != statusLocked || o.stdout != "" || !strings.Contains(o.stderr, "locked") && !strings.Contains(o.stderr, "did not answer") {
		t.Errorf("%v", o)
	}
}

func TestOtherHostsAreGrantedByTheirNamesAlone(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.setenv("XDG_RUNTIME_DIR="+shortDir(t), "CRE_CREDENTIAL_SOCKET=")
	const git, other = "protocol=https\nhost=git.example.com\n", "protocol=https\nhost=other.example.com\n"
	for request, program := range map[string]string{
		git + "username=me\npassword=for git\n":                                                "git-credential-cre",
		other + "username=me\npassword=for nobody\n":                                           "git-credential-cre",
		`{"ServerURL":"registry.example.com","Username":"me","Secret":"for docker"}`:           "docker-credential-cre",
		`{"ServerURL":"https://git.example.com","Username":"docker","Secret":"docker at git"}`: "docker-credential-cre",
	} {
		if o := m.run(request, program, "store"); o.status != 0 {
			t.Fatalf("%v", o)
		}
	}
	c := m.consumer(m.startGrant("--origin", "https://git.example.com", "--origin", "https://registry.example.com").socket)
	for name, c := range map[string]struct{ got, want string }{
		"git":              {c.run(git, "git-credential-cre", "get").stdout, "username=me\npassword=for git\n"},
		"git, ephemeral":   {c.run("capability[]=authtype\n"+git, "git-credential-cre", "get").stdout, "username=me\npassword=for git\n"},
		"docker":           {c.run("registry.example.com", "docker-credential-cre", "get").stdout, `{"ServerURL":"registry.example.com","Username":"me","Secret":"for docker"}` + "\n"},
		"docker at git":    {c.run("https://git.example.com/v2/", "docker-credential-cre", "get").stdout, `{"ServerURL":"https://git.example.com/v2/","Username":"docker","Secret":"docker at git"}` + "\n"},
		"Bazel":            {c.run(`{"uri":"https://git.example.com/a"}`, "cre-credential-helper", "get").stdout, `{"headers":{"Authorization":["Basic bWU6Zm9yIGdpdA=="]}}` + "\n"},
		"one not named":    {c.run(other, "git-credential-cre", "get").stdout, ""},
		"git at docker's":  {c.run("protocol=https\nhost=registry.example.com\n", "git-credential-cre", "get").stdout, ""},
		"docker, no entry": {c.run("https://other.example.com", "docker-credential-cre", "get").stdout, "credentials not found in native keychain\n"},
		"the session":      {c.get().stdout, ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
}
