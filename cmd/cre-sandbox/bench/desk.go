//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"cre-credential-helper/keyring/keyringtest"
)

// The names under which each program finds the token.
const (
	origin        = "https://api.cre.chain.link" // CRE's production, which needs no setting
	gitOrigin     = "https://libsecret.example.test"
	libsecretItem = "xdg:schema org.gnome.keyring.NetworkPassword protocol https server libsecret.example.test user " + username
	dockerServer  = "https://docker.example.test/v1/"
	service       = "bench" // of the item that secret-tool, go-keyring and the floor read
	username      = "someone@example.test"
)

// desk is a person's machine: a home and, unless it is nil, a keychain, with
// the token stored for every program.
type desk struct {
	bin     string // the folder of the programs that were built
	home    string
	keyring *keyringtest.Keyring
	token   string
	kernel  bool // the session is in the kernel's keyring, at an origin of its own
}

// newDesk makes one whose keychain holds n items of others' besides.
func newDesk(bin, dir string, n int, token string) (*desk, error) {
	k, err := keyringtest.OpenFilled(n)
	if err != nil {
		return nil, err
	}
	d := &desk{bin: bin, home: filepath.Join(dir, fmt.Sprintf("home-%d", n)), keyring: k, token: token}
	if err := d.stock(); err != nil {
		k.Close()
		return nil, err
	}
	return d, nil
}

// newFileDesk makes one without a keychain: the session is in cre.yaml.
func newFileDesk(bin, dir, token string) (*desk, error) {
	return newPlainDesk(&desk{bin: bin, home: filepath.Join(dir, "home-file"), token: token})
}

// newKernelDesk makes one with the session in the kernel's keyring, which is the
// user's: only what this one stores is removed at its end.
func newKernelDesk(bin, dir, token string) (*desk, error) {
	return newPlainDesk(&desk{bin: bin, home: filepath.Join(dir, "home-kernel"), token: token, kernel: true})
}

func newPlainDesk(d *desk) (*desk, error) {
	if err := os.Mkdir(d.home, 0o700); err != nil {
		return nil, err
	}
	return d, d.store("cre-credential-helper", "store", d.session())
}

func (d *desk) close() {
	if d.keyring != nil {
		d.keyring.Close()
	}
	if d.kernel {
		_ = d.store("cre-credential-helper", "erase", gitRequest(d.origin()))
	}
}

// origin is that of the session.
func (d *desk) origin() string {
	if d.kernel {
		return "https://kernel.example.test"
	}
	return origin
}

func (d *desk) env() []string {
	env := []string{"HOME=" + d.home, "PATH=" + d.bin + ":" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	if d.kernel {
		return append(env, "DBUS_SESSION_BUS_ADDRESS=disabled:", "CRE_CREDENTIAL_STORE=kernel", "CRE_CLI_GRAPHQL_URL="+d.origin()+"/graphql")
	}
	if d.keyring == nil {
		return append(env, "DBUS_SESSION_BUS_ADDRESS=disabled:", "CRE_CREDENTIAL_STORE=file")
	}
	return append(env, d.keyring.Env()...)
}

// stock stores the token for every program, in its own way.
func (d *desk) stock() error {
	if err := os.Mkdir(d.home, 0o700); err != nil {
		return err
	}
	docker := fmt.Sprintf(`{"ServerURL":%q,"Username":%q,"Secret":%q}`, dockerServer, username, d.token)
	for _, s := range [][3]string{
		{"cre-credential-helper", "store", d.session()},
		{"secret-tool", "store --label=benchmark " + libsecretItem, d.token}, // its own store ends lines at 1,023 bytes
		{"docker-credential-secretservice", "store", docker},
		{"secret-tool", "store --label=benchmark service " + service + " username " + username, d.token},
	} {
		if err := d.store(s[0], s[1], s[2]); err != nil {
			return err
		}
	}
	return nil
}

func (d *desk) store(program, args, stdin string) error {
	c := exec.Command(d.path(program), strings.Fields(args)...)
	c.Env, c.Stdin = d.env(), strings.NewReader(stdin)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, out)
	}
	return nil
}

// session is what a login stores: a token that is renewed by its refresh token.
func (d *desk) session() string {
	lines := []string{
		"capability[]=authtype", "protocol=https", "host=" + strings.TrimPrefix(d.origin(), "https://"), "username=" + username,
		"authtype=Bearer", "credential=" + d.token, fmt.Sprintf("password_expiry_utc=%d", expiry().Unix()),
		"oauth_refresh_token=a-refresh-token", "oauth_id_token=" + d.token,
		"oauth_token_endpoint=https://login.chain.link/oauth/token",
		"oauth_revocation_endpoint=https://login.chain.link/oauth/revoke",
		"oauth_client_id=vMqPqJ3ApbeN8jNeA42Dn4UxbkfhQQkW",
	}
	return strings.Join(lines, "\n") + "\n\n"
}

// path returns where a program is: among those built, else on PATH.
func (d *desk) path(program string) string {
	built := filepath.Join(d.bin, program)
	if _, err := os.Stat(built); err == nil {
		return built
	}
	installed, err := exec.LookPath(program)
	if err != nil {
		return program // build has looked for it
	}
	return installed
}
