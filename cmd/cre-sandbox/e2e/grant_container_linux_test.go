package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/keyring/keyringtest"
)

// container is how podman runs a program with the files of this machine's /usr, in
// namespaces of its own, without a network.
type container struct{ args []string }

// newContainer leaves the test out where podman can't run a container.
func newContainer(t *testing.T, m *machine) container {
	t.Helper()
	keyringtest.Need(t, "podman")
	dir := shortDir(t)
	for _, name := range []string{"root/usr", "root/run", "root/tmp", "root/home", "root" + m.bin} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_ = os.Chmod(filepath.Join(dir, "root/home"), 0o777) //nolint:gosec // whoever the container runs as has a home
	for _, name := range []string{"bin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+name, filepath.Join(dir, "root", name)); err != nil {
			t.Fatal(err)
		}
	}
	var c container
	var why []byte
	for _, runtime := range []string{"crun", "runc"} { // the one needs cgroups of one version, the other is older
		c.args = []string{
			"podman", "--root", dir + "/storage", "--runroot", dir + "/run", "--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", runtime,
			"run", "--rm", "--network", "none", "--ulimit", "nofile=1000:1000", "--ulimit", "nproc=1000:1000",
			"-v", "/usr:/usr:ro", "-v", m.bin + ":" + m.bin + ":ro", "-e", "HOME=/home", "-e", "PATH=" + m.bin + ":/usr/bin",
		}
		var err error
		if why, err = exec.Command(c.args[0], append(c.args[1:], "--rootfs", dir+"/root", "true")...).CombinedOutput(); err == nil {
			c.args = append(c.args, "-v", "$CRE_CREDENTIAL_SOCKET:/run/cre.sock", "-e", "CRE_CREDENTIAL_SOCKET=/run/cre.sock")
			for _, pair := range m.env { // the platform's
				if strings.HasPrefix(pair, "CRE_CLI_") {
					c.args = append(c.args, "-e", pair)
				}
			}
			c.args = append(c.args, "--rootfs", dir+"/root")
			return c
		}
	}
	if !strings.Contains(string(why), "OCI") { // what runs containers is not to blame
		t.Fatalf("podman: %s", why)
	}
	t.Skipf("left out: podman can't run a container here: %s", why)
	return c
}

// run is the recipe for a container: a grant's command that runs script there.
func (c container) run(m *machine, grant, options []string, script string) outcome {
	rootfs := len(c.args) - 2
	args := append(append(append([]string{}, c.args[:rootfs]...), options...), c.args[rootfs:]...)
	for i, a := range args {
		args[i] = `"` + a + `"`
	}
	return m.run("", "cre-credential-helper", append(append([]string{"grant"}, grant...), "--", "sh", "-c", strings.Join(args, " ")+` sh -c '`+script+`'`)...)
}

// TestAContainerAsksThroughAGrant is the recipe for podman and for docker.
func TestAContainerAsksThroughAGrant(t *testing.T) {
	t.Parallel()
	m := grantHost(t, withAccess)
	c := newContainer(t, m)
	token := m.mustGet()
	if o := c.run(m, nil, nil, "cre-credential-helper get </dev/null; cre session"); o.token() != token || !strings.Contains(o.stdout, "a grant, to which CRE_CREDENTIAL_SOCKET leads") {
		t.Errorf("a get: %v", o)
	}
	o := c.run(m, []string{"--exchange"}, nil, "cre whoami; cre-credential-helper get </dev/null")
	if !strings.Contains(o.stdout, "email@domain.com") || strings.Contains(o.stdout+o.stderr, token) || !strings.Contains(o.stderr, "keeps the session") {
		t.Errorf("an exchange, without a network: %v", o)
	}
	if os.Getuid() != 0 {
		return // rootless podman numbers its users otherwise
	}
	user := []string{"--user", "1234:1234"}
	if o := c.run(m, nil, user, "cre-credential-helper get </dev/null"); o.stdout != "" || !strings.Contains(o.stderr, "may not be asked by user 1234") {
		t.Errorf("another user: %v", o)
	}
	if o := c.run(m, []string{"--uid", "1234", "--force"}, user, "cre-credential-helper get </dev/null"); o.token() != token {
		t.Errorf("a user that is named: %v", o)
	}
}
