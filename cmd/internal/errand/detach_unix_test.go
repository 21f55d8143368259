//go:build unix

package errand

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestWhatIsInheritedIsNotPassedOn has a descriptor open as a shell leaves one to
// its programs: somebody's lock, say.
func TestWhatIsInheritedIsNotPassedOn(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // nothing is written
	inherited, err := unix.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(inherited) //nolint:errcheck // nothing is written
	open := fmt.Sprintf("test -e /dev/fd/%d", inherited)
	if err := exec.Command("sh", "-c", open).Run(); err != nil {
		t.Fatalf("an ordinary child doesn't have it: %v", err)
	}
	cmd := exec.Command("sh", "-c", open)
	detach(cmd)
	if err := cmd.Run(); err == nil {
		t.Error("it is passed on")
	}
}
