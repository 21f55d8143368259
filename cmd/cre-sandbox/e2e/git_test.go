//go:build unix

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/keyring/keyringtest"
)

// step is one exchange. The commands fill, approve and reject are git
// credential's; every other one is the helper's own, in the form of a git that
// is newer than the one here. HOST stands for a host of the test's own, and
// the blank line that ends a request is added.
type step struct{ command, in, out string }

const (
	place = "protocol=https\nhost=HOST\n"
	alice = "username=alice\npassword=secret\n"
	bob   = "username=bob\npassword=other\n"

	announced = "capability[]=authtype\n"
	token     = "authtype=Bearer\ncredential=token\n"
	later     = "password_expiry_utc=4102444800\n"
	before    = "password_expiry_utc=1000000000\n"
	refresh   = "oauth_refresh_token=refresh\n"
)

// clauses are the rules of gitcredentials(7) and git-credential(1), one by
// one, each with the exchange that shows it.
var clauses = []struct {
	name   string
	config string // git-config(1)'s name=value, besides the helper
	steps  []step
}{
	{"nothing is kept", "", []step{{"fill", place, ""}, {"reject", place, ""}, {"reject", place + alice, ""}}},
	{"what was approved is filled in", "", []step{{"approve", place + alice, ""}, {"fill", place, place + alice}}},
	{"the protocol narrows", "", []step{
		{"approve", place + alice, ""},
		{"fill", "protocol=http\nhost=HOST\n", ""},
		{"reject", "protocol=http\nhost=HOST\n", ""},
		{"fill", place, place + alice},
	}},
	{"the host narrows", "", []step{
		{"approve", place + alice, ""},
		{"fill", "protocol=https\nhost=x.HOST\n", ""},
		{"fill", "protocol=https\nhost=HOST.test\n", ""},
		{"reject", "protocol=https\nhost=x.HOST\n", ""},
		{"fill", place, place + alice},
	}},
	{"the port is the host's", "", []step{
		{"approve", "protocol=https\nhost=HOST:8443\n" + alice, ""},
		{"fill", place, ""},
		{"fill", "protocol=https\nhost=HOST:8444\n", ""},
		{"fill", "protocol=https\nhost=HOST:8443\n", "protocol=https\nhost=HOST:8443\n" + alice},
	}},
	{"protocols other than http", "", []step{
		{"approve", "protocol=smtp\nhost=HOST:587\n" + alice, ""},
		{"fill", "protocol=smtp\nhost=HOST:587\n", "protocol=smtp\nhost=HOST:587\n" + alice},
	}},
	{"the username narrows", "", []step{
		{"approve", place + alice, ""},
		{"fill", place + "username=bob\n", ""},
		{"fill", place + "username=alice\n", place + alice},
	}},
	{"of several usernames the newest answers", "", []step{
		{"approve", place + alice, ""},
		{"approve", place + bob, ""},
		{"fill", place, place + bob},
		{"fill", place + "username=alice\n", place + alice},
		{"fill", place + "username=bob\n", place + bob},
		{"approve", place + alice, ""},
		{"fill", place, place + alice},
	}},
	{"a new password takes the old one's place", "", []step{
		{"approve", place + alice, ""},
		{"approve", place + "username=alice\npassword=new\n", ""},
		{"fill", place, place + "username=alice\npassword=new\n"},
		{"reject", place + "username=alice\npassword=new\n", ""},
		{"fill", place, ""},
	}},
	{"rejecting a username spares the others", "", []step{
		{"approve", place + alice, ""},
		{"approve", place + bob, ""},
		{"reject", place + "username=bob\n", ""},
		{"fill", place + "username=bob\n", ""},
		{"fill", place, place + alice},
	}},
	{"rejecting a host spares none", "", []step{
		{"approve", place + alice, ""},
		{"approve", place + bob, ""},
		{"reject", place, ""},
		{"fill", place, ""},
	}},
	{"a password is rejected only when it is the one kept", "", []step{
		{"approve", place + alice, ""},
		{"approve", place + bob, ""},
		{"reject", place + "username=alice\npassword=older\n", ""},
		{"reject", place + "password=older\n", ""},
		{"fill", place, place + bob},
		{"fill", place + "username=alice\n", place + alice},
		{"reject", place + "password=secret\n", ""},
		{"fill", place + "username=alice\n", ""},
		{"fill", place, place + bob},
	}},
	{"an empty username and password", "", []step{
		{"approve", place + "username=\npassword=\n", ""},
		{"fill", place, place + "username=\npassword=\n"},
		{"fill", place + "username=\n", place + "username=\npassword=\n"},
		{"approve", place + alice, ""},
		{"fill", place + "username=\n", place + "username=\npassword=\n"},
		{"reject", place + "username=\n", ""},
		{"fill", place, place + alice},
	}},
	{"values hold any byte but a line end or NUL", "", []step{
		{"approve", place + "username=a=b ü\xff\npassword= p\"'\\$(x)`%s\t= \n", ""},
		{"fill", place, place + "username=a=b ü\xff\npassword= p\"'\\$(x)`%s\t= \n"},
	}},
	{"the path is left out for http", "", []step{
		{"approve", place + "path=one.git\n" + alice, ""},
		{"fill", place + "path=two.git\n", place + alice},
	}},
	{"with useHttpPath the path narrows", "credential.useHttpPath=true", []step{
		{"approve", place + "path=team/one.git\n" + alice, ""},
		{"approve", place + "path=team/two.git\n" + bob, ""},
		{"fill", place + "path=team/one.git\n", place + "path=team/one.git\n" + alice},
		{"fill", place + "path=team\n", ""},
		{"fill", place + "path=team/one\n", ""},
		{"fill", place, ""},
		{"reject", place + "path=team/one.git\n", ""},
		{"fill", place + "path=team/one.git\n", ""},
		{"fill", place + "path=team/two.git\n", place + "path=team/two.git\n" + bob},
	}},
	{"git reads a URL", "credential.useHttpPath=true", []step{
		{"approve", "url=https://alice:secret@HOST/one.git\n", ""},
		{"fill", "url=https://HOST/one.git\n", place + "path=one.git\n" + alice},
	}},
	{"a configured username narrows", "credential.username=alice", []step{
		{"approve", place + alice, ""},
		{"approve", place + bob, ""},
		{"fill", place, place + alice},
	}},
	{"a certificate's passphrase is left to git", "", []step{
		{"approve", "protocol=cert\nhost=\npath=client.pem\n" + alice, ""},
		{"fill", "protocol=cert\nhost=\npath=client.pem\nusername=\n", ""},
		{"reject", "protocol=cert\nhost=\npath=client.pem\n", ""},
	}},

	{"an expiry comes back", "", []step{
		{"store", place + alice + later, ""},
		{"get", place, alice + later},
		{"store", place + alice, ""},
		{"get", place, alice},
		{"store", place + alice + later, ""},
		{"erase", place + alice + later, ""},
		{"get", place, ""},
	}},
	{"what has expired isn't answered", "", []step{
		{"store", place + alice + before, ""},
		{"get", place, ""},
		{"store", place + alice + later, ""},
		{"get", place, alice + later},
	}},
	{"the owner's refresh token comes back", "", []step{
		{"store", place + alice + refresh, ""},
		{"get", place, alice + refresh},
		{"erase", place + "username=alice\npassword=older\n", ""},
		{"get", place, alice + refresh},
		{"store", place + alice, ""},
		{"get", place, alice},
	}},
	{"the owner's refresh token outlives the password", "", []step{
		{"store", place + alice + before + refresh, ""},
		{"get", place, alice + before + refresh},
	}},
	{"a credential of another authtype comes back", "", []step{
		{"store", announced + place + token, ""},
		{"get", announced + place, announced + token},
		{"erase", announced + place + "authtype=Bearer\ncredential=older\n", ""},
		{"get", announced + place, announced + token},
		{"erase", announced + place + token, ""},
		{"get", announced + place, ""},
	}},
	{"its username narrows, too", "", []step{
		{"store", announced + place + "username=alice\n" + token, ""},
		{"get", announced + place + "username=bob\n", ""},
		{"get", announced + place + "username=alice\n", announced + token + "username=alice\n"},
		{"get", announced + place, announced + token + "username=alice\n"},
	}},
	{"another authtype is for who announced that", "", []step{
		{"store", place + alice, ""},
		{"store", announced + place + "username=bob\n" + token, ""},
		{"get", announced + place, announced + token + "username=bob\n"},
		{"get", place, alice},
		{"get", place + "username=bob\n", ""},
		{"get", "capability[]=state\n" + place, alice},
		{"get", announced + "capability[]=\n" + place, alice},
		{"fill", place, place + alice},
	}},
	{"a capability counts for what follows it", "", []step{
		{"store", token + announced + place + alice, ""},
		{"get", announced + place, alice},
	}},
	{"basic as an authtype", "", []step{
		{"store", announced + place + "authtype=Basic\ncredential=YWxpY2U6c2VjcmV0\n", ""},
		{"get", announced + place, announced + "authtype=Basic\ncredential=YWxpY2U6c2VjcmV0\n"},
	}},
	{"an ephemeral credential isn't kept", "", []step{
		{"store", announced + place + token + "ephemeral=1\n", ""},
		{"get", announced + place, ""},
		{"store", announced + place + token + "ephemeral=0\n", ""},
		{"get", announced + place, announced + token},
	}},
	{"state is nobody's here", "", []step{
		{"store", announced + "capability[]=state\n" + place + "state[]=other.a=b\nstate[]=other.c=d\ncontinue=1\n" + token, ""},
		{"get", announced + "capability[]=state\nstate[]=other.a=b\n" + place, announced + token},
	}},
	{"challenges are no matter", "", []step{
		{"store", place + "wwwauth[]=Basic realm=\"x\"\nwwwauth[]=Bearer\n" + alice, ""},
		{"get", place + strings.Repeat("wwwauth[]=Negotiate "+strings.Repeat("x", 65_000)+"\n", 10), alice},
	}},
	{"what is unknown is ignored in silence", "", []step{
		{"store", "unknown=1\nunknown=2\n" + place + "arr[]=x\n" + alice, ""},
		{"get", place + "url_fragment=x\n", alice},
		{"frobnicate", place, ""},
		{"frobnicate", "not even an attribute", ""},
	}},
	{"capabilities are announced", "", []step{{"capability", "", "version 0\ncapability authtype\n"}}},
}

// TestGit holds the clauses with the helper configured by name, which git
// finds by the link.
func TestGit(t *testing.T) {
	g := newGit(t, "cre")
	for i, clause := range clauses {
		t.Run(clause.name, func(t *testing.T) {
			for _, s := range clause.steps {
				g.check(t, fmt.Sprintf("h%d.example.com", i), clause.config, s)
			}
		})
	}
}

// TestGitConfigurations holds that every way to name the helper that
// gitcredentials(7) knows leads to it, for every host and for one.
func TestGitConfigurations(t *testing.T) {
	for name, helper := range map[string]string{
		"by absolute path":     filepath.Join(bin, "cre-credential-helper"),
		"by the link's path":   filepath.Join(bin, "git-credential-cre"),
		"by a shell's command": "!cre-credential-helper",
		"by name":              "cre",
	} {
		t.Run(name, func(t *testing.T) {
			g := newGit(t, helper)
			g.check(t, "h.example.com", "", step{"fill", place, ""})
			g.check(t, "h.example.com", "", step{"approve", place + alice, ""})
			g.check(t, "h.example.com", "", step{"fill", place, place + alice})
			g.check(t, "h.example.com", "", step{"reject", place + alice, ""})
			g.check(t, "h.example.com", "", step{"fill", place, ""})
		})
	}
	t.Run("for one host", func(t *testing.T) {
		g := newGit(t, "")
		config := "credential.https://h.example.com.helper=cre"
		g.check(t, "h.example.com", config, step{"approve", place + alice, ""})
		g.check(t, "h.example.com", config, step{"fill", place, place + alice})
		g.check(t, "other.example.com", config, step{"approve", place + alice, ""})
		g.check(t, "other.example.com", "credential.helper=cre", step{"fill", place, ""})
	})
}

// git is a home directory with a keychain, and a helper configured.
type git struct {
	env    []string
	helper string
}

func newGit(t *testing.T, helper string) git {
	t.Helper()
	keyringtest.Need(t, "git")
	env := append(os.Environ(), keyringtest.Start(t).Env()...)
	env = append(env,
		"HOME="+t.TempDir(),
		"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"),
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_ASKPASS=",
		"SSH_ASKPASS=",
		"CRE_API_KEY=",
		"LC_ALL=C",
	)
	return git{env, helper}
}

// unfilled is what git itself says when no helper has answered.
const unfilled = "fatal: could not read "

// check does one exchange. Nothing but git's own complaint may come on
// standard error, and that only where no answer is expected.
func (g git) check(t *testing.T, host, config string, s step) {
	t.Helper()
	own := s.command == "fill" || s.command == "approve" || s.command == "reject"
	args := []string{"-c", "credential.helper=", "-c", "credential.helper=" + g.helper}
	if config != "" {
		args = append(args, "-c", config)
	}
	cmd := exec.Command("git", append(args, "credential", s.command)...)
	if !own {
		cmd = exec.Command(filepath.Join(bin, "cre-credential-helper"), s.command)
	}
	cmd.Env = g.env
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(s.in, "HOST", host) + "\n")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()

	var exit *exec.ExitError
	said := stderr.String()
	if s.command == "fill" && s.out == "" && errors.As(err, &exit) && strings.HasPrefix(said, unfilled) && strings.Count(said, "\n") == 1 {
		err, said = nil, ""
	}
	if err != nil || said != "" {
		t.Errorf("%s of %q: %v, says %q", s.command, s.in, err, said)
	}
	if want := strings.ReplaceAll(s.out, "HOST", host); stdout.String() != want {
		t.Errorf("%s of %.200q answers %q, want %q", s.command, s.in, stdout.String(), want)
	}
}
