package fleet

import (
	"errors"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestAMachineThatIsStoppedForLongerThanItsLease has the claim and hasn't asked the
// provider yet. Another machine takes over. The first one, once it goes on, sends no
// refresh token that is spent, and both get the one new token.
func TestAMachineThatIsStoppedForLongerThanItsLease(t *testing.T) {
	f := newFleet(t, 1)
	f.login(f.machine("login"), -time.Minute)
	claimed, goOn := make(chan struct{}), make(chan struct{})
	first := f.machine("first", "MARK=first")
	first = append(first, "VAULT_ADDR="+f.stopping(claimed, goOn))
	second := f.machine("second")
	var a result
	var done sync.WaitGroup
	done.Go(func() { a = f.get(first) })
	<-claimed
	holder, err := inHome(filepath.Join(f.homes, "first"))
	if err == nil {
		err = syscall.Kill(holder, syscall.SIGSTOP)
	}
	if close(goOn); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	b := f.get(second)
	if b.token() != f.provider.access(2) || time.Since(began) < 90*time.Second {
		t.Errorf("who took over after %v: %+v", time.Since(began).Round(time.Second), b)
	}
	if !strings.Contains(b.Err, "has claimed the session") || !strings.Contains(b.Err, "log in again") {
		t.Errorf("it said %q", b.Err)
	}
	if err := syscall.Kill(holder, syscall.SIGCONT); err != nil {
		t.Error(err)
	}
	done.Wait()
	exchanges, reused := f.provider.counts()
	if a.token() != f.provider.access(2) || exchanges != 1 || reused != 0 {
		t.Errorf("who was stopped: %+v, %d exchanges, %d of a spent token", a, exchanges, reused)
	}
	t.Logf("taken over after %v, by one exchange", time.Since(began).Round(time.Second))
}

// stopping is a way to the engine that holds a machine up once it has its claim: when it
// asks for its capabilities, until goOn is closed.
func (f *fleet) stopping(claimed, goOn chan struct{}) (address string) {
	to, err := url.Parse(f.engine.address(0))
	if err != nil {
		f.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = f.engine.trusting(f.t).Transport
	var once sync.Once
	return serve(f.t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/capabilities-self") {
			once.Do(func() { close(claimed) })
			<-goOn
		}
		proxy.ServeHTTP(w, r)
	})
}

// inHome finds the process of cre-credential-net that has a home.
func inHome(home string) (pid int, err error) {
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return 0, err
	}
	for _, path := range all {
		command, _ := os.ReadFile(filepath.Dir(path) + "/cmdline")
		variables, _ := os.ReadFile(path)
		if strings.Contains(string(command), "cre-credential-net") && strings.Contains(string(variables), "HOME="+home+"\x00") {
			return strconv.Atoi(filepath.Base(filepath.Dir(path)))
		}
	}
	return 0, errors.New("nobody has the home " + home)
}
