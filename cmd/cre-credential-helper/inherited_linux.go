package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"

	"cre-credential-helper/cmd/internal/foreground"
	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/cmd/internal/unixsocket"
)

// firstExtra is the descriptor that a command inherits first, besides the streams.
const firstExtra = 3

// askInherited asks by a descriptor that this process has inherited.
func askInherited(number string, question []byte) (io.ReadCloser, error) {
	fd, err := strconv.ParseUint(number, 10, 16)
	if err != nil || fd < firstExtra {
		return nil, fmt.Errorf("%w: %s takes the number of a descriptor, not %.20q", status.ErrSetting, platform.VarGrantFD, number)
	}
	answer, err := unixsocket.Send(int(fd), question, grantTime)
	switch {
	case errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		return nil, fmt.Errorf("the grant (%s) has ended: start another one where the session is", platform.VarGrantFD)
	case err != nil:
		return nil, fmt.Errorf("the grant (%s=%s): %w", platform.VarGrantFD, number, err)
	}
	return answer, nil
}

// listenInherited has the command inherit the grant. Whoever it hands that on to may
// ask: there is no name that others could find.
func listenInherited(command *foreground.Command) (grant.Listener, []string, error) {
	listener, theirs, err := unixsocket.NewPassed()
	if err != nil {
		return nil, nil, err
	}
	command.Extra = []*os.File{theirs}
	return passedListener{listener}, []string{platform.VarGrantFD + "=" + strconv.Itoa(firstExtra)}, nil
}

// passedListener is a listener in the words of package grant.
type passedListener struct{ *unixsocket.Passed }

// Accept implements [grant.Listener].
func (l passedListener) Accept() (grant.Conn, grant.Peer, error) {
	q, err := l.Passed.Accept()
	return q, grant.Peer(q.Peer), err
}
