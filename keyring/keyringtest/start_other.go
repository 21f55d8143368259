//go:build !linux

package keyringtest

import "os/exec"

// startBound starts a process. Only Linux can end it with this one.
func startBound(c *exec.Cmd) error { return c.Start() }
