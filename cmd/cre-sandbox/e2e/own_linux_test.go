package e2e

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// useOwnPrograms makes m run programs that nobody else runs, without the race
// detector: so its processes can be told from those of other tests.
func (m *machine) useOwnPrograms() {
	m.Helper()
	m.usePlainPrograms()
	folder := m.TempDir()
	for _, program := range shipped {
		name := filepath.Base(program)
		if err := copyFile(filepath.Join(m.bin, name), filepath.Join(folder, name)); err != nil {
			m.Fatal(err)
		}
	}
	m.bin = folder
}

// copyFile copies a program, if it can't be linked.
func copyFile(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		return err
	}
	return target.Close()
}

// processes lists the processes of a program of m's own; "" is all of them. One
// that has been forked, and is about to become another program, counts as its
// parent's.
func (m *machine) processes(program string) (pids []int) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		line, _ := os.ReadFile(path) // of one that has ended, nothing
		name, _, _ := strings.Cut(string(line), "\x00")
		if rest, ok := strings.CutPrefix(name, m.bin+"/"); ok && (program == "" || rest == program) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// settle waits until the renewals have ended that nobody waits for any more.
func (m *machine) settle() {
	m.Helper()
	m.until("the programs have ended", func() bool { return len(m.processes("")) == 0 })
}
