//go:build unix

package grants

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/cmd/internal/unixsocket"
	"cre-credential-helper/helper"
)

func newFolder(t *testing.T) Folder {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "grants-") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return FolderFor(func(name string) string {
		if name != "XDG_RUNTIME_DIR" {
			t.Errorf("%s is read", name)
		}
		return dir
	})
}

// run has a grant of a name listen for who asks how it is.
func run(t *testing.T, f Folder, name string) (Place, *grant.Grant) {
	t.Helper()
	p, err := f.Make("")
	if err != nil {
		t.Fatal(err)
	}
	o, _ := helper.ParseOrigin("https://api.cre.chain.link")
	g := grant.New(grant.Policy{Name: name, Session: o, Origins: []helper.Origin{o}, For: time.Hour}, nil, func(grant.Use) {}, time.Now)
	if err := p.Control(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	return p, g
}

func TestGrantsAreListedAndRevokedByName(t *testing.T) {
	f := newFolder(t)
	if all, err := f.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("where none has been: %+v, %v", all, err)
	}
	if _, err := f.Revoke(t.Context(), ""); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
	first, one := run(t, f, "one")
	_, two := run(t, f, "two")
	_, again := run(t, f, "two")
	all, err := f.List(t.Context())
	if err != nil || len(all) != 3 || all[0].Name != "one" || all[0].Socket != first.Socket || all[0].PID != os.Getpid() {
		t.Fatalf("%+v, %v", all, err)
	}
	if ended, err := f.Revoke(t.Context(), "two"); err != nil || len(ended) != 2 || ended[0].Over == "" {
		t.Errorf("%+v, %v", ended, err)
	}
	if one.Over() != nil || two.Over() == nil || again.Over() == nil {
		t.Error("others than those of the name have ended")
	}
	if _, err := f.Revoke(t.Context(), "two"); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
	if ended, err := f.Revoke(t.Context(), ""); err != nil || len(ended) != 1 || one.Over() == nil {
		t.Errorf("%+v, %v", ended, err)
	}
	if all, err := f.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestWhatAnEndedGrantHasLeftIsSwept(t *testing.T) {
	f := newFolder(t)
	p, err := f.Make("")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{p.Socket, p.Key(), p.control} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lives, err := f.Make("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(p.dir); err != nil {
		t.Errorf("one that lives was swept: %v", err)
	}
	if err := p.locks[0].Abandon(); err != nil { // as the kernel does for who is killed
		t.Fatal(err)
	}
	last, err := f.Make("")
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(p.dir + "*"); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
	if err := errors.Join(lives.Remove(), last.Remove()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(string(f)); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}

func TestAGrantIsNotAskedForAtThePlaceOfAnother(t *testing.T) {
	f := newFolder(t)
	p, err := f.Make("")
	if err != nil {
		t.Fatal(err)
	}
	link := string(f) + "-link"
	if err := os.Symlink(p.dir, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{p.Socket, filepath.Join(link, "other"), filepath.Join(string(f), "x")} {
		if _, err := f.Make(path); err == nil {
			t.Errorf("%s was taken", path)
		}
	}
	if err := p.Remove(); err != nil {
		t.Error(err)
	}
}

func TestAFolderOfOthersIsRefused(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"open to others": func(path string) error { return errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, 0o755)) },
		"a link":         func(path string) error { return os.Symlink(t.TempDir(), path) },
		"a file":         func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"another user's": func(path string) error {
			if os.Geteuid() != 0 { // only root can give one away
				return os.WriteFile(path, nil, 0o600)
			}
			return errors.Join(os.Mkdir(path, 0o700), os.Chown(path, 54321, -1))
		},
	} {
		f := newFolder(t)
		if err := make(string(f)); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Make(""); err == nil {
			t.Errorf("%s: a grant was started", name)
		}
		if _, err := f.List(t.Context()); err == nil {
			t.Errorf("%s: it is believed", name)
		}
	}
}

func TestAGrantThatDoesNotAnswerIsSaid(t *testing.T) {
	f := newFolder(t)
	p, err := f.Make("")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.locks[0].Note("stopped"); err != nil {
		t.Fatal(err)
	}
	l, err := unixsocket.Listen(p.control, 0o600) // and accepts nobody
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, other := run(t, f, "other")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all, err := f.List(ctx)
	if err == nil || !strings.Contains(err.Error(), `"stopped"`) || len(all) != 2 || all[1].Name != "other" || all[1].Silent || other.Over() != nil {
		t.Errorf("%+v, %v", all, err)
	}
	if s := all[0]; s.Name != "stopped" || !s.Silent || runtime.GOOS == "linux" && s.PID != os.Getpid() {
		t.Errorf("%+v", s)
	}
}

func TestASocketThatSomebodyElseHasPutThereStays(t *testing.T) {
	f := newFolder(t)
	if err := f.make(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(string(f)), "s")
	for _, replaced := range []bool{false, true} {
		p, err := f.Make(path)
		if err != nil {
			t.Fatal(err)
		}
		l, err := p.Listen(0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if replaced {
			if err := os.Rename(path, path+".away"); err != nil {
				t.Fatal(err)
			}
			other, err := unixsocket.Listen(path, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
		}
		if err := p.Remove(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); (err == nil) != replaced {
			t.Errorf("replaced: %v; %v", replaced, err)
		}
	}
}
