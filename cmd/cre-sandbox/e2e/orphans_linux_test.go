package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const setChildSubreaper = 36 // PR_SET_CHILD_SUBREAPER

// adoptOrphans makes this process the parent of every descendant that loses
// its own, also of those that have left the process group.
func adoptOrphans() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0) // Linux has it since 3.4
}

// adopted returns the command lines of this process' children, by their ids.
func adopted() map[int]string {
	clearAway()
	children := map[int]string{}
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list) // a thread that is gone has none
		for _, field := range bytes.Fields(text) {
			pid, _ := strconv.Atoi(string(field))
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			children[pid] = string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
		}
	}
	return children
}

// clearAway takes notice of children that have ended.
func clearAway() {
	for {
		var how syscall.WaitStatus
		if pid, err := syscall.Wait4(-1, &how, syscall.WNOHANG, nil); pid <= 0 && !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

// endAdopted ends every descendant: each generation becomes this process'
// children when the one before has ended.
func endAdopted() {
	for left := adopted(); len(left) > 0; left = adopted() {
		for pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(time.Millisecond)
	}
}
