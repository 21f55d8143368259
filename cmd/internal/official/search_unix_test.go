//go:build unix

package official

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const script = "#!/bin/sh\nexit 0\n"

// place is a home and a PATH with two folders, in which nothing is yet.
type place struct {
	t              *testing.T
	home, one, two string
}

func newPlace(t *testing.T) place {
	p := place{t: t}
	root := t.TempDir()
	for dir, name := range map[*string]string{&p.home: "home", &p.one: "one", &p.two: "two"} {
		*dir = filepath.Join(root, name)
		p.do(os.Mkdir(*dir, 0o700))
	}
	p.do(os.MkdirAll(p.installed(""), 0o700))
	return p
}

func (p place) do(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p place) installed(name string) string { return filepath.Join(p.home, ".cre", "bin", name) }

func (p place) search() Search {
	self, err := os.Executable()
	p.do(err)
	return Search{Path: p.one + ":" + p.two, Home: p.home, Self: self}
}

// put writes a program, and returns its path.
func (p place) put(path, text string) string {
	p.t.Helper()
	p.do(os.WriteFile(path, []byte(text), 0o700))
	return path
}

// copySelf puts a copy of this program there.
func (p place) copySelf(path string) {
	p.t.Helper()
	in, err := os.Open(p.search().Self)
	p.do(err)
	defer in.Close() //nolint:errcheck // only read
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o700)
	p.do(err)
	_, err = io.Copy(out, in)
	p.do(errors.Join(err, out.Close()))
}

func TestTheOfficialCLIIsFoundInOrder(t *testing.T) {
	p := newPlace(t)
	expect := func(want string) {
		t.Helper()
		if got, err := p.search().Find(); got != want || err != nil {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
	if _, err := p.search().Find(); !errors.Is(err, ErrMissing) {
		t.Errorf("nothing there: %v", err)
	}
	expect(p.put(p.installed("cre"), script))
	expect(p.put(filepath.Join(p.two, "cre"), script))
	expect(p.put(filepath.Join(p.one, "cre"), script))
	expect(p.put(p.installed("cre-official"), script))
	expect(p.put(filepath.Join(p.two, "cre-official"), script))
	s := p.search()
	for named, want := range map[string]string{
		"mine":                       p.put(filepath.Join(p.two, "mine"), script),
		p.installed("cre"):           p.installed("cre"),
		filepath.Join(p.one, "cre"):  filepath.Join(p.one, "cre"),
		p.one + "/../one/cre":        filepath.Join(p.one, "cre"),
		filepath.Join(p.two, "mine"): filepath.Join(p.two, "mine"),
	} {
		s.Named = named
		if got, err := s.Find(); got != want || err != nil {
			t.Errorf("named %s: %s, %v", named, got, err)
		}
	}
	for _, named := range []string{"absent", "./absent", filepath.Join(p.one, "absent")} {
		s.Named = named
		if got, err := s.Find(); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), named) {
			t.Errorf("named %s: %s, %v", named, got, err)
		}
	}
}

func TestThisProgramIsNeverFound(t *testing.T) {
	p := newPlace(t)
	s := p.search()
	p.do(os.Symlink(s.Self, filepath.Join(p.one, "cre")))
	p.do(os.Symlink(filepath.Join(p.one, "cre"), filepath.Join(p.two, "cre")))
	p.do(os.Symlink(filepath.Join("..", "..", "..", "two", "cre"), p.installed("cre-official")))
	p.copySelf(p.installed("cre"))
	if got, err := s.Find(); !errors.Is(err, ErrMissing) {
		t.Errorf("%s, %v", got, err)
	}
	for _, named := range []string{"cre", s.Self, p.installed("cre"), p.installed("cre-official")} {
		s.Named = named
		if got, err := s.Find(); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "this program itself") {
			t.Errorf("named %s: %s, %v", named, got, err)
		}
	}
	s.Named = ""
	s.Path += ":" + p.home
	p.copySelf(filepath.Join(p.home, "cre"))
	otherVersion, err := os.OpenFile(filepath.Join(p.home, "cre"), os.O_APPEND|os.O_WRONLY, 0)
	p.do(err)
	_, err = otherVersion.WriteString("another length")
	p.do(errors.Join(err, otherVersion.Close()))
	if got, err := s.Find(); !errors.Is(err, ErrMissing) {
		t.Errorf("another version: %s, %v", got, err)
	}
	p.do(os.Remove(filepath.Join(p.home, "cre")))
	want := p.put(filepath.Join(p.home, "cre"), script)
	if got, err := s.Find(); got != want || err != nil {
		t.Errorf("behind ours: %s, %v", got, err)
	}
}

func TestACopyOfWhateverThisProgramIsIsNotFound(t *testing.T) {
	p := newPlace(t)
	s := p.search()
	s.Self = p.put(filepath.Join(p.home, "self"), script+strings.Repeat("#\n", 100_000)) // not built by Go
	p.put(filepath.Join(p.one, "cre"), script+strings.Repeat("#\n", 100_000))
	want := p.put(filepath.Join(p.two, "cre"), script+strings.Repeat("#\n", 99_999)+"x\n")
	if got, err := s.Find(); got != want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestRelativeEntriesOfPATHAreSkipped(t *testing.T) {
	p := newPlace(t)
	p.put(filepath.Join(p.one, "cre"), script)
	t.Chdir(p.one)
	s := p.search()
	for _, path := range []string{".", "", ":", "../one", "./:one"} {
		s.Path = path
		if got, err := s.Find(); !errors.Is(err, ErrMissing) {
			t.Errorf("%q: %s, %v", path, got, err)
		}
	}
}

func TestWhatCannotBeStartedIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		make func(p place, path string)
		want string
	}{
		"broken link":    {func(p place, path string) { p.do(os.Symlink("nowhere", path)) }, "is a link to nothing"},
		"link to itself": {func(p place, path string) { p.do(os.Symlink(path, path)) }, "too many"},
		"folder":         {func(p place, path string) { p.do(os.Mkdir(path, 0o700)) }, "is not a file"},
		"not executable": {func(p place, path string) { p.put(path, script); p.do(os.Chmod(path, 0o600)) }, "chmod +x"},
		"empty":          {func(p place, path string) { p.put(path, "") }, "is empty"},
		"others may write": {func(p place, path string) {
			p.put(path, script)
			p.do(os.Chmod(path, 0o707))
		}, "chmod go-w"},
		"others may write to its folder": {func(p place, path string) {
			p.put(path, script)
			p.do(os.Chmod(p.one, 0o707))
		}, "chmod go-w"},
		"others may write to what it links to": {func(p place, path string) {
			p.do(os.Chmod(p.put(filepath.Join(p.home, "x"), script), 0o707))
			p.do(os.Symlink("../home/x", path))
		}, "chmod go-w"},
		"others may write to the folder of a link": {func(p place, path string) {
			open := filepath.Join(p.home, "open")
			p.do(os.Mkdir(open, 0o700))
			p.do(os.Chmod(open, 0o777))
			p.do(os.Symlink(p.put(filepath.Join(p.home, "x"), script), filepath.Join(open, "link")))
			p.do(os.Symlink(filepath.Join(open, "link"), path))
		}, "chmod go-w"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			path := filepath.Join(p.one, "cre")
			c.make(p, path)
			for _, named := range []string{"", path} {
				s := p.search()
				s.Named = named
				got, err := s.Find()
				if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("named %q: %s, %v", named, got, err)
				}
			}
			good := p.put(filepath.Join(p.two, "cre"), script)
			if got, err := p.search().Find(); got != good || err != nil {
				t.Errorf("with a good one behind it: %s, %v", got, err)
			}
		})
	}
}

// TestAFolderForEverybodyIsNotToBeTightened: of one such as /tmp, others live.
func TestAFolderForEverybodyIsNotToBeTightened(t *testing.T) {
	p := newPlace(t)
	p.put(filepath.Join(p.one, "cre"), script)
	p.do(os.Chmod(p.one, 0o777|os.ModeSticky))
	_, err := p.search().Find()
	if !errors.Is(err, ErrUnusable) || strings.Contains(err.Error(), "chmod") || !strings.Contains(err.Error(), "move the official CLI to a folder that only you may write to") {
		t.Errorf("%v", err)
	}
}

func TestProgramsOfOtherUsersAreRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("left out: only root can give a file away")
	}
	p := newPlace(t)
	path := p.put(filepath.Join(p.one, "cre"), script)
	p.do(os.Chown(path, 12345, 0))
	if got, err := p.search().Find(); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "belongs to user 12345") {
		t.Errorf("%s, %v", got, err)
	}
	p.do(os.Chown(path, 0, 12345))
	p.do(os.Chmod(path, 0o770))
	if got, err := p.search().Find(); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "a group may write") {
		t.Errorf("%s, %v", got, err)
	}
	p.do(os.Chown(path, 0, 0))
	if got, err := p.search().Find(); got != path || err != nil {
		t.Errorf("root's group: %s, %v", got, err)
	}
}

func TestALoopEnds(t *testing.T) {
	value := ""
	for range maxHandedOn {
		next, err := HandedOn(value)
		if err != nil || next == value {
			t.Fatalf("%q after %q: %v", next, value, err)
		}
		value = next
	}
	if next, err := HandedOn(value); !errors.Is(err, ErrLoop) {
		t.Errorf("%q, %v", next, err)
	}
	for _, foreign := range []string{"yes", "-1", "99999999999999999999"} {
		if next, err := HandedOn(foreign); next != "1" || err != nil {
			t.Errorf("%q: %q, %v", foreign, next, err)
		}
	}
}
