package simulation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/fallback"
	"cre-credential-helper/fallback/plain"
)

// Home is a home directory, with .cre in it.
type Home struct {
	world  *World
	number int
	dir    string
	locks  []*lock // the last one is cre.lock; earlier ones were removed with everything

	full   span      // while there is no room on the disk
	seen   paper     // what was seen in cre.yaml last
	past   []chapter // what session was there, and since when
	handed []*grant  // out, to programs that ask
}

// paper is what a cre.yaml says.
type paper struct {
	kept    kept
	standIn string // "" for none
	pointer bool
	account string // that the pointer names
	damaged bool
}

func newHome(w *World, number int, dir string) (*Home, error) {
	h := &Home{world: w, number: number, dir: filepath.Join(dir, fmt.Sprint(number))}
	h.newLock()
	return h, os.MkdirAll(h.dir, 0o700)
}

func (h *Home) newLock() {
	h.locks = append(h.locks, &lock{world: h.world, name: fmt.Sprintf("cre.lock %d of home %d", len(h.locks)+1, h.number)})
}

func (h *Home) lock() *lock { return h.locks[len(h.locks)-1] }

func (h *Home) folder() string { return filepath.Join(h.dir, ".cre") }

func (h *Home) path() string { return filepath.Join(h.folder(), "cre.yaml") }

// read looks at cre.yaml, independently of package fallback.
func (h *Home) read() paper {
	data, err := os.ReadFile(h.path())
	if err != nil {
		return paper{damaged: !errors.Is(err, fs.ErrNotExist)}
	}
	var p paper
	p.damaged = strings.ContainsRune(string(data), 0)
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		value = strings.Trim(value, `"`)
		switch {
		case key == "AccessToken" && strings.HasPrefix(value, plain.StandInPrefix):
			p.standIn = value
		case key == "AccessToken":
			p.kept.access = value
		case key == "RefreshToken":
			p.kept.refresh = value
		case (strings.HasPrefix(key, "- https") || strings.HasPrefix(key, "- kernel+https")) && strings.HasSuffix(key, h.world.env.Origin().Host):
			p.pointer = true
			e, _ := plain.ParseEntry(strings.TrimPrefix(key, "- "))
			if e.Username != nil {
				p.account = *e.Username
			}
		}
	}
	if g := h.world.grantOf(p.kept); g != nil {
		p.kept.username = g.family.person
	}
	return p
}

// everything is all that is in the folder's files.
func (h *Home) everything() string {
	var all strings.Builder
	entries, _ := os.ReadDir(h.folder())
	for _, e := range entries {
		data, _ := os.ReadFile(filepath.Join(h.folder(), e.Name()))
		all.Write(data)
	}
	return all.String()
}

// span is a time from its beginning to its end.
type span struct{ from, to time.Time }

func (s span) has(t time.Time) bool { return !t.Before(s.from) && t.Before(s.to) }

// errFull is what a write meets on a full disk.
var errFull = fmt.Errorf("write cre.yaml: %w", syscall.ENOSPC)

// room fails when the disk is full. The world is held.
func (h *Home) room() error {
	if h.full.has(time.Now()) {
		return errFull
	}
	return nil
}

// files is the folder as one process reaches it. Its lock is the world's: a
// process that waits for the system's would stop the bubble's clock.
type files struct {
	session.Files
	process *Process
}

func (p *Process) files() session.Files {
	return files{session.FilesIn(fallback.InHome(p.home.dir)), p}
}

// Lock implements [session.Files]. A lock that isn't there any more once it is
// had is none.
func (f files) Lock(ctx context.Context) (func() error, error) {
	for {
		f.process.world.hold()
		l := f.process.home.lock()
		f.process.world.leave()
		if err := l.take(ctx, f.process); err != nil {
			return nil, err
		}
		leave := f.process.step("has a look at " + l.name)
		if l == f.process.home.lock() {
			f.process.fileHeld = time.Now()
			leave()
			return sync.OnceValue(func() error {
				defer f.process.step("frees " + l.name)()
				l.free(f.process)
				return nil
			}), nil
		}
		l.free(f.process)
		leave()
	}
}

// ReadSession implements [session.Files].
func (f files) ReadSession() (fallback.File, error) {
	defer f.process.step("reads cre.yaml")()
	return f.Files.ReadSession()
}

// ReplaceSession implements [session.Files].
func (f files) ReplaceSession(old, fresh fallback.File) (fallback.File, error) {
	defer f.process.step("replaces cre.yaml")()
	defer f.process.world.judgeWrite(f.process, true)
	if err := f.process.home.room(); err != nil && !fresh.IsZero() {
		return old, err
	}
	return f.Files.ReplaceSession(old, fresh)
}

// Check implements [session.Files].
func (f files) Check() error {
	defer f.process.step("checks the folder")()
	if err := f.process.home.room(); err != nil {
		return err
	}
	defer f.process.world.judgeWrite(f.process, true)
	return f.Files.Check()
}

// StageSession implements [session.Files].
func (f files) StageSession() (session.Stage, error) {
	defer f.process.step("stages a cre.yaml")()
	if err := f.process.home.room(); err != nil {
		return nil, err
	}
	s, err := f.Files.StageSession()
	if err != nil {
		return nil, err
	}
	return stage{s, f.process}, nil
}

// stage is a [session.Stage] as one process reaches it.
type stage struct {
	session.Stage
	process *Process
}

// Replace implements [session.Stage].
func (s stage) Replace(old, fresh fallback.File) error {
	defer s.process.step("renames its stage to cre.yaml")()
	defer s.process.world.judgeWrite(s.process, true)
	return s.Stage.Replace(old, fresh)
}

// Discard implements [session.Stage].
func (s stage) Discard() {
	defer s.process.step("discards its stage")()
	s.Stage.Discard()
}
