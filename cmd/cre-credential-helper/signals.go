package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/endings"
	"cre-credential-helper/cmd/internal/status"
)

// listenAfter is how long a get takes at the most that doesn't wait for
// anything. Until then it dies of a signal, as any program does: to listen
// costs a thread, and a get has nothing to lose. Nor has what a grant does.
const listenAfter = 20 * time.Millisecond

// interruptible returns the context of an operation, which a signal ends. A get
// it ends by the way, with exit: such a context never ends. Whoever is about to
// wait for another program calls listen first.
//
// Further signals change nothing: one Ctrl-C may arrive twice, from the terminal
// and from whoever runs this program.
func interruptible(op string, exit func(error)) (ctx context.Context, listen func()) {
	if op == "get" || isHandedOn(op) {
		listen = sync.OnceFunc(func() {
			signals := make(chan os.Signal, 1)
			signal.Notify(signals, endings.Signals()...)
			go func() {
				<-signals
				exit(status.ErrInterrupted)
			}()
		})
		time.AfterFunc(listenAfter, listen)
		return context.Background(), listen
	}
	ctx, _ = signal.NotifyContext(context.Background(), endings.Signals()...)
	return ctx, func() {}
}
