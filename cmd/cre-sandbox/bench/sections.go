//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/keyring/keyringtest"
)

// bench is one run of the benchmark.
type bench struct {
	bin, dir string // of the programs, and for everything else
	token    string
	rounds   int
}

// targets are what a get is to take at most, over each other program.
var targets = map[string]float64{gitPeer: 0.30, docker: 0.30, gokeyring: 0.75, floor: 1.5}

// faultsTarget is how many page faults a get from the keychain is to take at
// most.
const faultsTarget = 350

// gets compares a get with its peers, and draws it.
func (b bench) gets(ctx context.Context, picture string) (*table, error) {
	d, err := newDesk(b.bin, b.dir, 0, b.token)
	if err != nil {
		return nil, err
	}
	defer d.close()
	subjects := d.everyGet()
	all, err := interleave(ctx, b.rounds, tasks(subjects...))
	if err != nil {
		return nil, err
	}
	t := newTable("program", "ms", "ours / it", "target", "CPU, ms", "peak, MiB", "page faults", "threads started", "D-Bus calls", "messages")
	for _, s := range subjects {
		threads, err := s.threads(ctx, b.dir)
		if err != nil {
			return nil, err
		}
		peak, err := s.peakMemory(ctx, b.dir)
		if err != nil {
			return nil, err
		}
		calls, messages, err := traffic(ctx, d.keyring, s)
		if err != nil {
			return nil, err
		}
		ratio, target := "", ""
		if s.name != ours {
			ratio = spread(all[ours].ratio(all[s.name]))
			target = atMost(targets[s.name])
		}
		faults := fmt.Sprintf("%.0f", all[s.name].faults().median)
		if s.name == ours {
			faults += fmt.Sprintf(" (≤ %d)", faultsTarget)
		}
		t.add(s.name, spread(all[s.name].wall()), ratio, target,
			number(all[s.name].cpu().median), fmt.Sprintf("%.1f", peak), faults, fmt.Sprint(threads), calls, messages)
	}
	return t, draw(picture, subjects, all)
}

// traffic counts what goes over the bus during one run of s: the calls, and
// everything with the replies and signals.
func traffic(ctx context.Context, k *keyringtest.Keyring, s subject) (calls, messages string, err error) {
	all, err := k.Messages(func() error {
		_, err := s.run(ctx)
		return err
	})
	if err != nil {
		return "", "", err
	}
	n := 0
	for _, m := range all {
		if keyringtest.IsCall(m) {
			n++
		}
	}
	return fmt.Sprint(n), fmt.Sprint(len(all)), nil
}

// others compares what needs no keychain with an empty program, and whoami,
// which asks a sandbox over HTTP.
func (b bench) others(ctx context.Context) (*table, error) {
	d, err := newFileDesk(b.bin, b.dir, b.token)
	if err != nil {
		return nil, err
	}
	platform, err := sandbox.Start(ctx, sandbox.Options{TokenSize: tokenSize})
	if err != nil {
		return nil, err
	}
	defer platform.Close()
	whoami, err := d.whoami(ctx, platform)
	if err != nil {
		return nil, err
	}
	file := d.ours()
	file.name = "`get`, the session in cre.yaml"
	k, err := newKernelDesk(b.bin, b.dir, b.token)
	if err != nil {
		return nil, err
	}
	defer k.close()
	inKernel := k.ours()
	inKernel.name = "`get`, the session in the kernel's keyring"
	subjects := []subject{
		d.empty(),
		d.subject("cre-credential-helper version", "", "version", "cre-credential-helper", "version"),
		file,
		inKernel,
		d.subject("cre --version", "", "cre version", "cre", "--version"),
		whoami,
	}
	targets := map[string]float64{file.name: 2.0, "cre --version": 2.5}
	all, err := interleave(ctx, b.rounds, tasks(subjects...))
	if err != nil {
		return nil, err
	}
	t := newTable("program", "ms", "it / empty", "target", "it / cre.yaml", "target", "CPU, ms", "page faults")
	for _, s := range subjects {
		x, ofFile, ofFileAtMost := all[s.name], "", ""
		if s.name == inKernel.name {
			ofFile, ofFileAtMost = spread(x.ratio(all[file.name])), atMost(1.3)
		}
		t.add(s.name, spread(x.wall()), spread(x.ratio(all[empty])), atMost(targets[s.name]), ofFile, ofFileAtMost, number(x.cpu().median),
			fmt.Sprintf("%.0f", x.faults().median))
	}
	return t, nil
}

// whoami is cre whoami with a session of the sandbox's, as the official CLI
// would keep it.
func (d *desk) whoami(ctx context.Context, platform *sandbox.Server) (subject, error) {
	session, err := platform.NewSession(ctx)
	if err != nil {
		return subject{}, err
	}
	there := *d
	there.home = d.home + "-sandbox"
	folder := filepath.Join(there.home, ".cre")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return subject{}, err
	}
	file := fmt.Sprintf("AccessToken: %s\nIDToken: %s\nRefreshToken: %s\nExpiresIn: 86400\nTokenType: Bearer\n",
		session.Access, session.ID, session.Refresh)
	s := there.subject("cre whoami", "", "email@domain.com", "cre", "whoami")
	s.env = append(s.env, platform.Env()...)
	return s, os.WriteFile(filepath.Join(folder, "cre.yaml"), []byte(file), 0o600)
}

// sizes compares keychains by how many items others keep in them.
func (b bench) sizes(ctx context.Context) (*table, error) {
	counts := []int{1, 100, 1000, 5000}
	var list []task
	var desks []*desk
	defer func() {
		for _, d := range desks {
			d.close()
		}
	}()
	name := func(s subject, n int) string { return fmt.Sprint(s.name, n) }
	for _, n := range counts {
		d, err := newDesk(b.bin, b.dir, n, b.token)
		if err != nil {
			return nil, err
		}
		desks = append(desks, d)
		for _, s := range []subject{d.ours(), d.floor(), d.git()} {
			s.name = name(s, n)
			list = append(list, tasks(s)...)
		}
	}
	all, err := interleave(ctx, b.rounds, list)
	if err != nil {
		return nil, err
	}
	t := newTable("items of others'", ours+", ms", "over 1 item", "target", floor+", ms", gitPeer+", ms")
	for i, n := range counts {
		d := desks[i]
		x := all[name(d.ours(), n)]
		target := ""
		if n == 1000 {
			target = atMost(1.3)
		}
		t.add(fmt.Sprint(n), spread(x.wall()), spread(x.ratio(all[name(d.ours(), counts[0])])), target,
			number(all[name(d.floor(), n)].wall().median), number(all[name(d.git(), n)].wall().median))
	}
	return t, nil
}

// parallel runs many gets at the same time.
func (b bench) parallel(ctx context.Context) (*table, error) {
	d, err := newDesk(b.bin, b.dir, 2, b.token) // a home of its own
	if err != nil {
		return nil, err
	}
	defer d.close()
	t := newTable("at the same time", "rounds", ours+", ms", gitPeer+", ms", "ours / it", "target")
	for _, n := range []int{1, 10, 100} {
		rounds := max(b.rounds/n, min(b.rounds, 20))
		all, err := interleave(ctx, rounds, []task{d.ours().parallel(n), d.git().parallel(n)})
		if err != nil {
			return nil, err
		}
		target := ""
		if n == 100 {
			target = atMost(0.5)
		}
		t.add(fmt.Sprint(n), fmt.Sprint(rounds), spread(all[ours].wall()), spread(all[gitPeer].wall()),
			spread(all[ours].ratio(all[gitPeer])), target)
	}
	return t, nil
}

func spread(q quartiles) string {
	return fmt.Sprintf("**%s** (%s–%s)", number(q.median), number(q.low), number(q.high))
}

func number(f float64) string {
	if f >= 100 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

func atMost(target float64) string {
	if target == 0 {
		return ""
	}
	return fmt.Sprintf("≤ %g", target)
}
