package official_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/official"
	"cre-credential-helper/cmd/cre-sandbox/internal/provider"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestMain lets the test binary be the program itself, for what starts it again.
func TestMain(m *testing.M) {
	if official.IsName(os.Args[0]) {
		os.Exit(official.Run(context.Background(), official.Config{
			Args: os.Args[1:], Env: os.Environ(), Dir: ".", Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Self: os.Args[:1],
		}))
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the OpenID library logs every refusal
	os.Exit(m.Run())
}

// desk is a person's machine: a home, a working directory and a platform.
type desk struct {
	*testing.T
	platform  *sandbox.Server
	home, dir string
	env       []string
	terminal  bool
	input     string
	self      []string
}

// outcome is what a run printed and ended with.
type outcome struct {
	status         int
	stdout, stderr string
}

func (o outcome) has(text string) bool { return strings.Contains(o.stdout+o.stderr, text) }

func newDesk(t *testing.T, o sandbox.Options) *desk {
	t.Helper()
	platform, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(platform.Close)
	d := &desk{T: t, platform: platform, home: t.TempDir(), dir: t.TempDir()}
	d.env = append(platform.Env(), "HOME="+d.home, "USERPROFILE="+d.home, "PATH="+os.Getenv("PATH"),
		"GORACE=atexit_sleep_ms=0") // a program under the race detector sleeps before it exits
	return d
}

func (d *desk) run(args ...string) outcome {
	d.Helper()
	var stdout, stderr bytes.Buffer
	status := official.Run(d.Context(), official.Config{
		Args: args, Env: d.env, Dir: d.dir, Terminal: d.terminal,
		Stdin: strings.NewReader(d.input), Stdout: &stdout, Stderr: &stderr, Self: d.self,
	})
	return outcome{status, stdout.String(), stderr.String()}
}

// installed makes this test binary the program, in a file of its own.
func (d *desk) installed() string {
	d.Helper()
	self, err := os.Executable()
	if err != nil {
		d.Fatal(err)
	}
	path := filepath.Join(d.TempDir(), "cre")
	data, err := os.ReadFile(self)
	if err == nil {
		err = os.WriteFile(path, data, 0o755)
	}
	if err != nil {
		d.Fatal(err)
	}
	return path
}

func (d *desk) path(name string) string { return filepath.Join(d.home, ".cre", name) }

func (d *desk) read(path string) string {
	d.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		d.Fatal(err)
	}
	return string(data)
}

func (d *desk) write(path, text string) {
	d.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		d.Fatal(err)
	}
}

// logIn puts a session into cre.yaml.
func (d *desk) logIn() provider.Session {
	d.Helper()
	s, err := d.platform.NewSession(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	d.write(d.path("cre.yaml"), file(s.Access, s.Refresh))
	return s
}

func file(access, refresh string) string {
	return fmt.Sprintf("AccessToken: %s\nIDToken: \"\"\nRefreshToken: %s\nExpiresIn: 86400\nTokenType: Bearer\n", access, refresh)
}

// token is a JWT in form that lives for so long.
func token(life time.Duration) string {
	payload, _ := json.Marshal(map[string]any{"exp": time.Now().Add(life).Unix(), "org_id": "org", "x/organization_status": "FULL_ACCESS"})
	return "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln"
}

func (d *desk) asked(field string) int { return d.platform.Stats().GraphQL[field] }
