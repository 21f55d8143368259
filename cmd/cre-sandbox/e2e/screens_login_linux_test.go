package e2e

import "regexp"

// loginPlays are the logins.
var loginPlays = map[string]play{
	"login-ssh":             loginPlay("", nil, (*onTerminal).logsIn),
	"login-browser":         loginPlay("BROWSER=true", nil, (*onTerminal).logsIn),
	"login-no-browser":      loginPlay("BROWSER=true", []string{"--no-browser"}, (*onTerminal).logsIn),
	"login-browser-fails":   loginPlay("BROWSER=/no/such", nil, func(s *onTerminal) { s.expect("yourself"); s.types("\x03") }),
	"login-interrupted":     loginPlay("", nil, func(s *onTerminal) { s.expect("Waiting for "); s.types("\x03") }),
	"login-non-interactive": loginPlay("", []string{"--non-interactive"}, nil),
	"login-wrong": loginPlay("", nil, func(s *onTerminal) {
		s.expect("Waiting for ")
		s.types("what?\r")
		s.expect("Not logged in yet")
		s.types("\x03")
	}),
	"login-denied": loginPlay("", nil, func(s *onTerminal) {
		s.expect("Waiting for ")
		s.types("http://localhost:53682/callback?error=access_denied&state=" + regexp.MustCompile(`state=(\w+)`).FindStringSubmatch(s.lastURL())[1] + "\r")
	}),
	"login-again": {
		before: func(m *machine) { m.logIn() },
		args:   []string{"login"}, env: overSSH, port: true,
		person: func(s *onTerminal) { s.expect("[y/N] "); s.types("n\r") },
	},
}

// loginPlay is a login of somebody who is logged out, over SSH.
func loginPlay(variable string, args []string, person func(*onTerminal)) play {
	return play{
		before: func(m *machine) { m.run("", "cre", "logout") },
		env:    append(overSSH[:len(overSSH):len(overSSH)], variable),
		args:   append([]string{"login"}, args...),
		person: person,
		port:   true,
	}
}

// logsIn carries the address over.
func (s *onTerminal) logsIn() {
	s.Helper()
	s.expect("Waiting for ")
	s.expect("…")
	s.types(s.carry(s.lastURL()) + "\r")
	s.expect("Logged in as")
}
