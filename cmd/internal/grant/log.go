package grant

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/safetext"
)

const (
	maxShown = 200 // characters of what a consumer or a file has a say in

	refusalPause = time.Second // between two refusals in the log
)

// Peer is who asks, as far as the kernel knows.
type Peer struct {
	UID     int    `json:"uid"`               // -1: not known
	PID     int    `json:"pid,omitempty"`     // 0: not known
	Program string `json:"program,omitempty"` // that the process calls itself; "": not known
}

func (p Peer) String() string {
	who := "somebody unknown"
	if p.UID >= 0 {
		who = fmt.Sprintf("user %d", p.UID)
	}
	if p.PID > 0 {
		who += fmt.Sprintf(", process %d", p.PID)
	}
	if p.Program != "" {
		who += fmt.Sprintf(" (%s)", safetext.Clean(p.Program, maxShown))
	}
	return who
}

// Use is one question, without a secret.
type Use struct {
	Time      time.Time `json:"time"`
	Peer      Peer      `json:"peer"`
	Operation string    `json:"operation"`
	Origin    string    `json:"origin,omitempty"`
	Username  string    `json:"username,omitempty"`
	Expires   time.Time `json:"expires,omitzero"`  // of what was answered
	Refused   string    `json:"refused,omitempty"` // why nothing was; "": something was
	Failed    string    `json:"failed,omitempty"`  // why a request that was sent, as the entry before says, had no answer
}

func (u Use) String() string {
	at := u.Time.Local().Format(time.TimeOnly)
	if u.Refused != "" {
		return fmt.Sprintf("%s refused to %s: %s", at, u.Peer, u.Refused)
	}
	switch {
	case u.Failed != "":
		return fmt.Sprintf("%s had no answer for %s: %s", at, u.Peer, u.Failed)
	case u.Operation == OpStandIn:
		return fmt.Sprintf("%s said to %s whose session it is", at, u.Peer)
	case u.Operation == OpExchange:
		return fmt.Sprintf("%s sent a request to %s for %s", at, u.Origin, u.Peer)
	}
	text := fmt.Sprintf("%s answered %s to %s", at, u.Origin, u.Peer)
	if u.Expires.IsZero() {
		return text + ", without an end that is known"
	}
	return text + ", good until " + u.Expires.Local().Format(time.DateTime)
}

// Log keeps a line of each question, and of refusals no more than one a second.
type Log struct {
	Say  func(line string)
	File io.Writer // takes JSON, a line each; nil: none

	mu      sync.Mutex
	refused time.Time
	left    int
}

// Add is told of a question.
func (l *Log) Add(u Use) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := struct {
		Use
		Left int `json:"left,omitempty"` // refusals that were left out before this one
	}{Use: u}
	text := u.String()
	if u.Refused != "" {
		if since := u.Time.Sub(l.refused); since >= 0 && since < refusalPause {
			l.left++
			return
		}
		l.refused = u.Time
		if entry.Left = l.left; l.left > 0 {
			text += fmt.Sprintf(" (and %d more refusals)", l.left)
		}
		l.left = 0
	}
	l.Say(text)
	if l.File == nil {
		return
	}
	if err := json.NewEncoder(l.File).Encode(entry); err != nil {
		l.Say(fmt.Sprintf("warning: this is not in the log: %v", err))
	}
}
