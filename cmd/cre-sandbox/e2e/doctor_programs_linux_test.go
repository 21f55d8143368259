package e2e

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"cre-credential-helper/cmd/internal/oauth"
)

const script = "#!/bin/sh\nexit 0\n"

// programIlls happen to the programs, to what asks them and to the port.
var programIlls = []fault{
	{
		name: "another cre first on PATH",
		breaks: func(p *patient) {
			p.put("first/cre", script, 0o755)
			p.path = filepath.Join(p.home, "first") + ":" + p.path
		},
		check: "programs", level: "warning", says: "not this program", command: "export PATH=",
	},
	{
		name: "the official CLI first on PATH",
		breaks: func(p *patient) {
			p.put(".cre/bin/cre", script, 0o755)
			p.path = p.creFile("bin") + ":" + p.path
		},
		check: "programs", level: "warning", says: "the official CLI, not this program", command: "cre setup official",
	},
	{
		name:   "no cre on PATH",
		breaks: func(p *patient) { p.path = "/usr/bin:/bin" },
		check:  "programs", level: "warning", says: "there is no cre on PATH", command: "export PATH=",
	},
	{
		name:   "a helper that isn't there",
		breaks: func(p *patient) { p.setenv("CRE_CREDENTIAL_HELPER=/nowhere/helper") },
		check:  "programs", level: "problem", says: "CRE_CREDENTIAL_HELPER", command: "unset CRE_CREDENTIAL_HELPER",
	},
	{
		name:   "a program that is missing",
		breaks: func(p *patient) { p.must(os.Remove(filepath.Join(p.folder, "cre-credential-net"))) },
		check:  "programs", level: "problem", says: "cre-credential-net is missing",
		heals: func(p *patient) { p.installNet() },
	},
	{
		name: "programs of two versions",
		breaks: func(p *patient) {
			path := filepath.Join(p.folder, "cre-credential-net")
			data, err := os.ReadFile(path)
			p.must(err)
			p.must(os.Remove(path))
			p.must(os.WriteFile(path, otherVersion(p, data), 0o755))
		},
		check: "programs", level: "problem", says: "of version",
		heals: func(p *patient) { p.installNet() },
	},
	{
		name:   "an official CLI that isn't there",
		breaks: func(p *patient) { p.setenv("CRE_OFFICIAL_CLI=/nowhere/cre") },
		check:  "official", level: "problem", says: "there is no file /nowhere/cre", command: "unset CRE_OFFICIAL_CLI",
	},
	{
		name: "git asks a name that nothing has",
		breaks: func(p *patient) {
			p.withoutLinks()
			p.put(".gitconfig", "[credential \"https://git.example.com\"]\n\thelper = cre\n", 0o600)
		},
		check: "git", level: "problem", says: "git-credential-cre, which is not on PATH", command: "ln -s",
	},
	{
		name: "git asks a name that isn't on PATH",
		breaks: func(p *patient) {
			p.withoutLinks()
			p.must(os.Symlink("cre-credential-helper", filepath.Join(p.folder, "git-credential-cre")))
			p.path = os.Getenv("PATH")
			p.put(".gitconfig", "[credential]\n\thelper = cre\n", 0o600)
		},
		check: "git", level: "problem", says: "git-credential-cre, which is not on PATH", command: "export PATH=",
	},
	{
		name: "git asks a path that nothing has",
		breaks: func(p *patient) {
			p.put(".gitconfig", "[credential \"https://git.example.com\"]\n\thelper = /old/git-credential-cre\n", 0o600)
		},
		check: "git", level: "problem", says: "git asks /old/git-credential-cre for https://git.example.com", command: "git config --global --replace-all",
	},
	{
		name:   "a damaged configuration of git",
		breaks: func(p *patient) { p.put(".gitconfig", "[credential\n", 0o600) },
		check:  "git", level: "problem", says: "git can't read its configuration",
		heals: func(p *patient) { p.put(".gitconfig", "", 0o600) },
	},
	{
		name: "docker asks a name that nothing has",
		breaks: func(p *patient) {
			p.withoutLinks()
			p.put(".docker/config.json", `{"credHelpers":{"registry.example.com":"cre"}}`, 0o600)
		},
		check: "docker", level: "problem", says: "docker-credential-cre, which is not on PATH", command: "ln -s",
	},
	{
		name:   "a damaged configuration of docker",
		breaks: func(p *patient) { p.put(".docker/config.json", `{"credHelpers":`, 0o600) },
		check:  "docker", level: "warning", says: "config.json can't be read", command: "mv -n --",
	},
	{
		name: "a login that waits",
		breaks: func(p *patient) {
			callbackPort.Lock() // until it has ended
			p.Cleanup(callbackPort.Unlock)
			p.listening = p.background(filepath.Join(p.folder, "cre"), "login", "--no-browser")
		},
		check: "port", level: "problem", says: "in use by another cre login, process", command: "kill ",
	},
	{
		name: "another program on the port",
		breaks: func(p *patient) {
			callbackPort.Lock()
			p.Cleanup(callbackPort.Unlock)
			p.listening = p.background(filepath.Join(bin, "cre-sandbox"), "serve", "--address", "127.0.0.1:"+strconv.Itoa(oauth.Port))
		},
		check: "port", level: "problem", says: `in use by "cre-sandbox"`,
		heals: (*patient).endListener,
	},
}

// endListener ends the program that the doctor names.
func (p *patient) endListener() {
	p.Helper()
	for _, f := range p.doctor().Findings {
		if said := regexp.MustCompile(`process ([0-9]+)$`).FindStringSubmatch(f.What); f.Check == "port" && said != nil {
			pid, err := strconv.Atoi(said[1])
			p.must(err)
			p.must(syscall.Kill(pid, syscall.SIGTERM))
		}
	}
	p.until("the port is free", func() bool {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(oauth.Port))
		if err == nil {
			_ = l.Close()
		}
		return err == nil
	})
}

func (p *patient) installNet() {
	p.Helper()
	path := filepath.Join(p.folder, "cre-credential-net")
	_ = os.Remove(path)
	p.must(os.Link(filepath.Join(p.bin, "cre-credential-net"), path))
}

// otherVersion changes a letter of the version that Go has built into a program,
// wherever that is.
func otherVersion(p *patient, program []byte) []byte {
	before := []byte("\nmod\tcre-credential-helper\t")
	parts := bytes.Split(program, before)
	if len(parts) < 2 {
		p.Fatal("the program says no version")
	}
	for _, part := range parts[1:] {
		part[1] ^= 1
	}
	return bytes.Join(parts, before)
}

// withoutLinks leaves on PATH no program by which git and docker ask.
func (p *patient) withoutLinks() { p.path = p.folder + ":" + os.Getenv("PATH") }

// background starts a program that listens on the login's port, and waits for that.
func (p *patient) background(program string, args ...string) bool {
	p.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Dir = append(p.env, "PATH="+p.path), p.home
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.must(cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	p.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		<-ended
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		connection, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(oauth.Port)))
		if err == nil {
			_ = connection.Close()
			return true
		}
		if time.Now().After(deadline) {
			p.Fatalf("%q doesn't listen: %v", program, err)
		}
	}
}
