package doctor

import (
	"context"
	"errors"
	"fmt"

	"cre-credential-helper/cmd/internal/oauth"
)

// port listens for a moment where a login would.
func (d desk) port(ctx context.Context) []Finding {
	err := oauth.CheckPort(ctx)
	taken, _ := errors.AsType[*oauth.PortError](err)
	what := fmt.Sprintf("port %d, which the browser comes back to,", oauth.Port)
	switch {
	case err == nil:
		return []Finding{ok("%s is free on every loopback address", what)}
	case taken != nil && taken.Outgoing():
		return []Finding{problem("%s is in use by a connection of another program to elsewhere", what).
			advise("log in in a minute: most such connections have ended then")}
	case taken != nil && taken.InUse():
		return []Finding{portTaken(what, taken)}
	case taken != nil && taken.Reserved():
		return []Finding{problem("%s is reserved by Windows, most likely for Hyper-V, WSL or Docker", what).
			advise("as an administrator, have the reservations made anew").run("net stop winnat; net start winnat")}
	}
	return []Finding{problem("%s can't be used: %v", what, err)}
}

// otherProgram is advice on a program that is no login, and may be worth more than one.
const otherProgram = "end it, or log in in a terminal, where the address that the browser ends up at can be pasted"

func portTaken(what string, e *oauth.PortError) Finding {
	if e.Holder > 0 {
		return problem("%s is in use by another cre login, process %d", what, e.Holder).
			advise("finish that login, or stop it").run(fmt.Sprintf("kill %d", e.Holder))
	}
	if pid, name := listener(oauth.Port); pid > 0 {
		return problem("%s is in use by %q, process %d", what, name, pid).advise(otherProgram)
	}
	return problem("%s is in use by another program", what).advise(otherProgram)
}
