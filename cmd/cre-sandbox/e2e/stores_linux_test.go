package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/keyring/kernel"
	"cre-credential-helper/keyring/keyringtest"
)

const passStore = "docker-credential-pass"

// usePass gives m a GnuPG key and a password store.
func (m *machine) usePass() {
	m.Helper()
	keyringtest.Need(m, passStore, "pass", "gpg")
	home, err := os.MkdirTemp("", "cre-gpg") // its agent's socket needs a short path
	if err != nil {
		m.Fatal(err)
	}
	m.setenv("GNUPGHOME=" + home)
	m.Cleanup(func() {
		m.runPlain("gpgconf", "--kill", "all")
		_ = os.RemoveAll(home)
	})
	m.runPlain("gpg", "--batch", "--passphrase", "", "--quick-gen-key", "cre-test", "default", "default", "never")
	m.runPlain("pass", "init", "cre-test")
}

// runPlain runs a program that is none of ours.
func (m *machine) runPlain(name string, args ...string) {
	m.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = m.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		m.Fatalf("%s: %v: %s", name, err, out)
	}
}

// TestALoginToAStore from the login to the logout, as a person does it, with the
// variable set at the login alone.
func TestALoginToAStore(t *testing.T) {
	for store, called := range map[string]string{
		"kernel":  "the kernel's keyring: it is gone when the machine restarts, or when it hasn't been used for three days",
		passStore: passStore,
	} {
		t.Run(store, func(t *testing.T) {
			m := newMachine(t, fileMode, sandbox.Options{})
			if store == passStore {
				m.usePass()
			} else {
				keyringtest.NeedKernel(t)
			}
			with := m.in(t, "CRE_CREDENTIAL_STORE="+store)
			m.expectOutcome(with.run("", "cre", "login"), 0, "The session is in "+called+".", "!plain")
			m.expectOutcome(m.run("", "cre", "session"), 0, called)
			m.expectOutcome(m.run("", "cre", "whoami"), 0, "Email")
			m.mustGet()
			if m.hasPlainText() {
				t.Errorf("tokens in the files %q", m.files())
			}
			m.expire(m.mustGet())
			m.mustGet()
			m.expectOutcome(m.run("", "cre", "session", "move", "--to", "file"), 0, "The session is in cre.yaml, in plain text")
			m.expectOutcome(m.run("", "cre", "session", "move", "--to", store), 0, "The session is in "+called)
			if stats := m.platform.Stats(); m.hasPlainText() || stats.Refreshes != 1 || stats.LiveFamilies != 1 {
				t.Errorf("files %q, the provider saw %+v", m.files(), stats)
			}
			m.expectOutcome(m.run("", "cre", "logout"), 0, "Logged out")
			if stats := m.platform.Stats(); stats.LiveFamilies != 0 || len(m.kernelItems()) > 0 {
				t.Errorf("left: %q, the provider saw %+v", m.kernelItems(), stats)
			}
			m.expectOutcome(m.run("", "cre", "whoami"), 1, notLoggedIn)
		})
	}
}

// TestTwoHomesRenewOneSessionInTheKernelOnce: the lock is found by the user's number,
// whatever their HOME is.
func TestTwoHomesRenewOneSessionInTheKernelOnce(t *testing.T) {
	t.Parallel()
	twoHomesRenewOnce(t, kernelMode)
}

// TestASessionThatIsGoneWithTheKernelsMemoryIsSaidToBe, as after a restart.
func TestASessionThatIsGoneWithTheKernelsMemoryIsSaidToBe(t *testing.T) {
	m := newMachine(t, kernelMode, sandbox.Options{})
	m.logIn()
	if err := (kernel.Keys{}).Delete("cre-credential-helper", m.platform.URL); err != nil {
		t.Fatal(err)
	}
	const says = "try running cre login; the session was in the kernel's keyring: it is gone when the machine restarts"
	m.expectOutcome(m.run("", "cre", "whoami"), 1, notLoggedIn)
	m.expectOutcome(m.run("", "cre", "session"), 1, says)
	m.expectOutcome(m.get(), 1, says)
	s := m.logIn()
	if m.mustGet() != s.Access {
		t.Error("another session answers")
	}
}

// TestAStoreThatIsNotThereIsSaidBeforeTheBrowser.
func TestAStoreThatIsNotThereIsSaidBeforeTheBrowser(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	for variable, says := range map[string]string{
		"CRE_CREDENTIAL_STORE=docker-credential-nowhere": "docker-credential-nowhere is not on PATH",
		"CRE_CREDENTIAL_STORE=docker-credential-cre":     "unknown credential store",
		"CRE_CREDENTIAL_STORE=kernal":                    "unknown credential store",
	} {
		o := m.in(t, variable).run("", "cre", "login")
		if o.status == 0 || !strings.Contains(o.stderr, says) {
			t.Errorf("%s: %v", variable, o)
		}
	}
	if stats := m.platform.Stats(); stats.Authorizations != 0 || len(m.files()) > 0 {
		t.Errorf("files %q, the provider saw %+v", m.files(), stats)
	}
}

// TestAStoresProgramLearnsNoSecretButItsOwn: by its arguments none, by its environment
// none of ours.
func TestAStoresProgramLearnsNoSecretButItsOwn(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	dir := t.TempDir()
	script := `#!/bin/sh
printf '%s\n' "$*" >>` + dir + `/args
env >>` + dir + `/env
case $1 in
store) cat >` + dir + `/kept ;;
get) cat >/dev/null; [ -e ` + dir + `/kept ] && exec cat ` + dir + `/kept; echo 'credentials not found in native keychain'; exit 1 ;;
esac
`
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-spy"), []byte(script), 0o755); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	spied := m.in(t, "CRE_CREDENTIAL_STORE=docker-credential-spy", "CRE_API_KEY=the-secret-key", "CRE_X_TOKEN=the-secret-token")
	path := spied.environ()
	cmd := exec.Command(filepath.Join(m.bin, "cre-credential-helper"), "check")
	cmd.Env = append(path, "PATH="+dir+":"+os.Getenv("PATH")+":"+m.bin)
	cmd.Stdin = strings.NewReader(m.request())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	all, err := os.ReadFile(filepath.Join(dir, "env"))
	if err != nil || strings.Contains(string(all), "the-secret") || strings.Contains(string(all), "CRE_") {
		t.Errorf("%v: %s", err, all)
	}
	args, err := os.ReadFile(filepath.Join(dir, "args"))
	if err != nil || !strings.Contains(string(args), "store\n") || strings.Trim(string(args), "storegaw\n") != "" {
		t.Errorf("%v: %s", err, args)
	}
}

// TestAKeyThatSystemdHasEncrypted is no text on the disk, and works where systemd has
// decrypted it for a service. The machine's key is the test's own.
func TestAKeyThatSystemdHasEncrypted(t *testing.T) {
	keyringtest.Need(t, "systemd-creds")
	m := newMachine(t, fileMode, sandbox.Options{})
	dir := t.TempDir()
	m.setenv("SYSTEMD_CREDENTIAL_SECRET="+filepath.Join(dir, "secret"), "CREDENTIALS_DIRECTORY="+dir)
	key, encrypted := filepath.Join(dir, "api-key.txt"), filepath.Join(dir, "api-key.cred")
	if err := os.WriteFile(key, []byte("sandbox-api-key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.runPlain("systemd-creds", "encrypt", "--with-key=host", "--name=cre-api-key", key, encrypted)
	if text, err := os.ReadFile(encrypted); err != nil || strings.Contains(string(text), "sandbox-api-key") {
		t.Errorf("%v: %s", err, text)
	}
	m.expectOutcome(m.run("", "cre", "whoami"), 1, notLoggedIn)
	m.runPlain("systemd-creds", "decrypt", "--name=cre-api-key", encrypted, filepath.Join(dir, "cre-api-key"))
	if err := os.Chmod(filepath.Join(dir, "cre-api-key"), 0o400); err != nil {
		t.Fatal(err)
	}
	m.expectOutcome(m.run("", "cre", "whoami"), 0, "Deploy Access:   Enabled")
}
