//go:build unix

package e2e

import (
	"bytes"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker-credential-helpers/client"
	"github.com/docker/docker-credential-helpers/credentials"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"cre-credential-helper/keyring/keyringtest"
)

const dockerHelper = "docker-credential-cre"

// docker runs the helper for docker's own client, by the name that docker
// knows it by. It collects what the helper writes on standard error, where
// docker's protocol has nothing to say.
type docker struct {
	env    []string
	stderr bytes.Buffer
}

func newDocker(t *testing.T) *docker {
	t.Helper()
	d := &docker{env: append(append(os.Environ(), keyringtest.Start(t).Env()...), "HOME="+t.TempDir(), "CRE_API_KEY=")}
	t.Cleanup(func() {
		if d.stderr.Len() > 0 {
			t.Errorf("on standard error: %s", d.stderr.String())
		}
	})
	return d
}

// program is a [client.ProgramFunc].
func (d *docker) program(args ...string) client.Program {
	cmd := exec.Command(filepath.Join(bin, dockerHelper), args...)
	cmd.Env, cmd.Stderr = d.env, &d.stderr
	return dockerProgram{cmd}
}

type dockerProgram struct{ cmd *exec.Cmd }

func (p dockerProgram) Output() ([]byte, error) { return p.cmd.Output() }
func (p dockerProgram) Input(in io.Reader)      { p.cmd.Stdin = in }

func (d *docker) mustStore(t *testing.T, server, username, secret string) {
	t.Helper()
	err := client.Store(d.program, &credentials.Credentials{ServerURL: server, Username: username, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
}

func (d *docker) mustGet(t *testing.T, server, username, secret string) {
	t.Helper()
	c, err := client.Get(d.program, server)
	if err != nil {
		t.Fatalf("get %s: %v", server, err)
	}
	if *c != (credentials.Credentials{ServerURL: server, Username: username, Secret: secret}) {
		t.Fatalf("get %s: a credential of %q for %q and a secret of %d bytes", server, c.Username, c.ServerURL, len(c.Secret))
	}
}

func (d *docker) mustList(t *testing.T, want map[string]string) {
	t.Helper()
	list, err := client.List(d.program)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(list, want) {
		t.Errorf("listed %v, want %v", list, want)
	}
}

// TestDockerClient holds every verb of docker's Go client.
func TestDockerClient(t *testing.T) {
	d := newDocker(t)
	d.mustList(t, map[string]string{})
	servers := map[string]string{
		"registry.example.com":               "alice",
		"registry.example.com:5000":          "bob",
		"https://index.docker.io/v1/":        "carol",
		"https://Upper.example.com:443/v2":   "dave",
		"http://plain.example.com":           "<token>",
		"https://paths.example.com/a%2Fb//c": "pässwörd <&>\" \\",
	}
	for server, username := range servers {
		d.mustStore(t, server, username, "secret of "+username)
	}
	for server, username := range servers {
		d.mustGet(t, server, username, "secret of "+username)
	}
	d.mustList(t, servers)

	d.mustStore(t, "registry.example.com", "alice", "another")
	d.mustGet(t, "registry.example.com", "alice", "another")
	d.mustStore(t, "registry.example.com", "erin", "")
	d.mustGet(t, "registry.example.com", "erin", "")
	for server := range servers {
		for range 2 { // docker logout erases what may not be there
			if err := client.Erase(d.program, server); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := client.Get(d.program, server); !credentials.IsErrCredentialsNotFound(err) {
			t.Errorf("after erase, get %s: %v", server, err)
		}
	}
	d.mustList(t, map[string]string{})
}

// TestDockerErrors holds the sentences by which docker's client tells failures
// apart.
func TestDockerErrors(t *testing.T) {
	d := newDocker(t)
	noServer, noUsername := credentials.NewErrCredentialsMissingServerURL().Error(), credentials.NewErrCredentialsMissingUsername().Error()
	store := func(server, username, secret string) error {
		return client.Store(d.program, &credentials.Credentials{ServerURL: server, Username: username, Secret: secret})
	}
	get := func(server string) error { _, err := client.Get(d.program, server); return err }

	if err := get("registry.example.com"); !credentials.IsErrCredentialsNotFound(err) {
		t.Errorf("get of nothing: %v", err)
	}
	for want, err := range map[string]error{
		"err: " + noServer + ", out: `" + noServer + "`":     store("", "someone", "x"),
		"err: " + noUsername + ", out: `" + noUsername + "`": store("registry.example.com", "", "x"),
		"user information`":                                      get("https://someone@registry.example.com"),
		"ServerURL holds a line end or NUL`":                     store("registry.example.com\n", "someone", "x"),
		"error erasing credentials - err: exit status 1, out: `": client.Erase(d.program, "https://registry.example.com/?q"),
		"error getting credentials - err: " + noServer + ",":     get(" \t"),
		"error getting credentials - err: " + noServer + ", ":    get(""),
		"error erasing credentials - err: " + noServer:           client.Erase(d.program, ""),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	d.mustList(t, map[string]string{})
}

// TestDockerIsToldOfBadSettings holds that what no request is to blame for is
// said where docker shows it, too.
func TestDockerIsToldOfBadSettings(t *testing.T) {
	d := newDocker(t)
	d.env = append(d.env, "CRE_CREDENTIAL_STORE=cupboard")
	const origin = "https://api.cre.chain.link" // others need no setting of CRE's
	_, err := client.Get(d.program, origin)
	for _, err := range []error{err, client.Store(d.program, &credentials.Credentials{ServerURL: origin, Username: "x", Secret: "x"}), client.Erase(d.program, origin)} {
		if err == nil || !strings.Contains(err.Error(), "err: exit status 1, out: `unusable setting: ") {
			t.Errorf("got %v", err)
		}
	}
}

// TestDockerStoresAnyText is about what git's form could not hold: the key of a
// service account, and every control character.
func TestDockerStoresAnyText(t *testing.T) {
	d := newDocker(t)
	controls := "\x7f\u0085\u2028\ufeff"
	for r := range rune(' ') {
		controls = string(r) + controls
	}
	for _, secret := range []string{"{\n  \"type\": \"service_account\"\r\n}\n", controls, "\n"} {
		d.mustStore(t, "https://gcr.example.com", "_json_key"+secret, secret)
		d.mustGet(t, "https://gcr.example.com", "_json_key"+secret, secret)
	}
}

// TestDockerSizes holds that a secret of up to 64 KiB comes back, whatever
// JSON makes of its letters.
func TestDockerSizes(t *testing.T) {
	d := newDocker(t)
	for _, secret := range []string{
		"x", strings.Repeat("x", 2559), strings.Repeat("x", 2560), strings.Repeat("x", 2561),
		strings.Repeat("<", 64<<10), strings.Repeat("\"é\x01", 4<<10), "x",
	} {
		d.mustStore(t, "registry.example.com", "someone", secret)
		d.mustGet(t, "registry.example.com", "someone", secret)
	}
}

// TestDockerConfiguration holds that a registry client which reads docker's
// config.json finds what docker login stored.
func TestDockerConfiguration(t *testing.T) {
	d := newDocker(t)
	d.mustStore(t, "registry.example.com", "alice", "secret")
	d.mustStore(t, "other.example.com", "<token>", "identity")
	d.mustStore(t, "https://index.docker.io/v1/", "carol", "hub")
	for _, variable := range d.env {
		if key, value, _ := strings.Cut(variable, "="); os.Getenv(key) != value {
			t.Setenv(key, value)
		}
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))

	perHost := `{"auths":{"registry.example.com":{}},"credHelpers":{"registry.example.com":"cre","other.example.com":"cre","absent.example.com":"cre"}}`
	forAll := `{"auths":{"https://index.docker.io/v1/":{}},"credsStore":"cre"}`
	tests := []struct {
		name, config, image string
		want                authn.AuthConfig
	}{
		{"a username and password", perHost, "registry.example.com/team/app", authn.AuthConfig{Username: "alice", Password: "secret"}},
		{"an identity token", perHost, "other.example.com/app", authn.AuthConfig{IdentityToken: "identity"}},
		{"nothing stored", perHost, "absent.example.com/app", authn.AuthConfig{}},
		{"no helper for the host", perHost, "elsewhere.example.com/app", authn.AuthConfig{}},
		{"one store for all", forAll, "registry.example.com/team/app", authn.AuthConfig{Username: "alice", Password: "secret"}},
		{"docker's own registry", forAll, "library/alpine", authn.AuthConfig{Username: "carol", Password: "hub"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("DOCKER_CONFIG", dir)
			if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(tt.config), 0o600); err != nil {
				t.Fatal(err)
			}
			repo, err := name.NewRepository(tt.image)
			if err != nil {
				t.Fatal(err)
			}
			auth, err := authn.DefaultKeychain.Resolve(repo)
			if err != nil {
				t.Fatal(err)
			}
			got, err := auth.Authorization()
			if err != nil || *got != tt.want {
				t.Errorf("got %+v, %v; want %+v", *got, err, tt.want)
			}
		})
	}
}
