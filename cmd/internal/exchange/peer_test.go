package exchange

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The variables that make another process of this test binary: one that posts to
// a URL whenever it is told to on standard input.
const (
	varURL  = "EXCHANGE_TEST_URL"
	varUser = "EXCHANGE_TEST_USER" // to become first
)

func TestMain(m *testing.M) {
	if url := os.Getenv(varURL); url != "" {
		if err := becomeUser(os.Getenv(varUser)); err != nil {
			panic(err)
		}
		postOnDemand(url)
		return
	}
	os.Exit(m.Run())
}

func postOnDemand(url string) {
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		r, err := http.NewRequest(http.MethodPost, url, strings.NewReader("{}"))
		if err != nil {
			panic(err)
		}
		r.Header.Set("Authorization", "Bearer "+standIn)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			fmt.Println("no answer")
			continue
		}
		body, _ := io.ReadAll(res.Body)
		fmt.Println(res.StatusCode, strings.ReplaceAll(string(body), "\n", " "))
	}
}

// process is another one, which asks when it is told to.
type process struct {
	pid    int
	orders io.Writer
	lines  *bufio.Scanner
}

func startProcess(t *testing.T, w *world, user string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), varURL+"="+w.URL(), varUser+"="+user)
	cmd.Stderr = os.Stderr
	orders, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = orders.Close()
		_ = cmd.Wait()
	})
	return &process{cmd.Process.Pid, orders, bufio.NewScanner(answers)}
}

func (p *process) order(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(p.orders, "\n"); err != nil {
		t.Fatal(err)
	}
}

func (p *process) answer(t *testing.T) string {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatal("the other process has ended")
	}
	return p.lines.Text()
}

const good = `200 {"data":{}}`

// tellsProcesses is where a connection's process is known.
const tellsProcesses = runtime.GOOS == "linux" || runtime.GOOS == "windows"

func TestOnlyTheChildsOwnConnectionsAreAnswered(t *testing.T) {
	w := beginUnadmitted(t, &bank{}, says(200, `{"data":{}}`))
	child, stranger := startProcess(t, w, ""), startProcess(t, w, "")
	child.order(t) // and is kept waiting until it is known whose it is
	w.Admit(child.pid)
	w.Admit(stranger.pid) // too late
	if got := child.answer(t); got != good {
		t.Errorf("the child got %s", got)
	}
	stranger.order(t)
	if got := stranger.answer(t); tellsProcesses && (!strings.HasPrefix(got, "403 ") || !strings.Contains(got, "must exec")) {
		t.Errorf("the stranger got %s", got)
	}
	if status, all := w.post(t, "{}"); tellsProcesses && (status != 403 || strings.Contains(all, "data")) {
		t.Errorf("this process got %d %s", status, all)
	}
	child.order(t)
	if got := child.answer(t); got != good {
		t.Errorf("the child got %s", got)
	}
}

func TestNobodyIsAnsweredUntilTheChildIsKnown(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for limits of many seconds")
	}
	t.Parallel() // it waits
	if !tellsProcesses {
		t.Skip("whose a connection is isn't known here")
	}
	w := beginUnadmitted(t, &bank{}, func(http.ResponseWriter, *http.Request) { t.Error("it went on") })
	if status, all := w.post(t, "{}"); status != 403 || !strings.Contains(all, "isn't known yet") {
		t.Errorf("got %d %s", status, all)
	}
}

func TestSixtyFourConnectionsAreServedAtATime(t *testing.T) {
	t.Parallel() // it waits
	w := begin(t, &bank{}, says(200, `{"data":{}}`))
	begun := time.Now()
	var idle []net.Conn
	for range maxConnections {
		conn, err := net.Dial("tcp", w.door.authority)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		idle = append(idle, conn)
	}
	if status, _ := w.post(t, "{}"); status != 200 || time.Since(begun) < headerTimeout {
		t.Errorf("the 65th got %d after %v", status, time.Since(begun))
	}
	for _, conn := range idle {
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("an idle connection was told something")
		}
	}
}

func TestAConnectionThatIdlesMakesWay(t *testing.T) {
	t.Parallel() // it waits if it fails
	w := begin(t, &bank{}, says(200, `{"data":{}}`))
	for n := range 2 * maxConnections {
		own := &http.Transport{} // keeps its connection, and is never used again
		defer own.CloseIdleConnections()
		w.client = &http.Client{Transport: own, Timeout: headerTimeout}
		if status, all := w.post(t, "{}"); status != 200 {
			t.Fatalf("connection %d: %d %s", n+1, status, all)
		}
	}
}
