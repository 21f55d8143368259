// Package setup puts in order what stands beside this program, and takes that
// back: the official CLI of the same name ([Official]), and the lines by which
// git ([Git]) and docker ([Docker]) ask the credential helper.
//
// Each Do may be repeated: what is in order already is left alone, and said.
// Each Undo takes back what Do writes, for what it is told, and nothing else.
// Both return a line for each thing that they did or found; beside an error, for
// each thing that was done before it. Paths in the lines are as the operating
// system has them, so that they need cleaning before they are shown (package
// safetext).
//
// # What this package isn't for
//
// It edits no shell's profile and no PATH, and runs no program but git.
package setup

import (
	"errors"
	"fmt"
)

var (
	// ErrUnsafe: somebody else owns what is there, or may write to it.
	ErrUnsafe = errors.New("unsafe path")

	// ErrNoOfficial: the official CLI is not where its installer puts it.
	ErrNoOfficial = errors.New("no official CLI")

	// ErrInTheWay: something is there that Do didn't write and may not replace.
	ErrInTheWay = errors.New("something else is there")

	// ErrMoved: another program changed the file in the same moment.
	ErrMoved = errors.New("changed by another program in the same moment")

	// ErrNotJSON: docker's configuration is not one JSON object.
	ErrNotJSON = errors.New("not a JSON object")

	// ErrName: a host or a registry that can't be one.
	ErrName = errors.New("unusable name")
)

// defaultHelper is what git and docker call the helper: they put
// "git-credential-" and "docker-credential-" before it.
const defaultHelper = "cre"

// fault is one of the errors above in words of its own.
type fault struct {
	kind error
	text string
}

func faultf(kind error, format string, args ...any) error {
	return fault{kind, fmt.Sprintf(format, args...)}
}

func (f fault) Error() string { return f.text }
func (f fault) Unwrap() error { return f.kind }

// report collects what is said.
type report []string

func (r *report) sayf(format string, args ...any) { *r = append(*r, fmt.Sprintf(format, args...)) }

// missing says that a program won't be found by another one.
func (r *report) missing(find func(string) (string, error), program, by, folder string) {
	if _, err := find(program); err == nil {
		return
	}
	if folder == "" {
		folder = "the folder that it was installed into"
	}
	r.sayf("warning: %s will not find %s: put %s on PATH", by, program, folder)
}
