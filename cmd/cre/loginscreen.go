package main

import (
	"fmt"
	"os"
	"os/user"
	"strings"

	"cre-credential-helper/cmd/internal/browser"
	"cre-credential-helper/cmd/internal/oauth"
	"cre-credential-helper/cmd/internal/safetext"
)

// loginScreen is what a person reads during a login in the browser.
type loginScreen struct {
	ui           *ui
	surroundings browser.Surroundings
	opens        bool // a browser is opened
	pastes       bool // an address can be pasted
}

// show is [oauth.Login]'s Show. A second call brings another URL.
func (s *loginScreen) show(url string, unheard error) {
	s.ui.done()
	opens := s.opens && unheard == nil
	s.ui.paragraph(s.opening(opens, unheard))
	s.ui.say("\n%s\n", s.ui.link(url))
	switch {
	case unheard != nil:
		s.ui.paragraph("Log in there, and paste here the address that the browser ends up on. It begins with http://localhost:53682/. That the page does not load, or is another program's, is fine.")
	case opens && s.pastes:
		s.ui.paragraph("If it ends on a page that does not load, paste here the address of that page.")
	case !opens:
		s.elsewhere()
	}
	s.waiting(opens, unheard == nil)
	if opens {
		go s.open(url)
	}
	s.opens = false // one tab is enough
}

func (s *loginScreen) opening(opens bool, unheard error) string {
	switch {
	case unheard != nil:
		return fmt.Sprintf("The browser can't come back to this program: %v. To log in all the same, open this URL in a browser:", unheard)
	case opens:
		return "Opening your browser to log in. If no page appears, open:"
	}
	return "To log in, open this URL in a browser:"
}

// elsewhere is for a browser that may be on another machine.
func (s *loginScreen) elsewhere() {
	if s.surroundings.CanOpen() && !s.pastes {
		return // the person chose to open it, here
	}
	s.ui.paragraph("On another computer, run this there first, so that its browser reaches this machine:")
	s.ui.say("\n%s\n", sshLine(s.surroundings.Getenv))
	if s.pastes {
		s.ui.paragraph("Or log in without it, and paste here the address that the browser ends up on. It begins with http://localhost:53682/. That the page does not load is fine.")
	}
}

func (s *loginScreen) waiting(opens, listens bool) {
	what := "browser"
	switch {
	case !listens:
		what = "address"
	case s.pastes && !opens:
		what = "browser or the address"
	}
	s.ui.wait(fmt.Sprintf("Waiting for the %s, up to %d minutes (Ctrl-C cancels)…", what, int(oauth.DefaultWait.Minutes())))
}

// refuse is [oauth.Login]'s Refuse.
func (s *loginScreen) refuse(err error) {
	s.ui.paragraph(fmt.Sprintf("Not logged in yet: %s. Paste the address that the browser ends up on after this login.", safetext.Line(err.Error())))
}

// open starts the browser's program. Some stay in the foreground, so nobody waits
// for it.
func (s *loginScreen) open(url string) {
	if err := s.surroundings.Open(url); err != nil {
		s.ui.warn(fmt.Sprintf("the browser's program failed (%v): if no page came up, open the URL yourself", err))
	}
}

// sshLine is what brings a browser's callback from the person's own computer to
// this one. The name of this machine as the person's computer knows it isn't
// known; the address that SSH came to is the best guess.
func sshLine(getenv func(string) string) string {
	line := "ssh -L 53682:localhost:53682 "
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "HOST"
	}
	if at := strings.Fields(getenv("SSH_CONNECTION")); len(at) == 4 { // client, its port, server, its port
		host = at[2]
		if at[3] != "22" {
			line += "-p " + at[3] + " "
		}
	}
	name := "USER"
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username[strings.LastIndex(u.Username, `\`)+1:] // Windows puts the domain in front
	}
	return line + safetext.Clean(name+"@"+host, 200)
}
