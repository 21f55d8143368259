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
	rounds := flag.Int("rounds", 200, "how many rounds")
	root := flag.String("root", ".", "the checkout's top")
	write := flag.Bool("write", false, "put the figures into docs/performance.md")
	flag.Parse()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the sandbox's library logs every route
	if err := run(ctx, *root, *rounds, *write); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string, rounds int, write bool) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := bench{bin: filepath.Join(dir, "bin"), dir: dir, rounds: rounds}
	if err := os.Mkdir(b.bin, 0o700); err != nil {
		return err
	}
	if err := build(ctx, root, b.bin); err != nil {
		return err
	}
	if b.token, err = token(); err != nil {
		return err
	}
	all, err := b.measure(ctx, root, filepath.Join(dir, "performance.svg"))
	if err != nil {
		return err
	}
	figures := fmt.Sprintf("%s, %d rounds.\n\n", machine(ctx, dir), rounds)
	for _, s := range all {
		figures += s.String()
	}
	fmt.Print(figures)
	if !write {
		return nil
	}
	picture, err := os.ReadFile(filepath.Join(dir, "performance.svg"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "docs", "performance.svg"), picture, 0o644); err != nil {
		return err
	}
	return putInto(filepath.Join(root, "docs", "performance.md"), figures)
}

// measure runs all of it, which takes some minutes.
func (b bench) measure(ctx context.Context, root, picture string) (all []section, err error) {
	gets, err := b.gets(ctx, picture)
	if err != nil {
		return nil, err
	}
	for _, s := range []struct {
		heading, note string
		run           func() (*table, error)
	}{
		{"Without a keychain", "The session in `cre.yaml`, and the front-end. `cre whoami` asks a sandbox on loopback, over HTTP.",
			func() (*table, error) { return b.others(ctx) }},
		{"A keychain with many items", "Each with its own gnome-keyring; all of them run at the same time.",
			func() (*table, error) { return b.sizes(ctx) }},
		{"Many at the same time", "The time until the last one has its answer.",
			func() (*table, error) { return b.parallel(ctx) }},
		{"Sizes", "As `make build` makes them, without symbols.",
			b.binaries},
		{"What is in the helper", "By the symbols of a build that still has them. Their names, and the tables that the runtime finds functions and types by, are in none of these.",
			func() (*table, error) { return b.costs(ctx, root) }},
	} {
		t, err := s.run()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.ToLower(s.heading), err)
		}
		all = append(all, section{s.heading, s.note, t})
	}
	return append([]section{{"One get from gnome-keyring", "A token of 2,500 bytes. D-Bus calls are those to the keychain and to the bus, Hello included; messages are all that go over the bus.", gets}}, all...), nil
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
