//go:build linux

package main

import "strings"

// The programs that are compared, as the tables call them.
const (
	ours       = "cre-credential-helper get"
	gitPeer    = "git-credential-libsecret get"
	docker     = "docker-credential-secretservice get"
	secretTool = "secret-tool lookup"
	gokeyring  = "go-keyring's Get"
	floor      = "four D-Bus messages"
	empty      = "empty Go program"
)

func (d *desk) subject(name, stdin, want, program string, args ...string) subject {
	return subject{name: name, args: append([]string{d.path(program)}, args...), env: d.env(), stdin: stdin, want: want}
}

func (d *desk) ours() subject {
	return d.subject(ours, "capability[]=authtype\n"+gitRequest(d.origin()), d.token, "cre-credential-helper", "get")
}

func (d *desk) git() subject {
	return d.subject(gitPeer, gitRequest(gitOrigin), d.token, "git-credential-libsecret", "get")
}

func (d *desk) floor() subject {
	return d.subject(floor, "", d.token, "floor", service, username)
}

func (d *desk) empty() subject { return d.subject(empty, "", "", "empty") }

// everyGet is ours and every program that it is compared with, the slowest
// last.
func (d *desk) everyGet() []subject {
	return []subject{
		d.empty(),
		d.floor(),
		d.ours(),
		d.subject(gokeyring, "", d.token, "gokeyring", service, username),
		d.subject(secretTool, "", d.token, "secret-tool", "lookup", "service", service, "username", username),
		d.git(),
		d.subject(docker, dockerServer, d.token, "docker-credential-secretservice", "get"),
	}
}

func gitRequest(url string) string {
	protocol, host, _ := strings.Cut(url, "://")
	return "protocol=" + protocol + "\nhost=" + host + "\n\n"
}
