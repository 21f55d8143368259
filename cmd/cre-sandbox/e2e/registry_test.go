//go:build unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"

	orasremote "oras.land/oras-go/v2/registry/remote"

	"cre-credential-helper/keyring/keyringtest"
)

const (
	registryUser  = "someone"
	registryToken = "docker's password"
	gitPassword   = "git's password"
)

// testRegistry is one on loopback, with an image. It takes a password or, when
// it is open, nothing at all.
type testRegistry struct {
	host string // "127.0.0.1:1234"
	open bool
	odd  atomic.Int32 // requests with a password that isn't the registry's
}

func startRegistry(t *testing.T, open bool) *testRegistry {
	t.Helper()
	r := &testRegistry{open: open}
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		username, password, given := req.BasicAuth()
		right := username == registryUser && password == registryToken
		if given && (r.open || !right) {
			r.odd.Add(1)
		}
		if !r.open && !right {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED"}]}`, http.StatusUnauthorized)
			return
		}
		images.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.host = strings.TrimPrefix(server.URL, "http://")
	auth := authn.Anonymous
	if !open {
		auth = &authn.Basic{Username: registryUser, Password: registryToken}
	}
	if err := remote.Write(r.image(t), empty.Image, remote.WithAuth(auth)); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *testRegistry) image(t *testing.T) name.Tag {
	t.Helper()
	tag, err := name.NewTag(r.host+"/app:latest", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return tag
}

// registryClient is a client of docker's, which runs docker-credential-cre. Its
// functions run in the client's environment.
type registryClient struct {
	name               string
	needs              []string
	login, use, logout func(ctx context.Context, t *testing.T, r *testRegistry) error
}

// command makes a step of a shell command, in which HOST is the registry's.
func command(line string) func(context.Context, *testing.T, *testRegistry) error {
	return func(ctx context.Context, _ *testing.T, r *testRegistry) error {
		cmd := exec.CommandContext(ctx, "sh", "-euc", strings.ReplaceAll(line, "HOST", r.host))
		cmd.Stdin = strings.NewReader(registryToken)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", line, err, out)
		}
		return nil
	}
}

// dockerPy is a program that is there if the module is: python itself, or one by
// the name of what to install.
func dockerPy() string {
	const python = "/usr/bin/python3" // no other one has Debian's modules
	if exec.Command(python, "-c", "import docker.credentials").Run() == nil {
		return python
	}
	return "python3-docker"
}

// python is a script of docker-py.
func python(script string) func(context.Context, *testing.T, *testRegistry) error {
	return command("/usr/bin/python3 -c 'import sys, docker.credentials, docker.auth\n" +
		"store = docker.credentials.Store(\"cre\")\nhost = \"HOST\"\n" + script + "'")
}

func registryClients() []registryClient {
	return []registryClient{
		{
			name: "docker", needs: []string{"docker"},
			login:  command("docker login --username " + registryUser + " --password-stdin HOST"),
			use:    command("docker manifest inspect --insecure HOST/app:latest"),
			logout: command("docker logout HOST"),
		},
		{
			name: "skopeo", needs: []string{"skopeo"},
			login:  command(`skopeo login --tls-verify=false --authfile "$DOCKER_CONFIG/config.json" --username ` + registryUser + " --password-stdin HOST"),
			use:    command(`skopeo inspect --tls-verify=false --authfile "$DOCKER_CONFIG/config.json" --raw docker://HOST/app:latest`),
			logout: command(`skopeo logout --tls-verify=false --authfile "$DOCKER_CONFIG/config.json" HOST`),
		},
		{
			name: "podman", needs: []string{"podman"},
			login:  command(`podman login --tls-verify=false --authfile "$DOCKER_CONFIG/config.json" --username ` + registryUser + " --password-stdin HOST"),
			use:    command(`podman search --tls-verify=false --authfile "$DOCKER_CONFIG/config.json" --list-tags HOST/app`),
			logout: command(`podman logout --authfile "$DOCKER_CONFIG/config.json" HOST`),
		},
		{
			name: "docker-py", needs: []string{dockerPy()},
			login:  python("store.store(host, \"" + registryUser + "\", sys.stdin.read())"),
			use:    python("found = docker.auth.load_config().get_all_credentials()\nassert set(found) <= {host}, found"),
			logout: python("store.erase(host)"),
		},
		{
			name:   "oras",
			login:  orasLogin,
			use:    orasUse,
			logout: func(ctx context.Context, _ *testing.T, r *testRegistry) error { return orasStore().Delete(ctx, r.host) },
		},
		{
			name: "crane", // it leaves the login to docker
			login: func(_ context.Context, t *testing.T, r *testRegistry) error {
				return runHelper(t, "store", storeRequest(r.host))
			},
			use:    craneUse,
			logout: func(_ context.Context, t *testing.T, r *testRegistry) error { return runHelper(t, "erase", r.host) },
		},
	}
}

func orasStore() credentials.Store { return credentials.NewNativeStore("cre") }

func orasRegistry(r *testRegistry) (*orasremote.Registry, error) {
	reg, err := orasremote.NewRegistry(r.host)
	if err == nil {
		reg.PlainHTTP = true
		reg.Client = &auth.Client{Credential: credentials.Credential(orasStore())}
	}
	return reg, err
}

func orasLogin(ctx context.Context, _ *testing.T, r *testRegistry) error {
	reg, err := orasRegistry(r)
	if err != nil {
		return err
	}
	return credentials.Login(ctx, orasStore(), reg, auth.Credential{Username: registryUser, Password: registryToken})
}

func orasUse(ctx context.Context, _ *testing.T, r *testRegistry) error {
	reg, err := orasRegistry(r)
	if err != nil {
		return err
	}
	repository, err := reg.Repository(ctx, "app")
	if err != nil {
		return err
	}
	_, err = repository.Resolve(ctx, "latest")
	return err
}

func craneUse(ctx context.Context, t *testing.T, r *testRegistry) error {
	_, err := remote.Get(r.image(t), remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
	return err
}

func storeRequest(host string) string {
	return fmt.Sprintf(`{"ServerURL":%q,"Username":%q,"Secret":%q}`, host, registryUser, registryToken)
}

// runHelper runs docker's name of the helper in the test's own environment.
func runHelper(t *testing.T, op, in string) error {
	m := &machine{T: t, bin: bin, env: os.Environ()}
	if o := m.run(in, dockerHelper, op); o.status != 0 {
		return errors.New(o.String())
	}
	return nil
}

// inDockersWorld sets up a keychain, and a configuration by which every client
// uses it for r, as this process' own environment: some clients run in it.
func inDockersWorld(t *testing.T, r *testRegistry) *machine {
	t.Helper()
	keychain := keyringtest.Start(t)
	env := append(keychain.Env(), "HOME="+t.TempDir(), "CRE_API_KEY=", "DOCKER_CONFIG="+t.TempDir(),
		"DOCKER_HOST=unix:///nonexistent/docker.sock", "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	for _, variable := range env {
		key, value, _ := strings.Cut(variable, "=")
		t.Setenv(key, value)
	}
	config := fmt.Sprintf(`{"credHelpers":{%q:"cre"}}`, r.host)
	if err := os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return &machine{T: t, bin: bin, env: os.Environ(), keychain: keychain}
}

// TestRegistryClientsBesideGit has git keep a password for the very host, port
// and username that a registry's client logs in to, uses and logs out from.
// Neither sees or loses what the other has.
func TestRegistryClientsBesideGit(t *testing.T) {
	for _, client := range registryClients() {
		t.Run(client.name, func(t *testing.T) {
			keyringtest.Need(t, append(client.needs, keyringtest.Programs()...)...)
			r := startRegistry(t, false)
			m := inDockersWorld(t, r)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			git := "protocol=https\nhost=" + r.host + "\n"
			kept := git + "username=" + registryUser + "\npassword=" + gitPassword + "\n"
			mustBe := func(when, docker string) {
				t.Helper()
				if o := m.run(git, "git-credential-cre", "get"); o.stdout != strings.TrimPrefix(kept, git) {
					t.Errorf("%s, git is answered %v", when, o)
				}
				if o := m.run(r.host, dockerHelper, "get"); !strings.Contains(o.stdout, docker) {
					t.Errorf("%s, docker is answered %v", when, o)
				}
			}
			if o := m.run(kept, "git-credential-cre", "store"); o.status != 0 {
				t.Fatal(o)
			}
			mustBe("before", "credentials not found in native keychain")
			if err := client.login(ctx, t, r); err != nil {
				t.Fatalf("login: %v", err)
			}
			mustBe("after the login", registryToken)
			if err := client.use(ctx, t, r); err != nil {
				t.Errorf("use: %v", err)
			}
			if err := client.logout(ctx, t, r); err != nil {
				t.Errorf("logout: %v", err)
			}
			mustBe("after the logout", "credentials not found in native keychain")
			if n := r.odd.Load(); n > 0 {
				t.Errorf("the registry got %d requests with another password", n)
			}
		})
	}
}

// TestAnOpenRegistryNeedsNothing holds that a client gets on without a
// credential, and that an open registry isn't sent git's password.
func TestAnOpenRegistryNeedsNothing(t *testing.T) {
	for _, client := range registryClients() {
		t.Run(client.name, func(t *testing.T) {
			keyringtest.Need(t, append(client.needs, keyringtest.Programs()...)...)
			r := startRegistry(t, true)
			m := inDockersWorld(t, r)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			in := "protocol=https\nhost=" + r.host + "\nusername=" + registryUser + "\npassword=" + gitPassword + "\n"
			if o := m.run(in, "git-credential-cre", "store"); o.status != 0 {
				t.Fatal(o)
			}
			if err := client.use(ctx, t, r); err != nil {
				t.Error(err)
			}
			if n := r.odd.Load(); n > 0 {
				t.Errorf("the registry got %d requests with a password", n)
			}
		})
	}
}

// TestALockedKeychainHidesNoOpenRegistry has nothing stored, and nobody who could
// unlock the keychain: every client gets on without a credential. git comes as far
// as asking its user.
func TestALockedKeychainHidesNoOpenRegistry(t *testing.T) {
	git := registryClient{
		name: "git", needs: []string{"git"},
		use: command(`printf 'protocol=https\nhost=HOST\n' | GIT_ASKPASS=echo git -c credential.helper= -c credential.helper=cre credential fill 2>&1 | grep '^password=Password for'`),
	}
	for _, client := range append(registryClients(), git) {
		t.Run(client.name, func(t *testing.T) {
			keyringtest.Need(t, append(client.needs, keyringtest.Programs()...)...)
			r := startRegistry(t, true)
			m := inDockersWorld(t, r)
			m.keychain.Lock(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := client.use(ctx, t, r); err != nil {
				t.Error(err)
			}
			if n := r.odd.Load(); n > 0 {
				t.Errorf("the registry got %d requests with a password", n)
			}
		})
	}
}
