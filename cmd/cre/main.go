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
	terminal := term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb"
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
		out:        os.Stdout,
		toTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		ui: &ui{
			err:      os.Stderr,
			animated: terminal,
			colored:  terminal && os.Getenv("NO_COLOR") == "",
		},
	}
	if err := coredump.Disable(); err != nil {
		m.ui.warn(fmt.Sprintf("a core dump would hold tokens, and can't be switched off: %v", err))
	}
	os.Exit(m.run(ctx, os.Args))
}
