//go:build unix && !linux

package foreground

import "os"

// stopSignals are none where a child's stop can't be told from its end without
// taking that away from who waits for it: SIGTSTP then does what it does by
// default. From a terminal, it comes to both. From elsewhere, it stops this
// process alone.
func stopSignals() []os.Signal { return nil }

func hasStopped(int) bool { return false }
