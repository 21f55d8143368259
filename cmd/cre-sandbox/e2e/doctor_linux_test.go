package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// fault is something that may be wrong with a machine, what cre doctor finds then,
// and how it is mended.
type fault struct {
	name string
	mode string // of the machine; "": without a keychain

	breaks func(*patient)
	args   []string // of doctor, besides --json

	check, level string
	says         string // a part of the finding

	// The command that is printed mends it, and is run. Where none is printed, or
	// it asks for what no test may do, heals is what a person does.
	command string // a part of it; "": none is printed
	stdin   string // what a person types then
	heals   func(*patient)
}

// patient is a machine that cre doctor looks at, with programs of its own.
type patient struct {
	*machine
	path   string   // PATH
	folder string   // of the programs
	held   *os.File // a lock

	authority string // the file of a certificate
	listening bool   // something of the test's holds the login's port, and callbackPort

}

// findings is cre doctor's JSON.
type findings struct {
	Schema   int
	OK       bool
	Findings []finding
}

type finding struct{ Check, Level, What, Advice, Remedy string }

// TestEveryRemedyOfTheDoctorMendsItsFault breaks one thing after the other, runs
// the command that cre doctor prints for it, and has it look once more.
func TestEveryRemedyOfTheDoctorMendsItsFault(t *testing.T) {
	t.Parallel()
	all := allFaults()
	if len(all) < 25 {
		t.Fatalf("only %d faults", len(all))
	}
	for _, f := range all {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t, f.mode)
			f.breaks(p)
			ill := p.mustFind(f, p.doctor(f.args...))
			if (ill.Remedy != "") != (f.command != "") || !strings.Contains(ill.Remedy, f.command) {
				t.Fatalf("the remedy is %q", ill.Remedy)
			}
			var after findings
			if f.heals != nil {
				f.heals(p)
				after = p.doctor(f.args...)
			} else {
				after = p.doctorAfter(ill.Remedy, f.stdin, f.args...)
			}
			if left, found := after.find(f); found || !after.OK {
				t.Errorf("after %q: %+v in %v", ill.Remedy, left, after)
			}
		})
	}
}

// allFaults are also what docs/troubleshooting.md explains.
func allFaults() []fault {
	return slices.Concat(keychainIlls, fileIlls, sessionIlls, settingIlls, programIlls, networkIlls)
}

func newPatient(t *testing.T, mode string) *patient {
	t.Helper()
	if mode == "" {
		mode = fileMode
	}
	m := newMachine(t, mode, sandbox.Options{})
	m.usePlainPrograms()
	p := &patient{machine: m, folder: m.TempDir()}
	p.path = p.folder + ":" + bin + ":" + os.Getenv("PATH") // cre-sandbox, the browser, is in bin
	for _, program := range []string{"cre", "cre-credential-helper", "cre-credential-net"} {
		if err := os.Link(filepath.Join(m.bin, program), filepath.Join(p.folder, program)); err != nil {
			t.Fatal(err)
		}
	}
	p.setenv("XDG_CONFIG_HOME="+m.home, "GIT_CONFIG_NOSYSTEM=1", "DOCKER_CONFIG=", "SSH_CONNECTION=", "WSL_DISTRO_NAME=",
		"SSL_CERT_FILE=", "SSL_CERT_DIR=", "HTTPS_PROXY=", "https_proxy=", "HTTP_PROXY=", "http_proxy=", "PWD="+m.home)
	if mode == fileMode {
		p.setenv("XDG_RUNTIME_DIR=" + m.home)
	}
	return p
}

// doctor has cre doctor look.
func (p *patient) doctor(args ...string) findings { p.Helper(); return p.doctorAfter("", "", args...) }

// doctorAfter runs a command and then, in the same shell, cre doctor. The login's
// port is looked at where that is what is wrong, since others use it meanwhile.
func (p *patient) doctorAfter(command, stdin string, args ...string) findings {
	p.Helper()
	if !p.listening {
		args = append(args, "environment", "programs", "official", "files", "keychain", "session", "git", "docker", "provider", "platform")
	}
	if strings.Contains(command, "cre login") {
		callbackPort.Lock()
		defer callbackPort.Unlock()
	}
	if command != "" { // what it starts or ends may take a moment
		command = "{ " + command + "\n} >/dev/null\n" +
			`for i in 1 2 3 4 5 6 7 8 9 10; do "$DOCTOR" doctor --json "$@" >/dev/null 2>&1 && break; sleep 0.3; done` + "\n"
	}
	o := p.finish(p.shell(command+`exec "$DOCTOR" doctor --json "$@"`, args...), stdin)
	var found findings
	if err := json.Unmarshal([]byte(o.stdout), &found); err != nil || found.Schema != 1 {
		p.Fatalf("%v: %v", err, o)
	}
	if want := map[bool]int{true: 0, false: 1}[found.OK]; o.status != want {
		p.Errorf("the status is %d, with %v", o.status, found)
	}
	if token := tokenPattern.FindString(o.stdout); token != "" {
		p.Errorf("it shows %q", token)
	}
	return found
}

// shell prepares a script that finds cre by DOCTOR, whatever PATH is.
func (p *patient) shell(script string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(p.Context(), time.Minute)
	p.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Dir = p.home
	cmd.Env = append(slices.Clip(p.env), "PATH="+p.path, "DOCTOR="+filepath.Join(p.folder, "cre"))
	return cmd
}

// String shows what isn't in order.
func (all findings) String() string {
	return fmt.Sprintf("%+v", slices.DeleteFunc(slices.Clone(all.Findings), func(f finding) bool { return f.Level == "ok" }))
}

// find returns what was found of a fault.
func (all findings) find(f fault) (finding, bool) {
	i := slices.IndexFunc(all.Findings, func(one finding) bool {
		return one.Check == f.check && one.Level == f.level && strings.Contains(one.What, f.says)
	})
	if i < 0 {
		return finding{}, false
	}
	return all.Findings[i], true
}

func (p *patient) mustFind(f fault, all findings) finding {
	p.Helper()
	found, ok := all.find(f)
	if !ok {
		p.Fatalf("%s of %s, %q, is not in %v", f.level, f.check, f.says, all)
	}
	return found
}

// put writes a file of the home, and makes its folder.
func (p *patient) put(name, text string, mode os.FileMode) string {
	p.Helper()
	path := filepath.Join(p.home, name)
	p.must(os.MkdirAll(filepath.Dir(path), 0o700))
	p.must(os.WriteFile(path, []byte(text), mode))
	p.must(os.Chmod(path, mode))
	return path
}

func (p *patient) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// TestTheDoctorFindsNothingWrongWithASoundMachine, and says so in words where no
// sign can be shown.
func TestTheDoctorFindsNothingWrongWithASoundMachine(t *testing.T) {
	t.Parallel()
	p := newPatient(t, keychainMode)
	p.logIn()
	items := p.items()
	found := p.doctor()
	if !found.OK || !slices.ContainsFunc(found.Findings, func(f finding) bool {
		return f.Check == "keychain" && f.Level == "ok" && strings.Contains(f.What, "gnome-keyring")
	}) {
		t.Errorf("%+v", found)
	}
	if now := p.items(); !slices.Equal(now, items) {
		t.Errorf("in the keychain were %q and are %q", items, now)
	}
	for locale, sign := range map[string]bool{"C.UTF-8": true, "C": false} {
		p.setenv("LC_ALL="+locale, "TERM=xterm")
		o := p.finish(p.shell(`exec "$DOCTOR" doctor keychain`), "")
		if strings.Contains(o.stdout, "✓") != sign || !strings.Contains(o.stdout, "ok: keychain: gnome-keyring") {
			t.Errorf("%s: %v", locale, o)
		}
	}
}

// TestAReportForABugReportNamesNobody holds --redact to what it promises, with an
// e-mail address and a secret wherever the machine may have one.
func TestAReportForABugReportNamesNobody(t *testing.T) {
	t.Parallel()
	p := newPatient(t, keychainMode)
	p.logIn()
	const address, key = "somebody@example.org", "sk-3q8fj29f8jq2f98jq2f98jq2fj8q2f98"
	p.setenv("CRE_API_KEY="+key, "HTTPS_PROXY=http://"+address+":"+key+"@127.0.0.1:9", "CRE_OFFICIAL_CLI="+p.home+"/"+address,
		"CRE_KEYRING_TIMEOUT="+address)
	p.put(".gitconfig", "[credential \"https://"+address+":"+key+"@git.example.org\"]\nhelper = /nowhere/git-credential-cre\nhelper = \"!echo "+key+"\"\n", 0o600)
	p.put(".docker/config.json", `{"auths":{"r.example.org":{"auth":"`+key+`"}},"credHelpers":{"`+address+`":"cre"}}`, 0o600)
	p.must(os.Chmod(p.sessionFile(), 0o666))
	for _, args := range []string{"--redact", "--redact --json"} {
		callbackPort.Lock()
		o := p.finish(p.shell(`exec "$DOCTOR" doctor `+args), "") // all checks
		callbackPort.Unlock()
		for _, secret := range []string{key, address, "somebody", p.home, "email@domain.com"} {
			if strings.Contains(o.stdout+o.stderr, secret) {
				t.Errorf("%s shows %q: %v", args, secret, o)
			}
		}
		if !strings.Contains(o.stdout, "~/.cre/cre.yaml") {
			t.Errorf("%s: %v", args, o)
		}
	}
}

// TestTheDoctorIsQuickWithAMachineThatHangs: no check waits longer than it says.
func TestTheDoctorIsQuickWithAMachineThatHangs(t *testing.T) {
	t.Parallel()
	p := newPatient(t, keychainMode)
	p.signalKeychain(syscall.SIGSTOP)
	release := p.platform.Hold(sandbox.Token)
	defer release()
	p.setenv("CRE_KEYRING_TIMEOUT=1s")
	begin := time.Now()
	found := p.doctor()
	if took := time.Since(begin); took > 15*time.Second+inTime {
		t.Errorf("it took %v", took)
	}
	p.mustFind(fault{check: "keychain", level: "problem", says: "did not answer within 1s"}, found)
	p.mustFind(fault{check: "provider", level: "problem", says: "doesn't answer"}, found)
}
