//go:build unix

package setup_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"cre-credential-helper/cmd/internal/setup"
)

func TestBothProgramsCalledCreAreInOrder(t *testing.T) {
	m := newMachine(t)
	m.lay(map[string]string{"cre": script("1")})

	lines, err := m.Do(t.Context())
	mustSay(t, lines, err, "renamed "+m.path("cre")+" to cre-official", "linked "+m.path("cre")+" to "+m.Self, "cre on PATH is "+m.path("cre")+": this program")
	inOrder := map[string]string{"cre": "-> SELF", "cre-official": script("1")}
	m.mustHold(inOrder)
	if got := m.run("cre-official"); got != "official 1\n" {
		t.Errorf("cre-official says %q", got)
	}
	if got := m.run("cre"); !strings.HasPrefix(got, "1 ") {
		t.Errorf("cre says %q", got)
	}

	was, _ := os.Lstat(m.path("cre"))
	lines, err = m.Do(t.Context())
	mustSay(t, lines, err, "nothing to change", "this program")
	m.mustHold(inOrder)
	if now, err := os.Lstat(m.path("cre")); err != nil || !os.SameFile(was, now) {
		t.Errorf("a second run replaced the link (%v)", err)
	}

	lines, err = m.Undo(t.Context())
	mustSay(t, lines, err, "renamed "+m.path("cre-official")+" to cre", ": the official CLI")
	m.mustHold(map[string]string{"cre": script("1")})
	lines, err = m.Undo(t.Context())
	mustSay(t, lines, err, "nothing to take back", ": the official CLI")
	if _, err := os.Stat(filepath.Join(m.Home, ".cre/cre.lock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lock is left: %v", err)
	}
}

// TestOnWindowsACopyTakesTheLinksPlace holds the way of Windows, on any system.
func TestOnWindowsACopyTakesTheLinksPlace(t *testing.T) {
	m := newMachine(t)
	m.Official = m.AsCopies()
	ours, older := read(t, programs.cre), read(t, programs.older)
	m.lay(map[string]string{"cre": script("1")})
	lines, err := m.Do(t.Context())
	mustSay(t, lines, err, "renamed", "copied "+m.Self+" to "+m.path("cre"), "this program")
	inOrder := map[string]string{"cre": ours, "cre-official": script("1")}
	m.mustHold(inOrder)
	lines, err = m.Do(t.Context())
	mustSay(t, lines, err, "nothing to change", "this program")
	m.mustHold(inOrder)

	write(t, m.path("cre"), older, 0o755)
	lines, err = m.Do(t.Context())
	mustSay(t, lines, err, "copied", "this program")
	m.mustHold(inOrder)

	write(t, m.path("cre"), script("2"), 0o755) // Copy-Item -Force, in the installer, writes into the copy
	lines, err = m.Do(t.Context())
	mustSay(t, lines, err, "renamed the older", "renamed", "copied", "this program")
	m.mustHold(map[string]string{"cre": ours, "cre-official": script("2"), "cre-official.old": script("1")})
	lines, err = m.Undo(t.Context())
	mustSay(t, lines, err, "renamed", "an older official CLI stays", "the official CLI")
	m.mustHold(map[string]string{"cre": script("2"), "cre-official.old": script("1")})
}

// TestWhatAnInstallerPutsOverTheLinkIsNotWrittenThroughIt runs the command with
// which every published install.sh puts its file in place, mv, from the same file
// system and from another one, and install(1).
func TestWhatAnInstallerPutsOverTheLinkIsNotWrittenThroughIt(t *testing.T) {
	other, err := os.MkdirTemp("/dev/shm", "setup")
	if err != nil { // not Linux
		other = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(other) })
	for name, command := range map[string][]string{
		"mv":                          {"mv", filepath.Join(t.TempDir(), "new")},
		"mv from another file system": {"mv", filepath.Join(other, "new")},
		"install":                     {"install", filepath.Join(t.TempDir(), "new")},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.lay(map[string]string{"cre": script("1")})
			if lines, err := m.Do(t.Context()); err != nil {
				t.Fatal(lines, err)
			}
			write(t, command[1], script("2"), 0o755)
			command = append(command, m.path("cre"))
			if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			m.mustHold(map[string]string{"cre": script("2"), "cre-official": script("1")})

			lines, err := m.Do(t.Context())
			mustSay(t, lines, err, "renamed the older "+m.path("cre-official")+" to cre-official.old", "renamed", "linked", "this program")
			m.mustHold(map[string]string{"cre": "-> SELF", "cre-official": script("2"), "cre-official.old": script("1")})
		})
	}
}

func TestAnOfficialUpdateReplacesItsOwnFile(t *testing.T) {
	m := newMachine(t)
	m.lay(map[string]string{"cre": read(t, programs.official)})
	if lines, err := m.Do(t.Context()); err != nil {
		t.Fatal(lines, err)
	}
	fresh := m.path("fresh")
	write(t, fresh, script("2"), 0o755)
	if got := m.run("cre-official", "update", fresh); got != "3 "+m.path("cre-official")+"\n" {
		t.Errorf("the official CLI takes itself for %q", got)
	}
	inOrder := map[string]string{"cre": "-> SELF", "cre-official": script("2")}
	m.mustHold(inOrder)
	lines, err := m.Do(t.Context())
	mustSay(t, lines, err, "nothing to change", "this program")
	m.mustHold(inOrder)
}

// TestWhateverIsInTheFolderIsPutInOrder begins from each state in which a kill, an
// installer or a person leaves the folder.
func TestWhateverIsInTheFolderIsPutInOrder(t *testing.T) {
	one, two := script("1"), script("2")
	inOrder := map[string]string{"cre": "-> SELF", "cre-official": one}
	older := map[string]string{"cre": "-> SELF", "cre-official": two, "cre-official.old": one}
	tests := []struct {
		name        string
		files, want map[string]string
	}{
		{"killed when both names were one file's", map[string]string{"cre": one, "cre-official": "= cre"}, inOrder},
		{"killed without hard links", map[string]string{"cre-official": one}, inOrder},
		{"killed before the link was renamed", map[string]string{"cre": one, "cre-official": "= cre", ".cre-setup-X": "-> SELF"}, inOrder},
		{"killed when the older one had its name", map[string]string{"cre": two, "cre-official.old": one}, older},
		{"killed after that", map[string]string{"cre": two, "cre-official": "= cre", "cre-official.old": one}, older},
		{"installed anew", map[string]string{"cre": two, "cre-official": one}, older},
		{"installed anew, twice", map[string]string{"cre": two, "cre-official": one, "cre-official.old": script("0")}, older},
		{"installed anew, the same", map[string]string{"cre": one, "cre-official": one}, inOrder},
		{"a link to nowhere", map[string]string{"cre": "-> /nowhere/cre", "cre-official": one}, inOrder},
		{"a link to an older version", map[string]string{"cre": "-> " + programs.older, "cre-official": one}, inOrder},
		{"a copy of an older version", map[string]string{"cre": read(t, programs.older), "cre-official": one}, inOrder},
		{"a copy of this version", map[string]string{"cre": read(t, programs.cre), "cre-official": one}, inOrder},
		{"a person's link to another copy", map[string]string{"cre": "-> cre-1.27", "cre-1.27": one, "cre-official": one}, map[string]string{"cre": "-> SELF", "cre-official": "-> cre-1.27", "cre-1.27": one, "cre-official.old": one}},
		{"a person's link to cre-official", map[string]string{"cre": "-> cre-official", "cre-official": one}, inOrder},
		{"a person's link to cre", map[string]string{"cre": one, "cre-official": "-> cre"}, inOrder},
		{"a person's link to the official CLI", map[string]string{"cre": "-> cre-1.27", "cre-1.27": one}, map[string]string{"cre": "-> SELF", "cre-official": "-> cre-1.27", "cre-1.27": one}},
		{"cre-official leads to nowhere", map[string]string{"cre": one, "cre-official": "-> gone"}, map[string]string{"cre": "-> SELF", "cre-official": one, "cre-official.old": "-> gone"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.lay(tt.files)
			if lines, err := m.Do(t.Context()); err != nil {
				t.Fatal(lines, err)
			}
			m.mustHold(tt.want)
			lines, err := m.Do(t.Context())
			mustSay(t, lines, err, "nothing to change", "this program")
			m.mustHold(tt.want)
		})
	}
}

func TestUndoTakesBackWhatDoWroteAndNothingElse(t *testing.T) {
	one, two := script("1"), script("2")
	onlyOne := map[string]string{"cre": one}
	tests := []struct {
		name        string
		files, want map[string]string
	}{
		{"in order", map[string]string{"cre": "-> SELF", "cre-official": one}, onlyOne},
		{"an older version's link", map[string]string{"cre": "-> " + programs.older, "cre-official": one}, onlyOne},
		{"a link to what was uninstalled", map[string]string{"cre": "-> /nowhere/cre", "cre-official": one}, onlyOne},
		{"killed", map[string]string{"cre": one, "cre-official": "= cre"}, onlyOne},
		{"killed without hard links", map[string]string{"cre-official": one}, onlyOne},
		{"a person's link to cre-official", map[string]string{"cre": "-> cre-official", "cre-official": one}, onlyOne},
		{"installed anew", map[string]string{"cre": two, "cre-official": one}, map[string]string{"cre": two, "cre-official": one}},
		{"with an older one", map[string]string{"cre": "-> SELF", "cre-official": two, "cre-official.old": one}, map[string]string{"cre": two, "cre-official.old": one}},
		{"the official CLI was removed", map[string]string{"cre": "-> SELF"}, map[string]string{}},
		{"never set up", onlyOne, onlyOne},
		{"this program's own folder", map[string]string{"cre": read(t, programs.cre), "cre-official": one}, map[string]string{"cre": read(t, programs.cre), "cre-official": one}},
		{"nothing", map[string]string{}, map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.lay(tt.files)
			for range 2 {
				if lines, err := m.Undo(t.Context()); err != nil || len(lines) < 2 {
					t.Fatal(lines, err)
				}
				m.mustHold(tt.want)
			}
		})
	}
}

func TestWithoutTheOfficialCLINothingIsDone(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"an empty folder": {}, "the link alone": {"cre": "-> SELF"}, "an official one that leads to nowhere": {"cre-official": "-> gone"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.lay(files)
			lines, err := m.Do(t.Context())
			if !errors.Is(err, setup.ErrNoOfficial) || len(lines) > 0 {
				t.Errorf("said %q, %v", lines, err)
			}
			m.mustHold(files)
		})
	}
	m := newMachine(t)
	m.Install = filepath.Join(m.Home, "nowhere")
	if _, err := m.Do(t.Context()); !errors.Is(err, setup.ErrNoOfficial) {
		t.Errorf("no folder: %v", err)
	}
	lines, err := m.Undo(t.Context())
	mustSay(t, lines, err, "nothing to take back")
}

func TestTheInstallersOwnFolderIsHonoured(t *testing.T) {
	m := newMachine(t)
	m.Install = filepath.Join(m.Home, "elsewhere")
	m.bin = filepath.Join(m.Install, "bin")
	m.lay(map[string]string{"cre": script("1")})
	lines, err := m.Do(t.Context())
	mustSay(t, lines, err, "renamed", "linked", "cre on PATH is "+m.Self+": this program")
	m.mustHold(map[string]string{"cre": "-> SELF", "cre-official": script("1")})
	m.Install = "relative"
	if _, err := m.Do(t.Context()); err == nil || !strings.Contains(err.Error(), "CRE_INSTALL") {
		t.Errorf("a relative folder: %v", err)
	}
}

func TestWhichCreIsFoundIsSaid(t *testing.T) {
	m := newMachine(t)
	m.lay(map[string]string{"cre": script("1")})
	stranger, plain := t.TempDir(), t.TempDir()
	write(t, filepath.Join(stranger, "cre"), script("0"), 0o755)
	write(t, filepath.Join(plain, "cre"), script("0"), 0o644)
	for path, want := range map[string]string{
		"":                              "there is no cre on PATH: put " + m.bin + " first on it",
		"relative:.":                    "there is no cre on PATH",
		plain + ":" + m.bin:             ": this program",
		stranger + ":" + m.bin:          stranger + "/cre, which is neither this program nor in " + m.bin,
		filepath.Dir(m.Self) + "::/bin": m.Self + ": this program",
	} {
		m.Path = path
		lines, err := m.Do(t.Context())
		if err != nil || !strings.Contains(lines[len(lines)-1], want) {
			t.Errorf("PATH %s: said %q, %v", path, lines, err)
		}
	}
}

func TestManySetUpsAtOnceLeaveOneOfTwoOrders(t *testing.T) {
	m := newMachine(t)
	one := script("1")
	m.lay(map[string]string{"cre": one})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 5 {
				var err error
				if i%2 == 0 {
					_, err = m.Do(t.Context())
				} else {
					_, err = m.Undo(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := m.holds(); !maps.Equal(got, map[string]string{"cre": one}) && !maps.Equal(got, map[string]string{"cre": "-> SELF", "cre-official": one}) {
		t.Errorf("the folder holds %q", got)
	}
}

func TestWhatIsInstalledInTheSameMomentStays(t *testing.T) {
	for name, before := range map[string]map[string]string{"over the official CLI": {"cre": script("1")}, "where nothing was": {}} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.lay(before)
			err := m.PutWhile(func() {
				_ = os.Remove(m.path("cre"))
				write(t, m.path("cre"), script("2"), 0o755)
			})
			if !errors.Is(err, setup.ErrMoved) {
				t.Errorf("got %v", err)
			}
			m.mustHold(map[string]string{"cre": script("2")})
		})
	}
}

func TestAnOfficialCLIThatCannotBeTightenedKeepsItsName(t *testing.T) {
	m := newMachine(t)
	target := filepath.Join(t.TempDir(), "cre")
	write(t, target, script("1"), 0o777)
	files := map[string]string{"cre": "-> " + target}
	m.lay(files)
	if lines, err := m.Do(t.Context()); !errors.Is(err, setup.ErrUnsafe) {
		t.Errorf("said %q, %v", lines, err)
	}
	m.mustHold(files)
}
