//go:build unix

package grants

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/unixsocket"
)

const (
	askState  = "state\n"
	askRevoke = "revoke\n"

	controlTime = 2 * time.Second // for a question and its answer
	maxState    = 1 << 20         // bytes
	maxName     = 1 << 10         // the same
)

// ErrNone reports that no grant of that name runs.
var ErrNone = errors.New("no such grant")

// Control has the grant say how it is, and be ended, at its control socket, until
// ctx ends.
func (p Place) Control(ctx context.Context, g *grant.Grant) error {
	if err := p.locks[0].Note(g.State().Name); err != nil {
		return err
	}
	l, err := unixsocket.Listen(p.control, 0o600)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			switch {
			case errors.Is(err, os.ErrClosed):
				return
			case err != nil:
				time.Sleep(acceptPause)
			default:
				p.answer(conn, g)
			}
		}
	}()
	return nil
}

// acceptPause is how long to wait after a failure such as too many open files.
const acceptPause = 50 * time.Millisecond

// answer answers one question: they are this user's own, one after the other.
func (p Place) answer(conn unixsocket.Conn, g *grant.Grant) {
	defer conn.Close() //nolint:errcheck // a socket
	_ = conn.SetDeadline(time.Now().Add(controlTime))
	if uid := conn.Peer.UID; uid != os.Geteuid() && uid != 0 {
		return
	}
	asked, err := bufio.NewReader(io.LimitReader(conn, int64(len(askRevoke)))).ReadString('\n')
	switch {
	case err != nil:
		return
	case asked == askRevoke:
		g.Revoke()
	case asked != askState:
		return
	}
	state := g.State()
	state.Socket = p.Socket
	_ = json.NewEncoder(conn).Encode(state) // who has gone needs none
}

// List returns what the grants that run say of themselves, the oldest first. Those
// that don't answer are named among them, and an error, too.
func (f Folder) List(ctx context.Context) (all []grant.State, err error) {
	err = f.each(ctx, func(control string) error {
		s, err := ask(control, askState)
		if s.Silent || err == nil && s.Over == "" {
			all = append(all, s)
		}
		return err
	})
	slices.SortFunc(all, func(a, b grant.State) int { return a.Since.Compare(b.Since) })
	return all, err
}

// Revoke ends the grants of a name, or all of them for "", and returns what they
// said at their ends. None is [ErrNone].
func (f Folder) Revoke(ctx context.Context, name string) (all []grant.State, err error) {
	err = f.each(ctx, func(control string) error {
		s, err := ask(control, askState)
		if err != nil || s.Over != "" || name != "" && s.Name != name {
			return err
		}
		if s, err = ask(control, askRevoke); err == nil {
			all = append(all, s)
		}
		return err
	})
	if err == nil && len(all) == 0 {
		err = ErrNone
	}
	return all, err
}

func ask(control, question string) (s grant.State, err error) {
	conn, err := unixsocket.Dial(control, controlTime)
	if err != nil {
		return s, err
	}
	defer conn.Close() //nolint:errcheck // a socket
	if conn.Peer.UID != os.Geteuid() {
		return s, fmt.Errorf("%w: user %d listens at %s", unixsocket.ErrForeign, conn.Peer.UID, control)
	}
	if _, err := io.WriteString(conn, question); err != nil {
		return s, err
	}
	if err := json.NewDecoder(io.LimitReader(conn, maxState)).Decode(&s); err != nil {
		id := strings.TrimSuffix(control, controlEnding)
		s = grant.State{Name: noted(id), Origins: []string{}, PID: conn.Peer.PID, Silent: true}
		return s, fmt.Errorf("the grant %q (process %d, %s) doesn't answer: continue or end its process: %w", s.Name, s.PID, id, err)
	}
	return s, nil
}

// noted is the name of a grant that doesn't say it itself.
func noted(id string) string {
	file, err := os.Open(id + lockEnding)
	if err != nil {
		return ""
	}
	defer file.Close() //nolint:errcheck // only read
	text, _ := io.ReadAll(io.LimitReader(file, maxName))
	return safetext.Line(string(text))
}
