// Package endings says what ends a program, and what doesn't.
package endings

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// Signals returns those that end an operation. One that whoever started the
// program has it ignore isn't among them: SIGHUP under nohup, SIGINT in a
// shell's background. It is asked before anything listens.
func Signals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
	return slices.DeleteFunc(all, signal.Ignored)
}

// OutliveReaders keeps the process alive when whoever reads its standard output
// or error has gone: what can't be said is dropped, and what has begun is done
// all the same. The programs that this one runs inherit it.
func OutliveReaders() { signal.Ignore(syscall.SIGPIPE) }

// OutliveReadersAlone is [OutliveReaders] without the inheritance, for who runs
// strangers' programs. It costs a thread.
func OutliveReadersAlone() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
