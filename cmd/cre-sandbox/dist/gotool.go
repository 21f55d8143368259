package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The tools that a release is made with, each of one version: another one might
// write other bytes.
const (
	nfpm      = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0"
	cyclonedx = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"
)

// programs are what is released.
var programs = []string{"cre", "cre-credential-helper", "cre-credential-net"}

// goTool is the go command, in a folder of the main module.
type goTool struct{ dir string }

// settled are the variables that change what the go command builds, and their
// values here. Where modules and caches are is the machine's own affair.
var settled = []string{
	"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOFIPS140=off",
	"GOAMD64=v1", "GOARM64=v8.0", "GO111MODULE=on", "LC_ALL=C", "TZ=UTC",
}

func (g goTool) output(ctx context.Context, env []string, args ...string) ([]byte, error) {
	return output(ctx, g.dir, env, "go", args...)
}

// output runs a program, in the settled environment and env.
func output(ctx context.Context, dir string, env []string, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), settled...), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, stderr.Bytes())
	}
	return out, nil
}

// install builds a tool, given as package@version, into a folder.
func (g goTool) install(ctx context.Context, folder, tool string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	_, err = g.output(ctx, []string{"GOBIN=" + folder, "GOOS=", "GOARCH="}, "install", "-trimpath", tool)
	return err
}

// build builds the programs for a target into a folder. Their modes don't hang
// on the umask, because nfpm gives a link the mode of what it leads to.
func (g goTool) build(ctx context.Context, version string, t target, folder string) error {
	args := []string{
		"build", "-trimpath", "-buildvcs=false", "-o", folder + string(filepath.Separator),
		"-ldflags=-s -w -X cre-credential-helper/cmd/internal/version.release=" + version,
	}
	for _, program := range programs {
		args = append(args, "./cmd/"+program)
	}
	if _, err := g.output(ctx, t.env(), args...); err != nil {
		return err
	}
	for _, program := range programs {
		if err := os.Chmod(filepath.Join(folder, t.exe(program)), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (t target) env() []string { return []string{"GOOS=" + t.os, "GOARCH=" + t.arch} }

// exe is a program's file name.
func (t target) exe(program string) string {
	if t.os == "windows" {
		return program + ".exe"
	}
	return program
}
