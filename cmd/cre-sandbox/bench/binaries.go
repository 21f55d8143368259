//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// binaries tells how big the programs are, as make build makes them.
func (b bench) binaries() (*table, error) {
	t := newTable("program", "MiB", "bytes")
	for _, name := range []string{"cre-credential-helper", "cre-credential-net", "cre", "gokeyring", "empty"} {
		info, err := os.Stat(filepath.Join(b.bin, name))
		if err != nil {
			return nil, err
		}
		t.add(name, mebibytes(info.Size()), fmt.Sprint(info.Size()))
	}
	return t, nil
}

// parts are what the helper's code and data is counted under: the first one
// whose prefix a symbol has. What has none is "everything else".
var parts = []struct {
	name     string
	prefixes []string
}{
	{"cryptography", []string{"crypto"}},
	{"encodings", []string{"encoding"}},
	{"URLs and addresses", []string{"net", "unique"}},
	{"files, processes and time", []string{"os", "io", "time", "path", "syscall", "golang.org/x"}},
	{"text", []string{"fmt", "strconv", "strings", "bytes", "bufio", "unicode"}},
	{"Go's runtime, and reflection", []string{"runtime", "internal", "reflect", "gc", "type:", "go:"}},
	{"this project", []string{"cre-credential-helper", "main"}},
}

// costs tells what the symbols of a helper that still has them add up to.
func (b bench) costs(ctx context.Context, root string) (*table, error) {
	whole := filepath.Join(b.dir, "with-symbols")
	if _, err := output(ctx, root, "go", "build", "-trimpath", "-o", whole, "./cmd/cre-credential-helper"); err != nil {
		return nil, err
	}
	symbols, err := output(ctx, root, "go", "tool", "nm", "-size", whole)
	if err != nil {
		return nil, err
	}
	total := map[string]int64{}
	for line := range strings.Lines(symbols) {
		fields := strings.Fields(line) // address, size, kind, name
		if len(fields) < 4 || !strings.ContainsAny(fields[2], "TtRrDd") {
			continue // what is zero at the start takes no room in the file
		}
		size, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil || size > 32<<20-1 {
			continue
		}
		total[partOf(fields[3])] += size
	}
	t := newTable("part of the helper", "MiB")
	for _, name := range slices.SortedFunc(maps.Keys(total), func(x, y string) int { return cmp.Compare(total[y], total[x]) }) {
		t.add(name, mebibytes(total[name]))
	}
	return t, nil
}

func partOf(symbol string) string {
	for _, p := range parts {
		for _, prefix := range p.prefixes {
			if strings.HasPrefix(symbol, prefix) {
				return p.name
			}
		}
	}
	return "everything else"
}

func mebibytes(n int64) string { return fmt.Sprintf("%.2f", float64(n)/(1<<20)) }
