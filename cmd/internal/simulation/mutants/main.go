// Mutants breaks the product on purpose, in one place at a time, and expects
// the simulation to notice. It is the simulation's own test, for maintainers:
//
//	go run ./cmd/internal/simulation/mutants [-seeds 10000] [name …]
//
// No source file is touched: the compiler gets the changed one as an overlay.
// The exit status is 1 if a mutant survives, doesn't compile, or isn't found
// where it should be.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// mutant is a change to one file of the product.
type mutant struct {
	name     string
	file     string // from the module's root
	old, new string // old occurs exactly once
}

const (
	simulation = "./cmd/internal/simulation"
	fleet      = "./cmd/internal/simulation/fleet" // for package kv
)

// world is the simulation that has to notice m.
func (m mutant) world() string {
	if strings.HasPrefix(m.file, "cmd/internal/kv/") || strings.HasPrefix(m.name, "fleet: ") {
		return fleet
	}
	return simulation
}

func main() {
	seeds := flag.Int("seeds", 10_000, "how many schedules a mutant may live through")
	flag.Parse()
	if err := run(*seeds, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(seeds int, names []string) error {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system's to clean
	all := mutants()
	for _, m := range all {
		if _, err := m.overlay(dir); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	for _, world := range []string{simulation, fleet} {
		if verdict, err := live(dir, world, "", seeds); err == nil {
			return fmt.Errorf("the product itself doesn't live through %d schedules of %s: %s", seeds, world, verdict)
		}
	}
	bad := 0
	for _, m := range all {
		if len(names) > 0 && !slices.Contains(names, m.name) {
			continue
		}
		began := time.Now()
		verdict, err := m.try(dir, seeds)
		if err != nil {
			bad++
			verdict = "NOT CAUGHT: " + err.Error()
		}
		fmt.Printf("%-56s %s (%.0f s)\n", m.name, verdict, time.Since(began).Seconds())
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d mutants are not caught", bad, len(all))
	}
	return nil
}

func mutants() []mutant {
	return slices.Concat(ofSession(), ofPlaces(), ofVaults(), ofStandIns(), ofFleet())
}

// try returns the seed that caught m, and the rule that it broke.
func (m mutant) try(dir string, seeds int) (verdict string, err error) {
	overlay, err := m.overlay(dir)
	if err != nil {
		return "", err
	}
	return live(dir, m.world(), overlay, seeds)
}

// live runs the simulation. Living through all is the error.
func live(dir, world, overlay string, seeds int) (verdict string, err error) {
	program := filepath.Join(dir, "simulation.test")
	build := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", program, world)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("it doesn't compile: %s", out)
	}
	out, err := exec.Command(program, "-test.run", "TestWorlds", "-test.timeout", "30m", "-seeds", fmt.Sprint(seeds)).CombinedOutput()
	if err == nil {
		return "", fmt.Errorf("it lives through %d schedules", seeds)
	}
	if found := regexp.MustCompile(`seed (\d+): (.*?): `).FindSubmatch(out); found != nil {
		return fmt.Sprintf("seed %s: %s", found[1], found[2]), nil
	}
	return "", fmt.Errorf("the simulation itself breaks down: %.2000s", out)
}

// overlay writes the changed file, and what tells the compiler of it.
func (m mutant) overlay(dir string) (path string, err error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		return "", fmt.Errorf("its text is %d times in %s, not once", n, m.file)
	}
	if m.old == m.new {
		return "", errors.New("it changes nothing")
	}
	changed := filepath.Join(dir, filepath.Base(m.file))
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
		return "", err
	}
	absolute, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {absolute: changed}})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}
