//go:build unix

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/provider"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/keyring/kernel"
	"cre-credential-helper/keyring/keyringtest"
)

// plainBin is the folder with the programs as people get them,
// and the sandbox, for tests that run very many of them: the race detector takes
// time and memory.
var plainBin = sync.OnceValues(func() (string, error) {
	if !raceDetector {
		return bin, nil
	}
	folder := filepath.Join(bin, "plain")
	for module, programs := range map[string][]string{repository: shipped, "..": {"."}} {
		cmd := exec.Command("go", append([]string{"build", "-o", folder + "/"}, programs...)...)
		cmd.Dir, cmd.Stderr = module, os.Stderr
		if err := cmd.Run(); err != nil {
			return "", err
		}
	}
	return folder, nil
})

// machine is a computer with a home, a platform, and a keychain or none.
type machine struct {
	*testing.T
	home     string
	bin      string // the programs' folder
	env      []string
	platform *sandbox.Server
	keychain *keyringtest.Keyring // nil: there is none
	kernel   bool                 // the session is in the kernel's keyring
}

// The places that a session can be in.
const (
	fileMode     = "file"
	keychainMode = "keychain"
	kernelMode   = "kernel"
)

// sessionEnded and notLoggedIn are what get says without a session.
const (
	notLoggedIn  = "you are not logged in, try running cre login"
	sessionEnded = "the session has ended, try running cre login"
)

// eachMode runs a test on a machine without a keychain and on one with a
// gnome-keyring.
func eachMode(t *testing.T, o sandbox.Options, test func(*machine)) {
	eachOf(t, o, []string{fileMode, keychainMode}, test)
}

// eachStore runs a test with the session in the kernel's keyring, too.
func eachStore(t *testing.T, o sandbox.Options, test func(*machine)) {
	eachOf(t, o, []string{fileMode, keychainMode, kernelMode}, test)
}

func eachOf(t *testing.T, o sandbox.Options, modes []string, test func(*machine)) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			test(newMachine(t, mode, o))
		})
	}
}

func newMachine(t *testing.T, mode string, o sandbox.Options) *machine {
	t.Helper()
	m := &machine{T: t, home: t.TempDir(), bin: bin, platform: startPlatform(t, o)}
	m.env = append(os.Environ(), "HOME="+m.home, "BROWSER=cre-sandbox browse", "DISPLAY=", "WAYLAND_DISPLAY=",
		"CRE_API_KEY=", "CRE_CREDENTIAL_STORE=")
	m.setenv(m.platform.Env()...)
	if mode != keychainMode {
		m.setenv("DBUS_SESSION_BUS_ADDRESS=" + noBus())
		if m.kernel = mode == kernelMode; m.kernel {
			keyringtest.NeedKernel(t)
			m.setenv("CRE_CREDENTIAL_STORE=kernel")
		}
		return m
	}
	m.keychain = keyringtest.Start(t)
	m.setenv(m.keychain.Env()...)
	return m
}

func startPlatform(t *testing.T, o sandbox.Options) *sandbox.Server {
	t.Helper()
	s, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// in is m in a subtest, with more variables.
func (m *machine) in(t *testing.T, variables ...string) *machine {
	sub := *m
	sub.T = t
	sub.env = append(slices.Clip(m.env), variables...)
	return &sub
}

// until waits for something that is about to happen.
func (m *machine) until(what string, happened func() bool) {
	m.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.Fatalf("it never happened that %s", what)
		}
	}
}

func (m *machine) setenv(variables ...string) { m.env = append(m.env, variables...) }

// usePlainPrograms makes m run the programs without the race detector.
func (m *machine) usePlainPrograms() {
	m.Helper()
	folder, err := plainBin()
	if err != nil {
		m.Fatal(err)
	}
	m.bin = folder
}

// outcome is what a program did.
type outcome struct {
	stdout, stderr string
	status         int // -1: a signal ended it
	took           time.Duration
	state          *os.ProcessState
}

func (o outcome) String() string {
	return fmt.Sprintf("exit status %d after %v, answer %q, messages %q", o.status, o.took, o.stdout, o.stderr)
}

// token is the access token of the answer in git's form.
func (o outcome) token() string {
	for line := range strings.Lines(o.stdout) {
		if token, ok := strings.CutPrefix(line, "password="); ok {
			return strings.TrimSpace(token)
		}
	}
	return ""
}

// command makes a program ready to run.
func (m *machine) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(m.bin, program), args...)
	cmd.Env = m.environ()
	return cmd
}

func (m *machine) environ() []string {
	return append(slices.Clip(m.env), "PATH="+m.bin+":"+bin+":"+os.Getenv("PATH"))
}

// run runs a program to its end. None may take longer than the longest wait for
// a lock and a save after it.
func (m *machine) run(stdin, program string, args ...string) outcome {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), 5*time.Minute)
	defer cancel()
	return m.finish(m.command(ctx, program, args...), stdin)
}

func (m *machine) finish(cmd *exec.Cmd, stdin string) outcome {
	m.Helper()
	return m.start(cmd, stdin)()
}

// start starts a program. It has ended when wait returns. A token on its
// standard error fails the test, whatever the program is.
func (m *machine) start(cmd *exec.Cmd, stdin string) (wait func() outcome) {
	m.Helper()
	var out, messages bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &messages
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		m.Fatal(err)
	}
	return func() outcome {
		_ = cmd.Wait() // the status says it all
		if token := tokenPattern.FindString(messages.String()); token != "" {
			m.Errorf("%q says %q", cmd.Args, token)
		}
		return outcome{out.String(), messages.String(), cmd.ProcessState.ExitCode(), time.Since(begin), cmd.ProcessState}
	}
}

// helper runs the credential helper with a request for the platform's origin.
func (m *machine) helper(op string, attributes ...string) outcome {
	m.Helper()
	return m.run(m.request(attributes...), "cre-credential-helper", op)
}

func (m *machine) request(attributes ...string) string {
	return "protocol=http\nhost=" + strings.TrimPrefix(m.platform.URL, "http://") + "\n" +
		strings.Join(append(attributes, "\n"), "\n")
}

// browserLogin runs cre login while nobody else does.
func (m *machine) browserLogin() outcome {
	m.Helper()
	callbackPort.Lock()
	defer callbackPort.Unlock()
	return m.run("", "cre", "login")
}

// get asks for the session, as a person or a script would, with an empty request.
func (m *machine) get() outcome {
	m.Helper()
	return m.run("", "cre-credential-helper", "get")
}

// newSession starts a session at the platform.
func (m *machine) newSession() provider.Session {
	m.Helper()
	s, err := m.platform.NewSession(m.Context())
	if err != nil {
		m.Fatal(err)
	}
	return s
}

// attributes are what cre login hands to the helper.
func (m *machine) attributes(s provider.Session) []string {
	return []string{
		"capability[]=authtype", "authtype=Bearer", "credential=" + s.Access,
		"username=email@domain.com",
		fmt.Sprintf("password_expiry_utc=%d", s.Expiry.Unix()),
		"oauth_refresh_token=" + s.Refresh, "oauth_id_token=" + s.ID,
		"oauth_token_endpoint=" + m.platform.URL + "/oauth/token",
		"oauth_revocation_endpoint=" + m.platform.URL + "/oauth/revoke",
		"oauth_client_id=cre-sandbox",
	}
}

// logIn starts a session and has the helper keep it, without a browser.
func (m *machine) logIn() provider.Session {
	m.Helper()
	s := m.newSession()
	if o := m.helper("store", m.attributes(s)...); o.status != 0 {
		m.Fatalf("store: %v", o)
	}
	return s
}

// expire reports the token as refused: the next get has to renew the session.
func (m *machine) expire(token string) {
	m.Helper()
	if o := m.helper("erase", "password="+token); o.status != 0 {
		m.Fatalf("erase of a refused token: %v", o)
	}
}

// mustGet returns the token that the platform takes.
func (m *machine) mustGet() string {
	m.Helper()
	o := m.get()
	if o.status != 0 || o.token() == "" {
		m.Fatalf("get: %v", o)
	}
	return o.token()
}

// files lists what is in the home, relative to it. What goes meanwhile isn't
// there.
func (m *machine) files() (names []string) {
	m.Helper()
	err := filepath.WalkDir(m.home, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(m.home, path)
		names = append(names, name)
		return err
	})
	if err != nil {
		m.Fatal(err)
	}
	return names
}

// items lists what is in the keychain; of the kernel's keyring, which all machines
// share, what can be this one's.
func (m *machine) items() []string {
	m.Helper()
	if m.kernel {
		return m.kernelItems()
	}
	if m.keychain == nil {
		return nil
	}
	return m.keychain.Items(m, "cre-credential-helper")
}

func (m *machine) kernelItems() (items []string) {
	for _, piece := range []string{"", "#a.0", "#b.0"} {
		if _, err := (kernel.Keys{}).Get("cre-credential-helper", m.platform.URL+piece); err == nil {
			items = append(items, m.platform.URL+piece)
		}
	}
	return items
}

func (m *machine) sessionFile() string { return filepath.Join(m.home, ".cre", "cre.yaml") }

// hasPlainText reports whether a token is in a file of the home.
func (m *machine) hasPlainText() bool {
	m.Helper()
	return slices.ContainsFunc(m.files(), func(name string) bool {
		data, err := os.ReadFile(filepath.Join(m.home, name))
		return err == nil && secretPattern.Match(withoutStandIns(data))
	})
}
