// Package coredump keeps what a process has in its memory, tokens among it, out
// of core dumps.
package coredump
