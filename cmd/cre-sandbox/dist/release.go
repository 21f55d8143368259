package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// project is how the files' names begin.
const project = "cre-credential-helper"

// release is what is made, and what of. None of it is read from the machine.
type release struct {
	version    string // with its v
	source     string // the checkout
	out        string
	maintainer string
	url        string
	date       time.Time
	targets    []target
	formats    []string // of the packages for Linux
}

// target is a platform by Go's names.
type target struct{ os, arch string }

var (
	targets = []target{
		{"linux", "amd64"}, {"linux", "arm64"},
		{"darwin", "amd64"}, {"darwin", "arm64"},
		{"windows", "amd64"}, {"windows", "arm64"},
		{"freebsd", "amd64"},
	}
	formats = []string{"deb", "rpm", "apk"}
)

// number is the version as the files' names have it.
func (r release) number() string { return strings.TrimPrefix(r.version, "v") }

// name is a file's, without its ending, as goreleaser has it.
func (r release) name(what string, t target) string {
	return strings.Join([]string{what, r.number(), t.os, t.arch}, "_")
}

// make fills the out folder. With debOnly it leaves out the archives, the SBOMs
// and the checksums.
func (r release) make(ctx context.Context, debOnly bool) error {
	work, err := os.MkdirTemp("", "dist-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o777); err != nil {
		return err
	}
	g := goTool{dir: r.source}
	tools := filepath.Join(work, "tools")
	if err := g.install(ctx, tools, nfpm); err != nil {
		return err
	}
	common, err := r.commonFiles(ctx, g, work)
	if err != nil {
		return err
	}
	if !debOnly {
		if err := g.install(ctx, tools, cyclonedx); err != nil {
			return err
		}
	}
	for _, t := range r.targets {
		programs := filepath.Join(work, t.os+"_"+t.arch)
		if err := g.build(ctx, r.version, t, programs); err != nil {
			return err
		}
		if t.os == "linux" {
			if err := r.packages(ctx, tools, t, programs, common); err != nil {
				return err
			}
		}
		if debOnly {
			continue
		}
		if err := r.archive(t, programs, common); err != nil {
			return err
		}
		if err := r.sboms(ctx, tools, t, programs); err != nil {
			return err
		}
	}
	if debOnly {
		return nil
	}
	return r.sums()
}

// write puts a file into the out folder.
func (r release) write(name string, data []byte) error {
	if err := os.WriteFile(filepath.Join(r.out, name), data, 0o666); err != nil {
		return fmt.Errorf("write an artifact: %w", err)
	}
	return nil
}
