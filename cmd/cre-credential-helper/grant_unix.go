//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/cmd/internal/foreground"
	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/cmd/internal/grants"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/cmd/internal/unixsocket"
	"cre-credential-helper/helper"
)

const opGrant = "grant"

// grantTo runs a grant, and the command that it is for, and returns that one's exit
// status. Without a command it goes on until ctx ends or the time is up.
func grantTo(ctx context.Context, args []string, out io.Writer, net errand.Program, say func(string)) (int, error) {
	o, err := parseGrant(args)
	if errors.Is(err, errHelp) {
		return status.OK, printTo(out, grantUsage)
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %w; see %s grant --help", helper.ErrRequest, err, name)
	}
	command, err := o.command()
	if err != nil {
		return status.Missing, saying(say, err)
	}
	policy, source, err := o.policy(ctx, net, say)
	if err != nil {
		return 0, err
	}
	log := &grant.Log{Say: say}
	if o.log != "" {
		file, err := grant.OpenLog(o.log)
		if err != nil {
			return 0, fmt.Errorf("the log of the grant: %w", err)
		}
		defer file.Close() //nolint:errcheck // each line was written
		log.File = file
	}
	if command.Path != "" { // which handles signals itself
		ctx = context.WithoutCancel(ctx)
	}
	g := grant.New(policy, source, log.Add, time.Now)
	if o.stdio {
		return status.OK, o.serveStdin(ctx, g)
	}
	return o.serve(ctx, g, command, net, out, say)
}

// serveStdin answers the one question of the connection that the standard input is.
func (o grantOptions) serveStdin(ctx context.Context, g *grant.Grant) error {
	conn, err := unixsocket.Accepted(os.Stdin)
	if err != nil {
		return fmt.Errorf("%w: --stdio: %w: have systemd or launchd start this for each connection", helper.ErrRequest, err)
	}
	peer := grant.Peer(conn.Peer)
	g.ServeOne(ctx, conn, peer, o.admit(peer))
	return nil
}

// serve has the grant answer at its socket.
func (o grantOptions) serve(ctx context.Context, g *grant.Grant, command foreground.Command, net errand.Program, out io.Writer, say func(string)) (code int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	place, err := grants.FolderFor(os.Getenv).Make(o.socket)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, place.Remove()) }()
	listener, where, err := o.listen(&place, &command)
	if err != nil {
		return 0, err
	}
	if o.loopback {
		var stop func()
		if where, stop, err = carried(place, net); err != nil {
			return 0, errors.Join(err, listener.Close())
		}
		defer stop()
	}
	if o.fd {
		place.Socket = "" // there is none
	}
	if err := place.Control(ctx, g); err != nil {
		return 0, errors.Join(err, listener.Close())
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if over := g.Serve(ctx, listener, o.admit); over != nil {
			say(over.Error() + o.tokensLeft(g.State()))
		}
	}()
	say(o.announcement(g.State(), where))
	if command.Path == "" {
		if err := printTo(out, strings.Join(where, "\n")+"\n"); err != nil {
			say(err.Error())
		}
		<-served
		return status.OK, nil
	}
	// Of two values for one name the last one counts: not another grant's.
	command.Env = append(os.Environ(), platform.VarGrantFD+"=", platform.VarGrantSocket+"=", platform.VarGrantURL+"=")
	command.Env = append(command.Env, where...)
	process, err := foreground.Start(ctx, command)
	for _, file := range command.Extra { // it has its own
		_ = file.Close()
	}
	if err != nil {
		return status.Unusable, saying(say, fmt.Errorf("the command can't be started: %w", err))
	}
	code, err = process.Wait()
	cancel()
	<-served
	return code, err
}

// listen returns where the consumer asks, and the variables that say so.
func (o grantOptions) listen(place *grants.Place, command *foreground.Command) (l grant.Listener, variables []string, err error) {
	if o.fd {
		return listenInherited(command)
	}
	mode := os.FileMode(0o600)
	if o.uid >= 0 {
		mode = 0o666 // the folder keeps others out, and admit does
	}
	listener, err := place.Listen(mode)
	return socketListener{listener}, []string{platform.VarGrantSocket + "=" + place.Socket}, err
}

// carried has the grant's socket be asked by HTTP, by who has the capability.
func carried(place grants.Place, net errand.Program) (variables []string, stop func(), err error) {
	url, stop, err := net.CarryGrant(errand.GrantPath{Socket: place.Socket, KeyFile: place.Key()})
	return []string{platform.VarGrantURL + "=" + url, platform.VarGrantKey + "=" + place.Key()}, stop, err
}

// saying says why a status of a shell is returned.
func saying(say func(string), err error) error {
	say(err.Error())
	return nil
}

func (o grantOptions) announcement(s grant.State, where []string) string {
	text := fmt.Sprintf("grant %q for %s", s.Name, strings.Join(s.Asked(), ", "))
	if !s.Until.IsZero() {
		text += " until " + s.Until.Local().Format(time.DateTime)
	}
	if s.Count > 0 {
		text += fmt.Sprintf(", uses: %d at the most", s.Count)
	}
	return text + ", by " + strings.Join(where, " ")
}

// tokensLeft says what the end of a grant doesn't end.
func (o grantOptions) tokensLeft(s grant.State) string {
	if s.Tokens.After(time.Now()) {
		return ". What was answered is good until its own end, at the latest " + s.Tokens.Local().Format(time.DateTime)
	}
	return ""
}

// admit lets this user in, and the one that --uid names.
func (o grantOptions) admit(p grant.Peer) error {
	switch {
	case o.fd: // who has inherited it may ask
		return nil
	case p.UID == os.Geteuid(), o.uid >= 0 && p.UID == o.uid:
		return nil
	case p.UID < 0 || p.UID == unixsocket.OverflowUID():
		return errors.New("the kernel can't tell which user asks: a grant isn't for somebody unknown")
	}
	return fmt.Errorf("user %d may not ask this grant: start one with --uid %d", p.UID, p.UID)
}

// command is what the grant is for. Its zero value is none.
func (o grantOptions) command() (foreground.Command, error) {
	if len(o.argv) == 0 {
		return foreground.Command{}, nil
	}
	path, err := exec.LookPath(o.argv[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return foreground.Command{}, fmt.Errorf("the command can't be found: %w", err)
	}
	return foreground.Command{Path: path, Args: o.argv[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}, nil
}

// socketListener is a listener in the words of package grant.
type socketListener struct{ *unixsocket.Listener }

// Accept implements [grant.Listener].
func (l socketListener) Accept() (grant.Conn, grant.Peer, error) {
	conn, err := l.Listener.Accept()
	return conn, grant.Peer(conn.Peer), err
}
