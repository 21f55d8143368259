//go:build linux

// Bench measures how long a get takes, beside other credential helpers, on a
// real gnome-keyring. make bench runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	rounds := flag.Int("rounds", 150, "how many rounds")
	root := flag.String("root", ".", "the checkout's top")
	flag.Parse()
	if err := run(ctx, *root, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string, rounds int) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := build(ctx, root, dir); err != nil {
		return err
	}
	t, err := token()
	if err != nil {
		return err
	}
	d, err := newDesk(dir, dir, 0, t)
	if err != nil {
		return err
	}
	defer d.keyring.Close()
	f, err := newFileDesk(dir, dir, t)
	if err != nil {
		return err
	}
	all := append(d.others(), d.ours())
	file := f.ours()
	file.name = "file"
	version := d.subject("cre --version", "", "cre version", "cre", "--version")
	v2 := d.subject("helper version", "", "version", "cre-credential-helper", "version")
	all = append(all, file, version, v2)
	series, err := interleave(rounds, tasks(all...))
	if err != nil {
		return err
	}
	for _, s := range all {
		x := series[s.name]
		w := x.wall()
		r := series[ours].ratio(x)
		e := x.ratio(series[empty])
		fmt.Printf("%-32s %6.2f (%.2f-%.2f) ms cpu %.2f  ours/it %.2f (%.2f-%.2f)  it/empty %.2f\n", s.name, w.median, w.low, w.high, x.cpu().median, r.median, r.low, r.high, e.median)
	}
	return nil
}
