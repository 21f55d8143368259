package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// bin holds the programs, built once.
var bin = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", dir+"/", "./cmd/cre", "./cmd/cre-credential-helper", "./cmd/cre-credential-net")
	build.Dir = "../../.."
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	if config := os.Getenv(namespaceVariable); config != "" {
		if err := liveInNamespace(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	status := m.Run()
	if dir, err := bin(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(status)
}

// fleet is an engine, a provider, and what a machine of it is set up with.
type fleet struct {
	t        *testing.T
	engine   engine
	provider *provider
	bin      string
	origin   string
	path     string
	address  string // of the engine, as the machines see it
	homes    string
}

func newFleet(t *testing.T, nodes int) *fleet {
	t.Helper()
	dir, err := bin()
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{t: t, engine: newEngine(t, nodes), provider: newProvider(t), bin: dir, path: "secret/data/cre/production/ann@example.com", homes: t.TempDir()}
	f.address = f.engine.address(0)
	u, err := url.Parse(f.provider.URL)
	if err != nil {
		t.Fatal(err)
	}
	f.origin = u.Host
	return f
}

// machine returns the environment of one, with a home of its own.
func (f *fleet) machine(name string, variables ...string) []string {
	f.t.Helper()
	home := filepath.Join(f.homes, name)
	if err := os.MkdirAll(home, 0o700); err != nil {
		f.t.Fatal(err)
	}
	variables = append([]string{
		"HOME=" + home, "PATH=" + f.bin + ":" + os.Getenv("PATH"), "DBUS_SESSION_BUS_ADDRESS=disabled:",
		"CRE_CLI_GRAPHQL_URL=" + f.provider.URL + "/graphql", "CRE_CLI_AUTH_BASE=" + f.provider.URL, "CRE_CLI_AUDIENCE=" + f.provider.URL,
		"VAULT_ADDR=" + f.address, "CRE_CREDENTIAL_VAULT_PATH=" + f.path, "CRE_CREDENTIAL_STORE=vault",
	}, variables...)
	if f.engine.TestCluster != nil {
		variables = append(variables, "VAULT_CACERT="+f.engine.CACertPEMFile, "VAULT_TOKEN="+f.engine.RootToken)
	}
	return variables
}

// result is what became of a command.
type result struct {
	Out, Err string
	Status   int
	Took     time.Duration
}

func run(env []string, input string, command ...string) result {
	began := time.Now()
	program := exec.Command(command[0], command[1:]...)
	for _, v := range env {
		if path, ok := strings.CutPrefix(v, "PATH="); ok && !strings.Contains(command[0], "/") {
			first, _, _ := strings.Cut(path, ":")
			if own := filepath.Join(first, command[0]); exists(own) {
				program.Path, program.Err = own, nil
			}
		}
	}
	program.Env = env
	program.Stdin = strings.NewReader(input)
	var out, errs strings.Builder
	program.Stdout, program.Stderr = &out, &errs
	err := program.Run()
	r := result{Out: out.String(), Err: errs.String(), Took: time.Since(began)}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		r.Status = exit.ExitCode()
	} else if err != nil {
		r.Status, r.Err = -1, err.Error()
	}
	return r
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// request is git's, for the session.
func (f *fleet) request(more ...string) string {
	return strings.Join(append([]string{"capability[]=authtype", "protocol=http", "host=" + f.origin}, more...), "\n") + "\n\n"
}

// login stores a session as a login does, good for so long.
func (f *fleet) login(env []string, lives time.Duration) {
	f.t.Helper()
	f.provider.mu.Lock()
	f.provider.last++
	n := f.provider.last
	f.provider.mu.Unlock()
	r := run(env, f.request("username=ann@example.com", "authtype=Bearer", "credential="+f.provider.access(n),
		fmt.Sprint("password_expiry_utc=", time.Now().Add(lives).Unix()), fmt.Sprint("oauth_refresh_token=refresh-", n),
		"oauth_token_endpoint="+f.provider.URL+"/oauth/token", "oauth_client_id=client"), "cre-credential-helper", "store")
	if r.Status != 0 || r.Err != "" {
		f.t.Fatalf("login: %+v", r)
	}
}

func (f *fleet) get(env []string) result {
	return run(env, f.request(), "cre-credential-helper", "get")
}

func (r result) token() string {
	for line := range strings.Lines(r.Out) {
		if token, ok := strings.CutPrefix(line, "credential="); ok {
			return strings.TrimSpace(token)
		}
	}
	return ""
}

// What follows is for machines in network namespaces of their own.

const namespaceVariable = "FLEET_NAMESPACE"

// namespace is what lives in one: machines that reach servers by forwarded ports alone.
type namespace struct {
	Forward  map[string]string // port: socket
	Machines [][]string        // environments
	Input    string
}

// liveInNamespace is the program that lives there. It says "ready", waits for a line,
// has all machines get at once, and says what became of each.
func liveInNamespace(config string) error {
	var n namespace
	if err := json.Unmarshal([]byte(config), &n); err != nil {
		return err
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for port, socket := range n.Forward {
		if err := forward("tcp", "127.0.0.1:"+port, func() (net.Conn, error) { return net.Dial("unix", socket) }); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1))
	results := make([]result, len(n.Machines))
	var all sync.WaitGroup
	for i, env := range n.Machines {
		all.Go(func() { results[i] = run(env, n.Input, "cre-credential-helper", "get") })
	}
	all.Wait()
	return json.NewEncoder(os.Stdout).Encode(results)
}

// forward passes connections on.
func forward(network, address string, dial func() (net.Conn, error)) error {
	listener, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer in.Close() //nolint:errcheck // a test's
				out, err := dial()
				if err != nil {
					return
				}
				defer out.Close() //nolint:errcheck // a test's
				go func() { _, _ = io.Copy(out, in); _ = out.(interface{ CloseWrite() error }).CloseWrite() }()
				_, _ = io.Copy(in, out)
			}()
		}
	}()
	return nil
}
