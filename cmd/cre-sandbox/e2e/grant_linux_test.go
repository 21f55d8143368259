package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// atOnce is how long something takes at the most that waits for nothing, on a machine
// that has much else to do.
const atOnce = 15 * time.Second

// grantHost is a machine with a session, where grants run.
func grantHost(t *testing.T, o sandbox.Options) *machine {
	t.Helper()
	m := newMachine(t, fileMode, o)
	dir, err := os.MkdirTemp("/tmp", "cre-grant-") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, _ := filepath.Glob(dir + "/*/*"); len(left) != 0 {
			t.Errorf("the grants have left %q", left)
		}
		_ = os.RemoveAll(dir)
	})
	m.setenv("XDG_RUNTIME_DIR="+dir, "CRE_CREDENTIAL_SOCKET=")
	m.logIn()
	return m
}

// running is a grant without a command.
type running struct {
	cmd    *exec.Cmd
	socket string
	said   *safeBuffer
	end    func() error // waits for it
}

// safeBuffer is written to and read at the same time. It embeds no buffer, whose
// ReadFrom would be used without the lock.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// startGrant returns when the grant can be asked.
func (m *machine) startGrant(args ...string) *running {
	m.Helper()
	r := &running{said: new(safeBuffer)}
	r.cmd = m.command(context.WithoutCancel(m.Context()), "cre-credential-helper", append([]string{"grant"}, args...)...)
	r.cmd.Stderr = r.said
	out, err := r.cmd.StdoutPipe()
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		m.Fatal(err)
	}
	r.end = sync.OnceValue(r.cmd.Wait)
	m.Cleanup(func() {
		_ = r.cmd.Process.Signal(os.Interrupt)
		_ = r.end()
		if token := tokenPattern.FindString(r.said.String()); token != "" {
			m.Errorf("the grant says %q", token)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	path, ok := strings.CutPrefix(strings.TrimSpace(line), "CRE_CREDENTIAL_SOCKET=")
	if !ok {
		_ = r.end()
		m.Fatalf("the grant says %q, %v, %q", line, err, r.said)
	}
	r.socket = path
	return r
}

// consumer is a machine without a session that asks a grant: another home, and no
// keychain.
func (m *machine) consumer(socket string) *machine {
	m.Helper()
	c := m.sibling()
	c.setenv("CRE_CREDENTIAL_SOCKET="+socket, "DBUS_SESSION_BUS_ADDRESS="+noBus(), "XDG_RUNTIME_DIR=")
	return c
}

func (m *machine) grants() (all []struct {
	Name, Over string
	Used       int
}) {
	m.Helper()
	o := m.run("", "cre", "session", "grants", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &all); err != nil || o.status != 0 {
		m.Fatalf("grants: %v, %v", o, err)
	}
	return all
}

func TestAGrantLivesAsLongAsItsCommand(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	token := m.mustGet()
	script := `HOME=/nowhere cre-credential-helper get </dev/null; echo "$CRE_CREDENTIAL_SOCKET"; stat -c %a "$CRE_CREDENTIAL_SOCKET" "$(dirname "$CRE_CREDENTIAL_SOCKET")"; exit 37`
	o := m.run("", "cre-credential-helper", "grant", "--name", "box", "--", "sh", "-c", script)
	lines := strings.Split(strings.TrimSpace(o.stdout), "\n")
	if o.status != 37 || o.token() != token || !strings.HasSuffix(o.stdout, "\n600\n700\n") {
		t.Fatalf("%v", o)
	}
	if _, err := os.Lstat(lines[len(lines)-3]); !os.IsNotExist(err) {
		t.Errorf("the socket: %v", err)
	}
	if !strings.Contains(o.stderr, "answered "+m.platform.URL+" to user ") {
		t.Errorf("no line of the use: %q", o.stderr)
	}
	ignored := m.run("", "cre-credential-helper", "grant", "grep", "SigIgn", "/proc/self/status")
	if own, err := exec.Command("grep", "SigIgn", "/proc/self/status").Output(); err != nil || ignored.stdout != string(own) {
		t.Errorf("the command ignores the signals %q, not %q, %v", ignored.stdout, own, err)
	}
	for command, status := range map[string]int{"/nowhere/x": 127, "kill -TERM $$": 143} {
		args := []string{"grant", "--", "sh", "-c", command}
		if status == 127 {
			args = []string{"grant", "--", command}
		}
		if o := m.run("", "cre-credential-helper", args...); o.status != status {
			t.Errorf("%s: %v", command, o)
		}
	}
}

func TestEveryFormIsAnsweredThroughAGrant(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	token := m.mustGet()
	c := m.consumer(m.startGrant().socket)
	c.everyFormAnswers(token)
	o := c.helper("get", "capability[]=authtype")
	if o.status != 0 || !strings.Contains(o.stdout, "authtype=Bearer\ncredential="+token+"\n") || strings.Contains(o.stdout, "refresh") {
		t.Errorf("%v", o)
	}
	if o := c.run("protocol=https\nhost=example.com\n", "cre-credential-helper", "get"); o.status != 0 || o.stdout != "" || !strings.Contains(o.stderr, "not for https://example.com") {
		t.Errorf("another host: %v", o)
	}
	if len(c.files()) != 0 {
		t.Errorf("the consumer has the files %q", c.files())
	}
}

func TestWhereASessionIsGrantedItIsNotChanged(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	token := m.mustGet()
	c := m.consumer(m.startGrant().socket)
	const says = "the session here is a granted one (CRE_CREDENTIAL_SOCKET="
	for name, o := range map[string]outcome{
		"store":  c.helper("store", "username=someone", "password=secret"),
		"erase":  c.helper("erase", "password="+token),
		"check":  c.helper("check"),
		"use":    c.run("username=someone\n", "cre-credential-helper", "use"),
		"login":  c.run("", "cre", "login"),
		"logout": c.run("", "cre", "logout"),
		"move":   c.run("", "cre", "session", "move", "--to", "file"),
	} {
		if o.status != statusUsage || !strings.Contains(o.stderr, says) || !strings.Contains(o.stderr, "on the machine where the grant runs") {
			t.Errorf("%s: %v", name, o)
		}
	}
	if m.mustGet() != token {
		t.Error("the session is another one")
	}
	if o := c.run("", "cre", "session"); o.status != 0 || !strings.Contains(o.stdout, "a grant, to which CRE_CREDENTIAL_SOCKET leads") {
		t.Errorf("session: %v", o)
	}
	if o := c.run("", "cre", "doctor"); !strings.Contains(o.stdout, "ok: session: the session for PRODUCTION is a granted one") || !strings.Contains(o.stdout, "ok: keychain: none is needed here") {
		t.Errorf("doctor: %v", o)
	}
	gone := c.in(t, "CRE_CREDENTIAL_SOCKET=/nowhere/socket")
	if o := gone.run("", "cre", "session"); o.status != 1 || !strings.Contains(o.stderr, "has ended: start another one") {
		t.Errorf("session: %v", o)
	}
	if o := gone.run("", "cre", "doctor"); o.status == 0 || !strings.Contains(o.stdout, "problem: session: the grant at /nowhere/socket (CRE_CREDENTIAL_SOCKET) has ended") || !strings.Contains(o.stdout, "unset CRE_CREDENTIAL_SOCKET") {
		t.Errorf("doctor: %v", o)
	}
}

func TestTheOfficialCLIWorksThroughAGrant(t *testing.T) {
	t.Parallel()
	m := grantHost(t, withAccess)
	token := m.mustGet()
	c := m.consumer(m.startGrant().socket)
	c.setenv("CRE_OFFICIAL_CLI=" + c.officialCLI())
	if o := c.run("", "cre", "whoami"); o.status != 0 || !strings.Contains(o.stdout, "email@domain.com") {
		t.Fatalf("whoami: %v", o)
	}
	for range 2 { // without cre.yaml, and with the pointer
		if o := c.run("", "cre", "workflow", "list"); o.status != 0 || !strings.Contains(o.stderr+o.stdout, throughUs) {
			t.Fatalf("workflow list: %v", o)
		}
	}
	text, err := os.ReadFile(c.sessionFile())
	if err != nil || bytes.Contains(text, []byte(token)) || c.hasPlainText() {
		t.Errorf("cre.yaml holds %s, %v", text, err)
	}
	if !bytes.Contains(text, []byte("grant+"+m.platform.URL)) || bytes.Contains(text, []byte("in this machine's keychain:")) {
		t.Errorf("cre.yaml says %s", text)
	}
	ended := c.in(t, "CRE_CREDENTIAL_SOCKET=")
	for _, args := range [][]string{{"cre", "session"}, {"cre-credential-helper", "get"}} {
		if o := ended.run("", args[0], args[1:]...); o.status == 0 || !strings.Contains(o.stdout+o.stderr, "was a granted one") {
			t.Errorf("%q after the grant: %v", args, o)
		}
	}
	ended.expectOutcome(ended.run("", "cre", "logout"), 0)
	if text, err := os.ReadFile(c.sessionFile()); !os.IsNotExist(err) {
		t.Errorf("after a logout, cre.yaml holds %s, %v", text, err)
	}
	if o := c.run("", "cre", "workflow", "list"); o.status != 0 {
		t.Fatalf("workflow list: %v", o)
	}
	ended.logIn()
	if ended.get().status != 0 || bytes.Contains([]byte(readFile(t, c.sessionFile())), []byte("grant+")) {
		t.Error("a login in the home of an ended grant is no session")
	}
	own := m.consumer("")
	own.logIn()
	own.setenv("CRE_CREDENTIAL_SOCKET="+c.socketVariable(), "CRE_OFFICIAL_CLI="+own.officialCLI())
	if o := own.run("", "cre", "workflow", "list"); o.status != statusUsage || !strings.Contains(o.stderr, "a session of its own") {
		t.Errorf("with a session of its own: %v", o)
	}
}

// socketVariable is the value that m's programs get.
func (m *machine) socketVariable() (value string) {
	for _, pair := range m.env {
		if text, ok := strings.CutPrefix(pair, "CRE_CREDENTIAL_SOCKET="); ok {
			value = text
		}
	}
	return value
}

func TestConsumersThatMisbehaveKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	token := m.mustGet()
	g := m.startGrant()
	c := m.consumer(g.socket)
	var err error
	for i := range 1000 { // that ask nothing
		var conn net.Conn
		m.until(fmt.Sprintf("connection %d is made", i), func() bool {
			conn, err = net.Dial("unix", g.socket)
			return !errors.Is(err, syscall.EAGAIN) // the kernel has no more room
		})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for range 20 { // that ask, and hang up
		if conn, err := net.Dial("unix", g.socket); err == nil {
			_, _ = io.WriteString(conn, "get\nprotocol=ht")
			_ = conn.Close()
		}
	}
	if o := c.get(); o.status != 0 || o.token() != token || o.took > atOnce {
		t.Errorf("beside a thousand: %v", o)
	}
	flood, err := net.Dial("unix", g.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer flood.Close()
	sent := 0
	_, _ = io.WriteString(flood, "get\n")
	for line := bytes.Repeat([]byte("a"), 1<<20); sent < 100<<20; {
		n, err := flood.Write(line)
		if sent += n; err != nil {
			break
		}
	}
	if sent > 8<<20 {
		t.Errorf("%d bytes of one question were taken", sent)
	}
	if o := c.get(); o.status != 0 || o.token() != token {
		t.Errorf("after a flood: %v", o)
	}
	if peak := peakMemory(t, g.cmd.Process.Pid); peak > 100<<10 && !raceDetector {
		t.Errorf("the grant took %d KiB", peak)
	}
}

// peakMemory is VmHWM of proc(5), in KiB; 0 where the process is closed.
func peakMemory(t *testing.T, pid int) (kib int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib
		}
	}
	return 0
}

func TestASilentConsumerIsSentAway(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	conn, err := net.Dial("unix", m.startGrant().socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	text, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(text), "no whole question came in time") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestAGrantThatWasKilledIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	g := m.startGrant("--name", "killed")
	c := m.consumer(g.socket)
	if o := c.get(); o.status != 0 {
		t.Fatalf("%v", o)
	}
	_ = g.cmd.Process.Kill()
	_ = g.end()
	if o := c.get(); o.status != 1 || !strings.Contains(o.stderr, "has ended: start another one where the session is") || o.took > atOnce {
		t.Errorf("%v", o)
	}
	for _, command := range []string{"session", "doctor"} {
		if o := c.run("", "cre", command); o.status == 0 || !strings.Contains(o.stdout+o.stderr, "has ended") {
			t.Errorf("%s: %v", command, o)
		}
	}
	if len(m.grants()) != 0 {
		t.Error("it is listed")
	}
	other := m.startGrant("--name", "other")
	if _, err := os.Lstat(g.socket); !os.IsNotExist(err) {
		t.Errorf("what it has left was not swept: %v", err)
	}
	if all := m.grants(); len(all) != 1 || all[0].Name != "other" {
		t.Errorf("%+v", all)
	}
	_ = other
}

func TestARevokedGrantAnswersNothing(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	one, two := m.startGrant("--name", "one"), m.startGrant("--name", "two")
	c := m.consumer(one.socket)
	if o := c.get(); o.status != 0 {
		t.Fatalf("%v", o)
	}
	if all := m.grants(); len(all) != 2 || all[0].Used != 1 || all[1].Used != 0 {
		t.Errorf("%+v", all)
	}
	if o := m.run("", "cre", "session", "grants"); o.status != 0 || !strings.Contains(o.stdout, "one") || !strings.Contains(o.stdout, "(cre-credential-") {
		t.Errorf("%v", o)
	}
	begin := time.Now()
	if o := m.run("", "cre", "session", "grants", "revoke", "one"); o.status != 0 || !strings.Contains(o.stdout, "The grant one has ended. What it answered is good until its own end") {
		t.Fatalf("%v", o)
	}
	if o := c.get(); o.status == 0 || o.stdout != "" {
		t.Errorf("after the revocation: %v", o)
	}
	if took := time.Since(begin); took > atOnce {
		t.Errorf("it took %v", took)
	}
	if all := m.grants(); len(all) != 1 || all[0].Name != "two" {
		t.Errorf("%+v", all)
	}
	if o := m.run("", "cre", "session", "grants", "revoke", "one"); o.status == 0 || !strings.Contains(o.stderr, `no grant named "one" runs`) {
		t.Errorf("%v", o)
	}
	if o := m.run("", "cre", "session", "grants", "revoke", "--all"); o.status != 0 || !strings.Contains(o.stdout, "two") {
		t.Errorf("%v", o)
	}
	if err := two.end(); err != nil {
		t.Error(err)
	}
}

func TestAGrantEndsWithItsTimeAndItsCount(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	counted := m.startGrant("--count", "1")
	c := m.consumer(counted.socket)
	if o := c.get(); o.status != 0 || o.token() == "" {
		t.Errorf("%v", o)
	}
	if o := c.get(); o.status == 0 || o.stdout != "" {
		t.Errorf("the second answer of one: %v", o)
	}
	if err := counted.end(); err != nil || !strings.Contains(counted.said.String(), "good until its own end") {
		t.Errorf("%v, %s", err, counted.said)
	}
	timed := m.startGrant("--for", "300ms")
	if err := timed.end(); err != nil || !strings.Contains(timed.said.String(), "is over") {
		t.Errorf("%v, %s", err, timed.said)
	}
	if o := m.consumer(timed.socket).get(); o.status != 1 || !strings.Contains(o.stderr, "has ended") {
		t.Errorf("%v", o)
	}
}

func TestAGrantIsForTheUsersThatItNames(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can become others")
	}
	m := grantHost(t, sandbox.Options{})
	dir, err := os.MkdirTemp("/tmp", "cre-socket-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	const named, other = 54321, 54322
	as := func(uid uint32, socket string) outcome {
		cmd := m.command(t.Context(), "cre-credential-helper", "get")
		cmd.Env = append(cmd.Env, "HOME=/nowhere", "CRE_CREDENTIAL_SOCKET="+socket)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		return m.finish(cmd, "")
	}
	if o := as(named, m.startGrant("--socket", dir+"/own").socket); o.status == 0 || !strings.Contains(o.stderr, "may not be asked by user 54321") {
		t.Errorf("without --uid: %v", o)
	}
	if o := m.run("", "cre-credential-helper", "grant", "--uid", "54321", "true"); o.status != statusUsage || !strings.Contains(o.stderr, "/etc/subuid") {
		t.Errorf("a user that is none of ours: %v", o)
	}
	if o := m.run("", "cre-credential-helper", "grant", "--force", "--uid", "65534", "true"); o.status != statusUsage || !strings.Contains(o.stderr, "everybody") {
		t.Errorf("the overflow uid: %v", o)
	}
	g := m.startGrant("--socket", dir+"/shared", "--uid", "54321", "--force")
	if o := as(named, g.socket); o.status != 0 || o.token() == "" {
		t.Errorf("the user that is named: %v", o)
	}
	if o := as(other, g.socket); o.status == 0 || o.stdout != "" || !strings.Contains(o.stderr, "user 54322 may not ask this grant") {
		t.Errorf("another user: %v", o)
	}
	if o := as(65534, g.socket); o.status == 0 || o.stdout != "" || !strings.Contains(o.stderr, "somebody unknown") {
		t.Errorf("nobody: %v", o)
	}
}

func TestWhatIsAtTheSocketsPathIsNotReplaced(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	dir, err := os.MkdirTemp("/tmp", "cre-socket-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	refused := func(path, want string) {
		t.Helper()
		if o := m.run("", "cre-credential-helper", "grant", "--socket", path, "true"); o.status == 0 || !strings.Contains(o.stderr, want) {
			t.Errorf("%s: %v", path, o)
		}
	}
	for _, path := range []string{dir + "/file", dir + "/folder/x"} {
		m.write(path, 0o600, "kept")
	}
	if err := os.Symlink(dir+"/elsewhere", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	refused(dir+"/file", "is no socket")
	refused(dir+"/folder", "is no socket")
	refused(dir+"/link", "is no socket")
	refused(dir+"/"+strings.Repeat("long", 30), "too long for a socket")
	refused("@abstract/../../"+strings.Repeat("long", 30), "too long for a socket")
	if text := readFile(t, dir+"/file"); text != "kept" {
		t.Errorf("%q", text)
	}
	if _, err := os.Lstat(dir + "/elsewhere"); !os.IsNotExist(err) {
		t.Error("the link was followed")
	}
	first := m.startGrant("--socket", dir+"/s")
	refused(dir+"/s", "another process listens there")
	if o := m.consumer(dir + "/s").get(); o.status != 0 {
		t.Errorf("the first: %v", o)
	}
	_ = first.cmd.Process.Kill()
	_ = first.end()
	m.startGrant("--socket", dir+"/s") // whose owner has ended for certain
	if o := m.consumer(dir + "/s").get(); o.status != 0 {
		t.Errorf("the second: %v", o)
	}
	if os.Getuid() != 0 {
		return
	}
	l, err := net.Listen("unix", dir+"/theirs")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Lchown(dir+"/theirs", 54321, -1); err != nil {
		t.Fatal(err)
	}
	refused(dir+"/theirs", "another user's socket")
}

// TestTwentyConsumersRenewOnce are in three network namespaces.
func TestTwentyConsumersRenewOnce(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can make a namespace")
	}
	m := grantHost(t, slowRefresh)
	g := m.startGrant()
	old := m.mustGet()
	m.expire(old)
	script := `for i in 1 2 3 4 5 6 7; do cre-credential-helper get </dev/null & done; wait`
	var tokens sync.Map
	for _, o := range m.together(3, func() outcome {
		cmd := m.command(t.Context(), "x")
		cmd.Path, cmd.Args = "/usr/bin/unshare", []string{"unshare", "--net", "sh", "-c", script}
		cmd.Env = append(cmd.Env, "HOME=/nowhere", "DBUS_SESSION_BUS_ADDRESS="+noBus(), "CRE_CREDENTIAL_SOCKET="+g.socket)
		cmd.Err = nil
		return m.finish(cmd, "")
	}) {
		if o.status != 0 || o.stderr != "" || strings.Count(o.stdout, "password=") != 7 {
			t.Errorf("%v", o)
		}
		for line := range strings.Lines(o.stdout) {
			if token, ok := strings.CutPrefix(line, "password="); ok {
				tokens.Store(token, true)
			}
		}
	}
	different := 0
	tokens.Range(func(any, any) bool { different++; return true })
	if s := m.platform.Stats(); s.Refreshes != 1 || s.RefreshReuses != 0 || different != 1 || m.mustGet() == old {
		t.Errorf("%d tokens, the provider saw %+v", different, s)
	}
}

func TestAUseIsConfirmed(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	dir := m.TempDir()
	m.write(dir+"/ask", 0o700, `#!/bin/sh
echo "$SSH_ASKPASS_PROMPT: $*" >>"$TEST_ASKED"
[ -e "$TEST_ASKED.yes" ]
`)
	m.setenv("SSH_ASKPASS="+dir+"/ask", "TEST_ASKED="+dir+"/asked")
	c := m.consumer(m.startGrant("--confirm", "--name", "box").socket)
	if o := c.get(); o.status == 0 || o.stdout != "" || !strings.Contains(o.stderr, `this use of the grant "box" was not confirmed`) {
		t.Errorf("a no: %v", o)
	}
	if asked := readFile(t, dir+"/asked"); !strings.HasPrefix(asked, `confirm: Grant "box": may user `) || !strings.Contains(asked, m.platform.URL) {
		t.Errorf("asked %q", asked)
	}
	m.write(dir+"/asked.yes", 0o600, "")
	if o := c.get(); o.status != 0 || o.token() == "" {
		t.Errorf("a yes: %v", o)
	}
	m.setenv("SSH_ASKPASS=")
	if o := m.run("", "cre-credential-helper", "grant", "--confirm", "true"); o.status != statusUsage || !strings.Contains(o.stderr, "SSH_ASKPASS") {
		t.Errorf("nobody who asks: %v", o)
	}
}

func TestAGrantsLogHoldsEveryUseAndNoToken(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	log := filepath.Join(m.TempDir(), "log")
	c := m.consumer(m.startGrant("--log", log).socket)
	c.get()
	c.run("protocol=https\nhost=example.com\n", "cre-credential-helper", "get")
	text := readFile(t, log)
	if tokenPattern.MatchString(text) || strings.Count(text, "\n") != 2 || !strings.Contains(text, `"origin":"`+m.platform.URL) || !strings.Contains(text, `"refused":"`) {
		t.Errorf("%s", text)
	}
	for line := range strings.Lines(text) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%s", line)
		}
	}
}
