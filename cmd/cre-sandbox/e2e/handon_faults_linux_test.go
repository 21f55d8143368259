package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// The exit statuses for an official CLI that can't be started, and for none.
const (
	statusUnusable = 126
	statusMissing  = 127
)

// noter is an official CLI that writes down which signals come, and ends at
// SIGTERM.
const noter = `#!/bin/sh
for signal in INT USR1; do trap "echo $signal >>'$NOTES'" $signal; done
trap 'echo TERM >>"$NOTES"; exit 7' TERM
echo ready >>"$NOTES"
while :; do sleep 0.02; done
`

// noting is a command that runs the noter.
type noting struct {
	*exec.Cmd
	notes func() string
	wait  func() outcome
}

func (m *machine) startNoter(terminal *os.File) noting {
	m.Helper()
	dir := m.TempDir()
	script, notes := filepath.Join(dir, "cre-official"), filepath.Join(dir, "notes")
	if err := os.WriteFile(script, []byte(noter), 0o755); err != nil {
		m.Fatal(err)
	}
	m.setenv("CRE_OFFICIAL_CLI="+script, "NOTES="+notes)
	n := noting{Cmd: m.command(m.Context(), "cre", "workflow", "deploy")}
	if terminal != nil {
		n.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
		n.ExtraFiles = []*os.File{terminal}
	} else {
		n.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	}
	n.wait = m.start(n.Cmd, "")
	m.Cleanup(func() { _ = n.Process.Kill() })
	n.notes = func() string { text, _ := os.ReadFile(notes); return strings.ReplaceAll(string(text), "\n", " ") }
	m.until("the official CLI is ready", func() bool { return n.notes() == "ready " })
	return n
}

// noted waits until a text has been written down.
func (n noting) noted(m *machine, want string) {
	m.Helper()
	m.until(fmt.Sprintf("%q is noted", want), func() bool { return strings.HasPrefix(n.notes(), want) })
	if got := n.notes(); got != want {
		m.Errorf("noted is %q, want %q", got, want)
	}
}

func (n noting) send(m *machine, signal syscall.Signal) {
	m.Helper()
	if err := n.Process.Signal(signal); err != nil {
		m.Fatal(err)
	}
}

// TestSignalsToOurCREAreTheOfficialCLIs while the exchange is open. SIGTERM and SIGINT
// are sent to our cre alone; it ends as the official CLI does.
func TestSignalsToOurCREAreTheOfficialCLIs(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{})
	m.logIn()
	n := m.startNoter(nil)
	n.send(m, syscall.SIGINT)
	n.noted(m, "ready INT ")
	n.send(m, syscall.SIGINT)
	n.noted(m, "ready INT INT ")
	n.send(m, syscall.SIGTERM)
	if o := n.wait(); o.status != 7 || n.notes() != "ready INT INT TERM " {
		t.Errorf("%v; noted is %q", o, n.notes())
	}
}

// TestCtrlCReachesTheOfficialCLIOnce: the terminal sends it to both.
func TestCtrlCReachesTheOfficialCLIOnce(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{})
	m.logIn()
	controller, terminal := openTerminal(t)
	n := m.startNoter(terminal)
	for _, want := range []string{"ready INT ", "ready INT USR1 INT "} {
		if _, err := controller.WriteString("\x03"); err != nil {
			t.Fatal(err)
		}
		n.noted(m, want)
		n.send(m, syscall.SIGUSR1) // comes after what would have been forwarded before
		n.noted(m, want+"USR1 ")
	}
	n.send(m, syscall.SIGTERM)
	if o := n.wait(); o.status != 7 {
		t.Error(o)
	}
}

// openTerminal returns both ends of a new pseudo-terminal.
func openTerminal(t *testing.T) (controller, terminal *os.File) {
	t.Helper()
	controller, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = controller.Close() })
	var unlocked, number int32
	for request, value := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlocked, syscall.TIOCGPTN: &number} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, controller.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return controller, terminal
}

// program puts one there.
func program(text string) func(path string) error {
	return func(path string) error { return os.WriteFile(path, []byte(text), 0o755) }
}

// trusted is a program that nothing is wrong with, until then does something to it.
func trusted(then func(path string) error) func(path string) error {
	return func(path string) error {
		if err := program("#!/bin/sh\necho started\n")(path); err != nil {
			return err
		}
		return then(path)
	}
}

// foreign is the beginning of a program for a machine that nobody has.
var foreign = "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\xfe\xfe\x01\x00\x00\x00" + strings.Repeat("\x00", 100)

// unusable are official CLIs that can't be started or mustn't be, and what is said.
var unusable = map[string]struct {
	plant func(path string) error
	says  string
}{
	"a broken link":        {func(path string) error { return os.Symlink("nowhere", path) }, "is a link to nothing"},
	"not executable":       {written("#!/bin/sh\n"), "chmod +x"},
	"another architecture": {program(foreign), "is neither a program for"},
	"no program":           {program("echo started\n"), "is neither a program for"},
	"no interpreter":       {program("#!/nowhere/to/be/found\n"), "interpreter isn't there"},
	"empty":                {program(""), "is empty"},
	"a folder":             {func(path string) error { return os.Mkdir(path, 0o755) }, "is not a file"},
	"others may write":     {trusted(func(path string) error { return os.Chmod(path, 0o757) }), "other users may write"},
}

// unusableByOwner are those that only root can bring about.
var unusableByOwner = map[string]func(path string) error{
	"a group may write": trusted(func(path string) error {
		if err := os.Chown(path, -1, nobody); err != nil {
			return err
		}
		return os.Chmod(path, 0o775)
	}),
	"belongs to nobody: install": trusted(func(path string) error { return os.Chown(path, nobody, -1) }),
	"belongs to nobody":          trusted(func(path string) error { return os.Chown(filepath.Dir(path), nobody, -1) }),
}

// TestAnOfficialCLIThatCannotBeUsed is named, with what to do, under the exit status
// of a shell. It was not started, and the session stays.
func TestAnOfficialCLIThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{})
	s := m.logIn()
	m.setenv("CRE_OFFICIAL_CLI=")
	cases := unusable
	if os.Getuid() == 0 {
		for says, plant := range unusableByOwner {
			cases[says] = struct {
				plant func(string) error
				says  string
			}{plant, says}
		}
	}
	for name, c := range cases {
		m.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "cre-official")
			if err := c.plant(path); err != nil {
				t.Fatal(err)
			}
			for where, o := range map[string]outcome{
				"on PATH": m.onPath(t, dir),
				"named":   m.in(t, "CRE_OFFICIAL_CLI="+path).official("workflow", "list"),
			} {
				if o.status != statusUnusable || o.stdout != "" || !strings.Contains(o.stderr, path) || !strings.Contains(o.stderr, c.says) || strings.Count(o.stderr, "\n") != 1 {
					t.Errorf("%s: %v", where, o)
				}
			}
		})
	}
	if m.mustGet() != s.Access || m.platform.Requests(sandbox.GraphQL) != 0 {
		t.Error("the session was used")
	}
}

// onPath runs our cre with nothing but some folders on PATH.
func (m *machine) onPath(t *testing.T, dirs ...string) outcome {
	t.Helper()
	m = m.in(t)
	cmd := m.command(t.Context(), "cre", "workflow", "list")
	cmd.Env = append(cmd.Env, "PATH="+strings.Join(append(dirs, "/usr/bin", "/bin"), ":"))
	return m.finish(cmd, "")
}

// TestOurCREIsNeverTheOfficialOne: with itself on PATH more than once, by links and
// as a copy, it looks on, and where a script leads back to it that ends soon.
func TestOurCREIsNeverTheOfficialOne(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{})
	m.logIn()
	official := ""
	for _, v := range m.env {
		if path, ok := strings.CutPrefix(v, "CRE_OFFICIAL_CLI="); ok {
			official = path
		}
	}
	m.setenv("CRE_OFFICIAL_CLI=")
	self := filepath.Join(m.bin, "cre")
	put := func(name string, plant func(path string) error) string {
		t.Helper()
		dir := t.TempDir()
		if err := plant(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	link := put("cre", func(path string) error { return os.Symlink(self, path) })
	links := put("cre", func(path string) error { return os.Symlink(filepath.Join(link, "cre"), path) })
	copied := put("cre", func(path string) error { return exec.Command("cp", self, path).Run() })
	renamed := put("cre-official", func(path string) error { return os.Symlink(self, path) })
	circle := put("cre", func(path string) error { return os.Symlink(path, path) })
	script := put("cre", program("#!/bin/sh\nexec "+self+" \"$@\"\n"))
	byName := put("cre-official", program("#!/bin/sh\ncre \"$@\"\n"))
	theirs := put("cre", func(path string) error { return os.Symlink(official, path) })

	ours := []string{m.bin, link, links, copied, renamed, m.bin}
	for name, c := range map[string]struct {
		dirs   []string
		status int
		says   string
	}{
		"nothing but ours":        {ours, statusMissing, "the official CLI is not installed"},
		"ours before theirs":      {append(ours[:len(ours):len(ours)], theirs), 0, ""},
		"a link to itself":        {append(ours[:len(ours):len(ours)], circle), statusUnusable, circle},
		"past a link to itself":   {append(ours[:len(ours):len(ours)], circle, theirs), 0, ""},
		"a script that execs us":  {[]string{m.bin, script}, statusUnusable, "cre has started itself instead of the official CLI"},
		"one that finds us again": {[]string{m.bin, byName}, statusUnusable, "cre has started itself instead of the official CLI"},
	} {
		m.Run(name, func(t *testing.T) {
			o := m.onPath(t, c.dirs...)
			if o.status != c.status || !strings.Contains(o.stderr, c.says) || (o.stdout != "") != (c.status == 0) || strings.Count(o.stderr, "Error:") > 1 {
				t.Error(o)
			}
		})
	}
	file := newMachine(t, fileMode, sandbox.Options{})
	file.bin = m.bin
	file.logIn()
	for _, dir := range []string{script, byName} {
		if o := file.onPath(t, m.bin, dir); o.status != statusUnusable || o.stdout != "" || !strings.Contains(o.stderr, "cre has started itself instead of the official CLI, several times") {
			t.Errorf("in file mode: %v", o)
		}
	}
	for _, named := range []string{self, "cre", filepath.Join(copied, "cre"), filepath.Join(links, "cre")} {
		if o := m.in(t, "CRE_OFFICIAL_CLI="+named).official("workflow", "list"); o.status != statusUnusable || !strings.Contains(o.stderr, "is this program itself") {
			t.Errorf("%s: %v", named, o)
		}
	}
	if o := m.in(t, "CRE_OFFICIAL_CLI=/nowhere/to/be/found").official("workflow", "list"); o.status != 127 || !strings.Contains(o.stderr, "there is no file /nowhere/to/be/found") {
		t.Error(o)
	}
}

// TestAScriptInTheOfficialCLIsPlace works if it execs the program. One that starts it
// as a child is told to exec.
func TestAScriptInTheOfficialCLIsPlace(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{})
	m.logIn()
	program := m.officialCLI()
	for how, want := range map[string]int{"exec ": 0, "": 1} {
		script := filepath.Join(t.TempDir(), "cre-official")
		if err := os.WriteFile(script, []byte("#!/bin/sh\n"+how+program+" \"$@\"\nexit $?\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		o := m.in(t, "CRE_OFFICIAL_CLI="+script).official("workflow", "list")
		if o.status != want || want != 0 && !strings.Contains(o.stderr, "must exec it") {
			t.Errorf("with %q: %v", how, o)
		}
	}
}
