//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// granted compares a get through a grant with one from the keychain itself.
func (b bench) granted(ctx context.Context) (*table, error) {
	dir := filepath.Join(b.dir, "granted")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	d, err := newDesk(b.bin, dir, 0, b.token)
	if err != nil {
		return nil, err
	}
	defer d.close()
	local := d.ours()
	through, end, err := d.throughGrant(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	all, err := interleave(ctx, b.rounds, tasks(local, through))
	if err != nil {
		return nil, err
	}
	t := newTable("program", "ms", "it / ours", "target", "CPU, ms", "page faults")
	for _, s := range []subject{local, through} {
		ratio, target := "", ""
		if s.name == through.name {
			ratio, target = spread(all[s.name].ratio(all[local.name])), atMost(2)
		}
		t.add(s.name, spread(all[s.name].wall()), ratio, target, number(all[s.name].cpu().median), fmt.Sprintf("%.0f", all[s.name].faults().median))
	}
	return t, nil
}

// throughGrant is ours in a home without a session, which asks a grant of d's.
func (d *desk) throughGrant(ctx context.Context) (s subject, end func(), err error) {
	s = d.ours()
	s.name = "the same through a grant's socket"
	runtime, err := os.MkdirTemp("", "grant") // a socket's path is short
	if err != nil {
		return s, nil, err
	}
	grant := exec.CommandContext(ctx, d.path("cre-credential-helper"), "grant")
	grant.Env = append(d.env(), "XDG_RUNTIME_DIR="+runtime)
	out, err := grant.StdoutPipe()
	if err == nil {
		err = grant.Start()
	}
	if err != nil {
		return s, nil, err
	}
	end = func() {
		_ = grant.Process.Signal(os.Interrupt)
		_ = grant.Wait()
		_ = os.RemoveAll(runtime)
	}
	where, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		end()
		return s, nil, fmt.Errorf("the grant: %w", err)
	}
	s.env = append(s.env, "HOME="+runtime, "DBUS_SESSION_BUS_ADDRESS=disabled:", strings.TrimSpace(where))
	return s, end, nil
}
