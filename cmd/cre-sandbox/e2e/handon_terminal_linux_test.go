package e2e

import (
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// TestAPersonInterruptsTheOfficialCLI from the keyboard: the terminal tells both,
// and the status is what a shell expects.
func TestAPersonInterruptsTheOfficialCLI(t *testing.T) {
	t.Parallel()
	d := newDesk(newMachine(t, keychainMode, withAccess))
	d.logIn()
	pause := filepath.Join(d.dir, "pause")
	d.setenv("CRE_SANDBOX_OFFICIAL_PAUSE=" + pause)
	for keys, signal := range map[string]syscall.Signal{"\x03": syscall.SIGINT, "\x1c": syscall.SIGQUIT} {
		s := d.onScreen(d.prepare("workflow", "list"))
		d.until("it waits", func() bool { return slices.Contains(d.entries(), "pause") })
		s.typed(keys)
		if o := s.ended(); signal == syscall.SIGINT && o.status != 128+int(signal) || o.status == 0 {
			t.Errorf("%v: %v", signal, o)
		}
		d.remove(pause)
	}
}

// TestTheTabKeyCompletesBothProgramsCommands in a bash on a terminal.
func TestTheTabKeyCompletesBothProgramsCommands(t *testing.T) {
	t.Parallel()
	d := newDesk(newMachine(t, fileMode, withAccess))
	cmd := exec.CommandContext(t.Context(), "bash", "--norc", "--noprofile", "-i")
	cmd.Dir, cmd.Env = d.dir, append(d.environ(), "TERM=dumb", "PS1=ready> ", "HISTFILE=", "INPUTRC=/dev/null", "INPUT=")
	s := d.onScreen(cmd)
	s.showing("ready> ")
	s.typed("eval \"$(cre completion bash)\"; echo source\"d\"\n")
	s.showing("sourced\r\nready> ")
	s.typed("cre w\t\t")
	s.showing("whoami")
	s.showing("workflow")
	s.typed("o\t")
	s.showing("cre workflow ")
	s.typed("\t\t")
	s.showing("supported-chains")
	s.typed("\x15exit\n")
	s.ended()
}
