// Cre logs a person in to the CRE platform and out again, and says who is
// logged in. It keeps no secret itself: it asks a credential helper.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/cli/browser"
	"golang.org/x/term"

	"cre-credential-helper/cmd/internal/coredump"
	"cre-credential-helper/cmd/internal/endings"
	"cre-credential-helper/cmd/internal/terminal"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/fallback/plain"
)

func main() {
	endings.OutliveReadersAlone()
	ctx, stop := signal.NotifyContext(context.Background(), endings.Signals()...)
	defer stop()
	context.AfterFunc(ctx, stop)                            // a second signal ends the process at once
	log.SetOutput(io.Discard)                               // net/http logs what comes in on an idle connection: see web.NewTransport
	browser.Stdout, browser.Stderr = io.Discard, io.Discard // a browser's chatter helps nobody
	isTerminal, columns := screen(os.Stderr)
	m := machine{
		getenv:     os.Getenv,
		setenv:     os.Setenv,
		unsetenv:   os.Unsetenv,
		environ:    os.Environ,
		homeDir:    plain.Home,
		workDir:    os.Getwd,
		executable: os.Executable,
		now:        time.Now,
		http:       func() *http.Client { return web.NewClient(0) },
		in:         os.Stdin,
		out:        os.Stdout,
		toTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		ui:         newUI(os.Stderr, isTerminal, columns, os.Getenv),
	}
	if isTerminal {
		m.keyboard = terminal.New(os.Stdin)
	}
	if err := coredump.Disable(); err != nil {
		m.ui.warn(fmt.Sprintf("a core dump would hold tokens, and can't be switched off: %v", err))
	}
	os.Exit(m.run(ctx, os.Args))
}

// screen tells whether file is a terminal, and its width now, or 0.
func screen(file *os.File) (isTerminal bool, columns func() int) {
	fd := int(file.Fd())
	return term.IsTerminal(fd), func() int {
		width, _, err := term.GetSize(fd)
		if err != nil {
			return 0
		}
		return width
	}
}
