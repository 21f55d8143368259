//go:build linux

// Bench measures how long a get takes, beside other credential helpers, on a
// real gnome-keyring, and puts the figures into docs/performance.md. make bench
// runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.IntVar(&o.rounds, "rounds", 200, "how many rounds")
	flag.StringVar(&o.root, "root", ".", "the checkout's top")
	flag.BoolVar(&o.write, "write", false, "put the figures into docs/performance.md")
	flag.StringVar(&o.only, "only", "", "measure the sections with this `TEXT` in their heading, and leave the others' figures")
	flag.Parse()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the sandbox's library logs every route
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	rounds int
	root   string
	write  bool
	only   string // empty: everything
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := bench{bin: filepath.Join(dir, "bin"), dir: dir, rounds: o.rounds}
	if err := os.Mkdir(b.bin, 0o700); err != nil {
		return err
	}
	if err := build(ctx, o.root, b.bin); err != nil {
		return err
	}
	if b.token, err = token(); err != nil {
		return err
	}
	picture := filepath.Join(dir, "performance.svg")
	all, err := b.measure(ctx, o, picture)
	if err != nil {
		return err
	}
	document := filepath.Join(o.root, "docs", "performance.md")
	if o.only != "" {
		for _, s := range all {
			fmt.Print(s)
		}
		if !o.write {
			return nil
		}
		return replaceSections(document, all)
	}
	figures := fmt.Sprintf("%s, %d rounds.\n\n", machine(ctx, dir), o.rounds)
	for _, s := range all {
		figures += s.String()
	}
	fmt.Print(figures)
	if !o.write {
		return nil
	}
	drawn, err := os.ReadFile(picture)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(o.root, "docs", "performance.svg"), drawn, 0o644); err != nil {
		return err
	}
	return putInto(document, figures)
}

// measure runs what is wanted. All of it takes some minutes.
func (b bench) measure(ctx context.Context, o options, picture string) (all []section, err error) {
	for _, s := range []struct {
		heading, note string
		run           func() (*table, error)
	}{
		{"One get from gnome-keyring", "A token of 2,500 bytes. D-Bus calls are those to the keychain and to the bus, Hello included; messages are all that go over the bus.",
			func() (*table, error) { return b.gets(ctx, picture) }},
		{"Without a keychain", "The session in `cre.yaml`, and the front-end. `cre whoami` asks a sandbox on loopback, over HTTP.",
			func() (*table, error) { return b.others(ctx) }},
		{"Through a grant", "The session is in the keychain of who grants it. A grant runs already, as it does in use.",
			func() (*table, error) { return b.granted(ctx) }},
		{"The official CLI through cre", fmt.Sprintf("A stand-in of the official CLI, which takes %v to start, beside a sandbox on loopback.", startup),
			func() (*table, error) { return b.handedOn(ctx) }},
		{"Requests through the exchange", "10,000 of one command, whose session is in the keychain, and of the official CLI itself with the session in `cre.yaml`. The sandbox on loopback answers at once, over HTTP: what a network and TLS take would be the same for both.",
			func() (*table, error) { return b.exchanged(ctx) }},
		{"A keychain with many items", "Each with its own gnome-keyring; all of them run at the same time.",
			func() (*table, error) { return b.sizes(ctx) }},
		{"Many at the same time", "The time until the last one has its answer.",
			func() (*table, error) { return b.parallel(ctx) }},
		{"Sizes", "As `make build` makes them, without symbols.",
			b.binaries},
		{"What is in the helper", "By the symbols of a build that still has them. Their names, and the tables that the runtime finds functions and types by, are in none of these.",
			func() (*table, error) { return b.costs(ctx, o.root) }},
	} {
		if !strings.Contains(s.heading, o.only) {
			continue
		}
		t, err := s.run()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.ToLower(s.heading), err)
		}
		all = append(all, section{s.heading, s.note, t})
	}
	return all, nil
}

// machine names what the figures were measured on.
func machine(ctx context.Context, dir string) string {
	const facts = `. /etc/os-release
model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo "$(nproc) × $model; $PRETTY_NAME, $(uname -sr | cut -d- -f1); $(go env GOVERSION); gnome-keyring $(dpkg-query -W -f='${Version}' gnome-keyring)"`
	text, err := output(ctx, dir, "sh", "-c", facts)
	if err != nil {
		return "An unknown machine"
	}
	return strings.TrimSpace(text)
}
