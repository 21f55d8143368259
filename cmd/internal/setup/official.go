package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/onpath"
	"cre-credential-helper/cmd/internal/ourselves"
	"cre-credential-helper/fallback"
)

// Official puts this program and the official CLI in order, both of which are
// called cre. The official installer's folder comes first on PATH and holds the
// official one. [Official.Do] names that cre-official and puts a symbolic link to
// this program in its place; on Windows, where links need a right of their own, a
// copy. The zero value is of no use.
//
// The official installer moves a file over the link (mv, which replaces a link
// and never writes through it) and on Windows copies into the copy, so that this
// program itself is never written to. Do mends that. The official "cre update"
// replaces its own file, cre-official.
type Official struct {
	Home         string // the user's home directory, an absolute path
	Install      string // CRE_INSTALL, an absolute path; "": .cre in Home. Not looked at on Windows
	LocalAppData string // LOCALAPPDATA, on Windows only
	Self         string // this program, as os.Executable has it
	Path         string // PATH, to say which cre is found there

	copies bool // for tests: as on Windows
}

// Do fails with [ErrNoOfficial], [ErrUnsafe], [ErrInTheWay] and [ErrMoved], with
// the errors of [fallback.Dir.Lock], and with the operating system's. Killed at
// any step, it leaves every program under one of the names, and another Do goes on.
//
// What is called cre was put there last. So it becomes cre-official, and a
// cre-official that differs from it becomes cre-official.old, in the place of
// an older one.
//
// It also takes the group's right to write from ~/.cre, the folder and the
// official program, which a umask of 002 leaves there.
func (o Official) Do(ctx context.Context) ([]string, error) { return o.run(ctx, (*place).setUp) }

// Undo gives the official CLI its name back. The errors are Do's, but that there
// is no official CLI is none. Rights that Do took from the group aren't given back.
func (o Official) Undo(ctx context.Context) ([]string, error) {
	lines, err := o.run(ctx, (*place).takeBack)
	if errors.Is(err, ErrNoOfficial) {
		return []string{"nothing to take back: the official CLI is not where its installer puts it"}, nil
	}
	return lines, err
}

func (o Official) run(ctx context.Context, act func(*place) error) ([]string, error) {
	p, err := o.place()
	if err != nil {
		return nil, err
	}
	say := func(line string) { p.sayf("%s", line) }
	unlock, err := fallback.InHome(o.Home).Saying(say).Lock(ctx)
	if err != nil {
		return p.report, err
	}
	defer unlock() //nolint:errcheck // it ends with the process at the latest
	p.sweep()
	if err := act(p); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			err = fmt.Errorf("%w: see that %s is yours, and run chmod u+rwx on it", err, p.folder)
		}
		return p.report, err
	}
	p.sayf("%s", p.onPath(o.Path))
	return p.report, nil
}

// place is the official installer's folder.
type place struct {
	install string // what holds the folder; on Windows the folder itself
	folder  string
	self    string // without links
	program ourselves.Program
	exe     string // what programs' names end in
	copies  bool
	report
}

func (p *place) cre() string      { return filepath.Join(p.folder, "cre"+p.exe) }
func (p *place) official() string { return filepath.Join(p.folder, "cre-official"+p.exe) }
func (p *place) old() string      { return filepath.Join(p.folder, "cre-official.old"+p.exe) }

func (o Official) place() (*place, error) {
	self, err := filepath.EvalSymlinks(o.Self)
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	program, err := ourselves.Identify(self)
	if err != nil {
		return nil, err
	}
	p := &place{folder: official.InstallDir(o.Home, o.Install, o.LocalAppData), self: self, program: program, copies: o.copies}
	p.install = filepath.Dir(p.folder)
	if runtime.GOOS == "windows" {
		p.install, p.exe, p.copies = p.folder, ".exe", true
	}
	if !filepath.IsAbs(p.folder) {
		variable := official.VariableInstall
		if runtime.GOOS == "windows" {
			variable = "LOCALAPPDATA"
		}
		return nil, fmt.Errorf("the official installer's folder %s is not an absolute path: correct %s", p.folder, variable)
	}
	switch info, err := os.Stat(p.folder); {
	case errors.Is(err, fs.ErrNotExist), err == nil && !info.IsDir():
		return nil, p.noOfficial()
	case err != nil:
		return nil, err
	default:
		return p, checkAccess(p.folder, info)
	}
}

func (p *place) noOfficial() error {
	return fmt.Errorf("%w in %s: install it with its own installer, then run this again; one that is elsewhere needs no set-up", ErrNoOfficial, p.folder)
}

// tighten takes the group's right to write to what is there.
func (p *place) tighten(path string) error {
	tightened, err := tighten(path)
	if err != nil {
		return err
	}
	if tightened {
		p.sayf("tightened %s, which its group could write to", path)
	}
	return nil
}

// onPath says which cre a shell finds.
func (p *place) onPath(path string) string {
	for _, folder := range onpath.Dirs(path) {
		found := look(filepath.Join(folder, "cre"+p.exe), p.program)
		if found.err != nil || !found.isExecutable() {
			continue
		}
		switch {
		case found.kind == ours:
			return fmt.Sprintf("cre on PATH is %s: this program", found.path)
		case found.path == p.cre():
			return fmt.Sprintf("cre on PATH is %s: the official CLI", found.path)
		}
		return fmt.Sprintf("cre on PATH is %s, which is neither this program nor in %s", found.path, p.folder)
	}
	return fmt.Sprintf("there is no cre on PATH: put %s first on it", p.folder)
}
