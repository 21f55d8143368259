package setup_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/setup"
)

// TestProgramsThatRunAreReplaced is about Windows, which replaces and removes no
// program that runs: the one that calls Undo is itself in the folder.
func TestProgramsThatRunAreReplaced(t *testing.T) {
	root := tempDir(t)
	folder := filepath.Join(root, "Programs", "cre")
	cre, official, self := filepath.Join(folder, "cre.exe"), filepath.Join(folder, "cre-official.exe"), filepath.Join(root, "ours.exe")
	this, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	write(t, self, read(t, this), 0o755)
	theirs := ofAnotherProject(read(t, this))
	write(t, cre, theirs, 0o755)
	o := setup.Official{Home: root, LocalAppData: root, Self: self, Path: folder}

	running(t, cre)
	lines, err := o.Do(t.Context())
	mustSay(t, lines, err, "renamed", "copied", ": this program")
	if read(t, cre) != read(t, self) || read(t, official) != theirs {
		t.Error("the programs are not in order")
	}

	running(t, cre)
	o.Self = cre
	lines, err = o.Undo(t.Context())
	mustSay(t, lines, err, "renamed", "")
	if read(t, cre) != theirs {
		t.Error("the official CLI hasn't got its name back")
	}
	if _, err := os.Stat(official); !os.IsNotExist(err) {
		t.Errorf("cre-official: %v", err)
	}
}

// ofAnotherProject returns a program that does the same, but whose build
// information says that it is of another project: by that this program tells
// itself from the official CLI. The size has to stay the same.
func ofAnotherProject(program string) string {
	return strings.ReplaceAll(program, "path\tcre-credential-helper/", "path\tother.example/someone/")
}

// running starts a copy of this test that waits until the test ends.
func running(t *testing.T, path string) {
	t.Helper()
	cmd := exec.Command(path, "-test.run=^TestWait$", "-test.v")
	cmd.Env = append(os.Environ(), "SETUP_TEST_WAITS=1")
	out, err1 := cmd.StdoutPipe()
	in, err2 := cmd.StdinPipe()
	if err1 != nil || err2 != nil || cmd.Start() != nil {
		t.Fatalf("%s can't be started (%v, %v)", path, err1, err2)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
}

// TestWait is what [running] starts.
func TestWait(t *testing.T) {
	if os.Getenv("SETUP_TEST_WAITS") != "" {
		_, _ = os.Stdin.Read(make([]byte, 1))
	}
}
