package fleet

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestASessionIsSharedByMachines(t *testing.T) {
	f := newFleet(t, 1)
	first, second := f.machine("first"), f.machine("second")
	if r := f.get(first); r != (result{Took: r.Took}) { // as git wants it
		t.Errorf("before the login: %+v", r)
	}
	f.login(first, time.Hour)
	for name, env := range map[string][]string{"first": first, "second": second} {
		if r := f.get(env); r.token() != f.provider.access(1) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if data, err := os.ReadFile(filepath.Join(f.homes, "first", ".cre", "cre.yaml")); err != nil || !strings.Contains(string(data), "vault:https:127.0.0.1") || strings.Contains(string(data), f.provider.access(1)) {
		t.Errorf("cre.yaml: %s, %v", data, err)
	}
	if exists(filepath.Join(f.homes, "second", ".cre", "cre.yaml")) {
		t.Error("the second machine has a cre.yaml")
	}
	reader := append(f.machine("reader"), "CRE_CREDENTIAL_STORE=")
	if r := f.get(reader); r.token() != f.provider.access(1) {
		t.Errorf("reader: %+v", r)
	}
	if r := run(reader, f.request("username=ann@example.com", "authtype=Bearer", "credential="+f.provider.access(1)), "cre-credential-helper", "store"); r.Status != 0 || exists(filepath.Join(f.homes, "reader", ".cre")) {
		t.Errorf("git's approve on a machine that only reads: %+v", r)
	}
	r := run(first, f.request(), "cre-credential-helper", "erase")
	if r.Status != 0 {
		t.Errorf("erase: %+v", r)
	}
	for name, env := range map[string][]string{"first": first, "second": second, "reader": reader} {
		if r := f.get(env); r != (result{Took: r.Took}) {
			t.Errorf("%s after the logout: %+v", name, r)
		}
	}
}

// crowd is 40 machines in 4 namespaces, which all find the token expired.
type crowd struct {
	*fleet
	programs []*exec.Cmd
	in       []io.WriteCloser
	out      []*bufio.Reader
}

const (
	namespaces = 4
	perSpace   = 10
)

func (f *fleet) crowd(nodes func() []int) *crowd {
	f.t.Helper()
	dir, err := os.MkdirTemp("", "f")
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { os.RemoveAll(dir) }) //nolint:errcheck // a test's
	vaultSocket, providerSocket := filepath.Join(dir, "v"), filepath.Join(dir, "p")
	dialVault := func() (net.Conn, error) {
		alive := nodes()
		return net.Dial("tcp", strings.TrimPrefix(f.engine.address(alive[rand.IntN(len(alive))]), "https://"))
	}
	dialProvider := func() (net.Conn, error) { return net.Dial("tcp", f.origin) }
	if err := forward("unix", vaultSocket, dialVault); err != nil {
		f.t.Fatal(err)
	}
	if err := forward("unix", providerSocket, dialProvider); err != nil {
		f.t.Fatal(err)
	}
	_, providerPort, _ := strings.Cut(f.origin, ":")
	f.address = "https://127.0.0.1:8200"
	c := &crowd{fleet: f}
	for space := range namespaces {
		n := namespace{Forward: map[string]string{"8200": vaultSocket, providerPort: providerSocket}, Input: f.request()}
		for i := range perSpace {
			n.Machines = append(n.Machines, f.machine(fmt.Sprintf("m%d-%d", space, i)))
		}
		c.start(n)
	}
	return c
}

func (c *crowd) start(n namespace) {
	config, err := json.Marshal(n)
	if err != nil {
		c.t.Fatal(err)
	}
	program := exec.Command("unshare", "--net", os.Args[0])
	program.Env = append(os.Environ(), namespaceVariable+"="+string(config))
	program.Stderr = os.Stderr
	in, err := program.StdinPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	out, err := program.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { program.Process.Kill() }) //nolint:errcheck // a test's
	reader := bufio.NewReader(out)
	if line, err := reader.ReadString('\n'); line != "ready\n" {
		c.t.Fatalf("namespace: %q, %v", line, err)
	}
	c.programs, c.in, c.out = append(c.programs, program), append(c.in, in), append(c.out, reader)
}

// get has all machines get at once.
func (c *crowd) get() (all []result) {
	c.t.Helper()
	for _, in := range c.in {
		if _, err := io.WriteString(in, "\n"); err != nil {
			c.t.Fatal(err)
		}
	}
	var mu sync.Mutex
	var done sync.WaitGroup
	for _, out := range c.out {
		done.Go(func() {
			var some []result
			if err := json.NewDecoder(out).Decode(&some); err != nil {
				c.t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, some...)
		})
	}
	done.Wait()
	return all
}

// judge expects every machine to have the token of the one exchange.
func (c *crowd) judge(all []result, token string) {
	c.t.Helper()
	var longest time.Duration
	for _, r := range all {
		longest = max(longest, r.Took)
		if r.Status != 0 || r.token() != token {
			c.t.Errorf("a machine: %+v", r)
		}
	}
	exchanges, reused := c.provider.counts()
	if len(all) != namespaces*perSpace || exchanges != 1 || reused != 0 {
		c.t.Errorf("%d machines, %d exchanges, %d of a spent token", len(all), exchanges, reused)
	}
	c.t.Logf("%d machines, %d exchange, the last answer after %v", len(all), exchanges, longest.Round(time.Millisecond))
}

func only(nodes ...int) func() []int { return func() []int { return nodes } }

func TestFortyMachinesAndAnExpiredTokenAreOneExchange(t *testing.T) {
	f := newFleet(t, 1)
	f.login(f.machine("login"), -time.Minute)
	c := f.crowd(only(0))
	c.judge(c.get(), f.provider.access(2))
}

// TestFortyMachinesAndALeaderThatIsKilled: the machines reach the three nodes by one
// address, as by a load balancer. The leader goes while the provider is asked.
func TestFortyMachinesAndALeaderThatIsKilled(t *testing.T) {
	f := newFleet(t, 3)
	f.login(f.machine("login"), -time.Minute)
	var killed atomic.Bool
	c := f.crowd(func() []int {
		if killed.Load() {
			return []int{1, 2}
		}
		return []int{0, 1, 2}
	})
	f.provider.takes = time.Second
	done := make(chan bool)
	go func() {
		defer close(done)
		<-f.provider.began
		killed.Store(true)
		f.engine.StopCore(t, 0) // the first one leads
	}()
	all := c.get()
	<-done
	c.judge(all, f.provider.access(2))
}

// TestFortyMachinesOfWhichOneIsStopped while it has the claim and asks the provider:
// for longer than the others wait in between, and shorter than its lease.
func TestFortyMachinesOfWhichOneIsStopped(t *testing.T) {
	f := newFleet(t, 1)
	f.login(f.machine("login"), -time.Minute)
	c := f.crowd(only(0))
	f.provider.takes = 5 * time.Second
	done := make(chan error, 1)
	go func() {
		<-f.provider.began
		holder, err := connectedTo(f.origin)
		if err == nil {
			err = syscall.Kill(holder, syscall.SIGSTOP)
		}
		time.Sleep(15 * time.Second)
		done <- errors.Join(err, syscall.Kill(holder, syscall.SIGCONT))
	}()
	all := c.get()
	if err := <-done; err != nil {
		t.Error(err)
	}
	c.judge(all, f.provider.access(2))
}

// connectedTo finds the process of cre-credential-net that is connected to the
// provider: it is in another network namespace, so its own table is read.
func connectedTo(origin string) (pid int, err error) {
	_, port, _ := strings.Cut(origin, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0, err
	}
	remote := fmt.Sprintf("0100007F:%04X 01", n)
	programs, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return 0, err
	}
	for _, comm := range programs {
		name, _ := os.ReadFile(comm)
		if !strings.HasPrefix(string(name), "cre-credential-") {
			continue
		}
		dir := filepath.Dir(comm)
		table, _ := os.ReadFile(dir + "/net/tcp")
		for line := range strings.Lines(string(table)) {
			fields := strings.Fields(line)
			if len(fields) > 9 && strings.HasPrefix(fields[2]+" "+fields[3], remote) && holds(dir, "socket:["+fields[9]+"]") {
				return strconv.Atoi(filepath.Base(dir))
			}
		}
	}
	return 0, errors.New("nobody is connected to the provider")
}

func holds(dir, socket string) bool {
	links, _ := filepath.Glob(dir + "/fd/*")
	for _, link := range links {
		if to, _ := os.Readlink(link); to == socket {
			return true
		}
	}
	return false
}
