package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

func (p *patient) creFile(name string) string { return filepath.Join(p.home, ".cre", name) }

// fileIlls happen to ~/.cre.
var fileIlls = []fault{
	{
		name:   "a folder that everybody may write to",
		breaks: func(p *patient) { p.logIn(); p.must(os.Chmod(p.creFile(""), 0o777)) },
		check:  "files", level: "problem", says: ".cre may be written by other users", command: "chmod go-w",
	},
	{
		name:   "a folder of an odd name that everybody may write to",
		breaks: func(p *patient) { p.moveHome("it's a $home; true"); p.logIn(); p.must(os.Chmod(p.creFile(""), 0o777)) },
		check:  "files", level: "problem", says: ".cre may be written by other users", command: `'\''s a $home; true/.cre'`,
	},
	{
		name:   "a session that everybody may write to",
		breaks: func(p *patient) { p.logIn(); p.must(os.Chmod(p.sessionFile(), 0o666)) },
		check:  "files", level: "problem", says: "cre.yaml may be written by other users", command: "chmod go-w",
	},
	{
		name:   "a session that everybody may read",
		breaks: func(p *patient) { p.logIn(); p.must(os.Chmod(p.sessionFile(), 0o644)) },
		check:  "files", level: "warning", says: "cre.yaml could be read by other users", command: "cre login",
	},
	{
		name: "a link in the session's place",
		breaks: func(p *patient) {
			p.logIn()
			p.must(os.Rename(p.sessionFile(), p.creFile("elsewhere.yaml")))
			p.must(os.Symlink("elsewhere.yaml", p.sessionFile()))
		},
		check: "files", level: "problem", says: "cre.yaml is a symbolic link", command: "mv -n --",
	},
	{
		name:   "a damaged session",
		breaks: func(p *patient) { p.put(".cre/cre.yaml", "AccessToken: [", 0o600) },
		check:  "files", level: "problem", says: "cre.yaml is not valid YAML", command: "cre logout",
	},
	{
		name: "a folder in the session's place",
		breaks: func(p *patient) {
			p.put(".cre/cre.yaml/file", "", 0o600)
		},
		check: "files", level: "problem", says: "cre.yaml is a directory", command: "mv -n --",
	},
	{
		name:   "a damaged tenant context",
		breaks: func(p *patient) { p.logIn(); p.put(".cre/context.yaml", "- [", 0o600) },
		check:  "files", level: "problem", says: "context.yaml is not valid YAML", command: "mv -n --",
	},
	{
		name:   "a FIFO in the tenant context's place",
		breaks: func(p *patient) { p.logIn(); p.must(syscall.Mkfifo(p.creFile("context.yaml"), 0o600)) },
		check:  "files", level: "problem", says: "context.yaml is not a regular file", command: "mv -n --",
	},
	{
		name: "a folder in the lock's place",
		breaks: func(p *patient) {
			p.logIn()
			_ = os.Remove(p.creFile("cre.lock"))
			p.must(os.Mkdir(p.creFile("cre.lock"), 0o700))
		},
		check: "files", level: "problem", says: "cre.lock is not a regular file", command: "mv -n --",
	},
	{
		name:   "a link to nowhere in the folder's place",
		breaks: func(p *patient) { p.must(os.Symlink("over there/folder", filepath.Clean(p.creFile("")))) },
		check:  "files", level: "problem", says: "is a symbolic link to nowhere", command: "mkdir -p -m 700",
	},
	{
		name:   "a file in the folder's place",
		breaks: func(p *patient) { p.put(".cre", "", 0o600) },
		check:  "files", level: "problem", says: ".cre is not a directory", command: "mv -n --",
	},
	{
		name: "somebody else's folder",
		breaks: func(p *patient) {
			p.put(".cre/cre.yaml", "", 0o600)
			if os.Getuid() != 0 {
				p.Skip("left out: only root can give a folder away")
			}
			p.must(os.Chown(p.creFile(""), nobody, nobody))
		},
		check: "files", level: "problem", says: ".cre belongs to ", command: "mv -n --",
	},
	{
		name: "an immutable session",
		breaks: func(p *patient) {
			p.logIn()
			if out, err := exec.Command("chattr", "+i", p.sessionFile()).CombinedOutput(); err != nil {
				p.Skipf("left out: chattr +i: %s", out)
			}
			p.Cleanup(func() { _ = exec.Command("chattr", "-i", p.sessionFile()).Run() })
		},
		check: "files", level: "problem", says: "cre.yaml can't be changed", command: "chattr -i",
	},
	{
		name: "a lock that somebody holds",
		breaks: func(p *patient) {
			p.logIn()
			lock, err := os.OpenFile(p.creFile("cre.lock"), os.O_CREATE|os.O_RDWR, 0o600)
			p.must(err)
			p.must(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
			p.held = lock
		},
		check: "files", level: "warning", says: "another cre process holds",
		heals: func(p *patient) { p.must(p.held.Close()) },
	},
}

// moveHome gives the machine another home.
func (p *patient) moveHome(name string) {
	p.home = filepath.Join(p.home, name)
	p.must(os.Mkdir(p.home, 0o700))
	p.setenv("HOME=" + p.home)
}

// settingIlls are variables and what they name.
var settingIlls = []fault{
	misset("CRE_CLI_ENV=PRODUCTOIN", "there is no environment"),
	misset("CRE_CREDENTIAL_STORE=cloud", "unknown credential store"),
	misset("CRE_KEYRING_TIMEOUT=soon", "takes a duration"),
	misset("CRE_CLI_GRAPHQL_URL=ftp://example.com", "not a usable value"),
	misset("CRE_API_KEY_FILE=/nowhere/key", "CRE_API_KEY_FILE"),
	misset("SSL_CERT_FILE=/nowhere/ca.pem", "isn't there"),
	{
		name: "overrides", args: []string{"--offline"},
		breaks: func(*patient) {},
		check:  "environment", level: "warning", says: "CRE_CLI_* variables are set",
		command: "unset CRE_CLI_AUTH_BASE CRE_CLI_CLIENT_ID CRE_CLI_AUDIENCE CRE_CLI_GRAPHQL_URL",
	},
	{
		name:   "a file that says where tokens go",
		breaks: func(p *patient) { p.put(".env", "CRE_CLI_AUTH_BASE=https://example.com\n", 0o600) },
		check:  "environment", level: "problem", says: "sets CRE_CLI_AUTH_BASE",
		heals: func(p *patient) { p.must(os.Remove(filepath.Join(p.home, ".env"))) },
	},
}

func misset(variable, says string) fault {
	name, _, _ := strings.Cut(variable, "=")
	return fault{
		name: "an unusable " + name, args: []string{"--offline"},
		breaks: func(p *patient) { p.setenv(variable) },
		check:  "environment", level: "problem", says: says, command: "unset " + name,
	}
}
