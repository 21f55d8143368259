package fallback

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/fallback/internal/guarded"
	"cre-credential-helper/helper"
)

const officialLogin = "AccessToken: another\n"

func fileOf(access string) File {
	return File{Tokens: Tokens{Access: helper.NewSecret(access)}}
}

func read(t *testing.T, d Dir) File {
	t.Helper()
	f, err := d.ReadSession()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// big is a file of more than 1 MiB, whose bytes nobody takes.
func big(letter string) string { return strings.Repeat(letter, guarded.MaxSize+1) }

// everyReplacement replaces old by fresh in both ways, each in a directory of
// its own. between is done after old was read and the stage made.
func everyReplacement(t *testing.T, prepare, between func(t *testing.T, d Dir), fresh File, check func(t *testing.T, d Dir, err error)) {
	t.Helper()
	t.Run("at once", func(t *testing.T) {
		d := newDir(t)
		prepare(t, d)
		old, _ := d.ReadSession() // damaged, it is there to be replaced
		between(t, d)
		got, err := d.ReplaceSession(old, fresh)
		if want := map[bool]File{true: fresh, false: old}[err == nil]; diff(got, want) != "" {
			t.Errorf("returned a file that differs: %s", diff(got, want))
		}
		check(t, d, err)
	})
	t.Run("staged", func(t *testing.T) {
		d := newDir(t)
		prepare(t, d)
		old, _ := d.ReadSession() // damaged, it is there to be replaced
		s, err := d.StageSession()
		if err != nil {
			t.Fatal(err)
		}
		between(t, d)
		err = s.Replace(old, fresh)
		s.Discard()
		check(t, d, err)
	})
}

func planted(name, content string) func(t *testing.T, d Dir) {
	return func(t *testing.T, d Dir) { plant(t, d, name, content) }
}

func nothing(*testing.T, Dir) {}

func removed(t *testing.T, d Dir) {
	if err := os.Remove(d.SessionPath()); err != nil {
		t.Fatal(err)
	}
}

func allRemoved(t *testing.T, d Dir) {
	if err := removeTree(d.path); err != nil {
		t.Fatal(err)
	}
}

// state is what is at cre.yaml's place: its content, or what else is there.
func state(t *testing.T, d Dir) string {
	t.Helper()
	info, err := os.Lstat(d.SessionPath())
	switch {
	case err != nil:
		return "nothing"
	case info.IsDir():
		return "a directory"
	}
	return content(t, d, sessionName)
}

func TestWhatAnotherProgramDidStands(t *testing.T) {
	sameTimes := func(content string) func(t *testing.T, d Dir) {
		return func(t *testing.T, d Dir) {
			info, err := os.Lstat(d.SessionPath())
			if err != nil {
				t.Fatal(err)
			}
			plant(t, d, sessionName, content)
			if err := os.Chtimes(d.SessionPath(), info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}
	}
	replacedByDir := func(t *testing.T, d Dir) {
		if err := errors.Join(ignoreAbsent(os.Remove(d.SessionPath())), os.MkdirAll(d.SessionPath(), 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	replacedByBig := func(t *testing.T, d Dir) {
		info, err := os.Lstat(d.SessionPath())
		if err != nil {
			t.Fatal(err)
		}
		plant(t, d, "new", big("y"))
		err = errors.Join(os.Chtimes(d.file("new"), info.ModTime(), info.ModTime()), os.Rename(d.file("new"), d.SessionPath()))
		if err != nil {
			t.Fatal(err)
		}
	}
	later := func(t *testing.T, d Dir) {
		plant(t, d, sessionName, big("y"))
		if err := os.Chtimes(d.SessionPath(), time.Time{}, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name         string
		old, between func(t *testing.T, d Dir)
	}{
		{"a login", planted(sessionName, fiveKeys), planted(sessionName, officialLogin)},
		{"a change of one byte in place, at the same time", planted(sessionName, fiveKeys), sameTimes(strings.Replace(fiveKeys, "v1", "v2", 1))},
		{"another order of the keys", planted(sessionName, "TokenType: x\nIDToken: y\n"), planted(sessionName, "IDToken: y\nTokenType: x\n")},
		{"a first login", nothing, planted(sessionName, officialLogin)},
		{"a first login, of nothing", nothing, planted(sessionName, "")},
		{"an emptied file", planted(sessionName, fiveKeys), planted(sessionName, "")},
		{"a login over an empty file", planted(sessionName, ""), planted(sessionName, officialLogin)},
		{"a directory", planted(sessionName, fiveKeys), replacedByDir},
		{"a directory where nothing was", nothing, replacedByDir},
		{"a login over a damaged file", planted(sessionName, "["), planted(sessionName, officialLogin)},
		{"other damage", planted(sessionName, "["), planted(sessionName, "{")},
		{"a login over a directory", replacedByDir, func(t *testing.T, d Dir) {
			removed(t, d)
			plant(t, d, sessionName, officialLogin)
		}},
		{"a login over a file that is too large", planted(sessionName, big("x")), planted(sessionName, officialLogin)},
		{"another file that is too large", planted(sessionName, big("x")), replacedByBig},
		{"a file that is too large, written to", planted(sessionName, big("x")), later},
	} {
		for what, fresh := range map[string]File{"write": {Tokens: tokens()}, "removal": {}} {
			t.Run(tt.name+" before a "+what, func(t *testing.T) {
				var want string
				between := func(t *testing.T, d Dir) {
					tt.between(t, d)
					want = state(t, d)
				}
				everyReplacement(t, tt.old, between, fresh, func(t *testing.T, d Dir, err error) {
					if !errors.Is(err, helper.ErrChanged) || !strings.Contains(err.Error(), d.SessionPath()) {
						t.Errorf("got %v, want an ErrChanged that names %s", err, d.SessionPath())
					}
					if got := state(t, d); got != want {
						t.Errorf("left %.100q, want %.100q", got, want)
					}
					if left := names(t, d); len(left) != 1 {
						t.Errorf("left %q", left)
					}
				})
			})
		}
	}
}

func TestARemovalIsNotUndone(t *testing.T) {
	for name, removal := range map[string]func(t *testing.T, d Dir){"of the file": removed, "of the directory": allRemoved} {
		t.Run(name, func(t *testing.T) {
			everyReplacement(t, planted(sessionName, fiveKeys), removal, fileOf("fresh"), func(t *testing.T, d Dir, err error) {
				if !errors.Is(err, helper.ErrChanged) || state(t, d) != "nothing" {
					t.Errorf("got %v, and %q", err, state(t, d))
				}
				if _, err := os.Lstat(d.path); name == "of the directory" && err == nil {
					t.Errorf("the directory is back")
				}
			})
			everyReplacement(t, planted(sessionName, fiveKeys), removal, File{}, func(t *testing.T, d Dir, err error) {
				if err != nil {
					t.Errorf("a removal of what is gone: %v", err)
				}
			})
		})
	}
}

func TestWhatIsThereAlreadyNeedsNoReplacing(t *testing.T) {
	fresh := File{Tokens: tokens()}
	everyReplacement(t, planted(sessionName, officialLogin), planted(sessionName, fiveKeys), fresh, func(t *testing.T, d Dir, err error) {
		if err != nil || state(t, d) != fiveKeys || len(names(t, d)) != 1 {
			t.Errorf("got %v, left %q with %q", err, names(t, d), state(t, d))
		}
	})
}

func TestReplacementsFollowEachOther(t *testing.T) {
	d := newDir(t)
	file, err := d.ReadSession()
	for _, fresh := range []File{fileOf("1"), fileOf("2"), {}, {Keychain: []string{"https://a.example"}}, fileOf("3"), {}} {
		if err == nil {
			file, err = d.ReplaceSession(file, fresh)
		}
	}
	if err != nil || len(names(t, d)) != 0 {
		t.Errorf("got %v, left %q", err, names(t, d))
	}
}

func TestAStageHasItsRoomAndLosesIt(t *testing.T) {
	d := newDir(t)
	plant(t, d, sessionName, fiveKeys)
	s, err := d.StageSession()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(s.path)
	if err != nil || info.Size() < 64<<10+int64(len(fiveKeys)) || filepath.Dir(s.path) != d.path {
		t.Errorf("staged %v, %v", info, err)
	}
	s.Discard()
	if left := names(t, d); !slices.Equal(left, []string{sessionName}) {
		t.Errorf("left %q", left)
	}
}

func TestAStageIsUsedAgain(t *testing.T) {
	d := newDir(t)
	s, err := d.StageSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Discard()
	plant(t, d, sessionName, officialLogin)
	large := fileOf(strings.Repeat("x", 3*room))
	if err := s.Replace(File{}, large); !errors.Is(err, helper.ErrChanged) {
		t.Fatalf("got %v, want ErrChanged", err)
	}
	old := read(t, d)
	for range 2 { // the second finds fresh there already
		if err := s.Replace(old, File{Tokens: tokens()}); err != nil {
			t.Fatal(err)
		}
	}
	if got := state(t, d); got != fiveKeys {
		t.Errorf("wrote %q", got)
	}
}

func TestCheckReplacesTheFileItself(t *testing.T) {
	for _, content := range []string{fiveKeys, "", "[damaged", fiveKeys + pointer} {
		d := newDir(t)
		plant(t, d, sessionName, content)
		before, err := os.Stat(d.SessionPath())
		if err != nil {
			t.Fatal(err)
		}
		os.SameFile(before, before) // see lookOnce
		old, _ := d.ReadSession()   // damaged, it is there to be replaced
		if err := d.Check(); err != nil {
			t.Fatal(err)
		}
		after, err := os.Stat(d.SessionPath())
		if err != nil || os.SameFile(before, after) || state(t, d) != content || len(names(t, d)) != 1 {
			t.Errorf("left %q, with %q, the same file: %v", names(t, d), state(t, d), os.SameFile(before, after))
		}
		if _, err := d.ReplaceSession(old, File{Tokens: tokens()}); err != nil {
			t.Errorf("what was read before can't be replaced after it: %v", err)
		}
	}
}

func TestCheckLeavesWhatItCannotRead(t *testing.T) {
	d := newDir(t)
	if err := os.MkdirAll(d.SessionPath(), 0o700); err != nil {
		t.Fatal(err)
	}
	old, err := d.ReadSession()
	checkDamaged(t, err, d.SessionPath())
	if err := d.Check(); err != nil || state(t, d) != "a directory" || len(names(t, d)) != 1 {
		t.Errorf("got %v, left %q with %q", err, names(t, d), state(t, d))
	}
	if _, err := d.ReplaceSession(old, File{Tokens: tokens()}); err != nil {
		t.Error(err)
	}
}

// A File holds the tokens twice: as such, and in the bytes that it was read
// from.
func TestAFilePrintsNoToken(t *testing.T) {
	d := newDir(t)
	plant(t, d, sessionName, fiveKeys)
	file := read(t, d)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		printed := fmt.Sprintf(verb, file)
		for _, leak := range []string{"acc.ess", fmt.Sprintf("%x", "acc.ess"), strings.Trim(fmt.Sprint([]byte("acc.ess")), "[]")} {
			if strings.Contains(printed, leak) {
				t.Errorf("%s prints %s", verb, printed)
			}
		}
	}
}
