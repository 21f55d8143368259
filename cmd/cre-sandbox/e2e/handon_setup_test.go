//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/keyring/keyringtest"
)

// shell runs a line of a person's shell, in which the official installer has put
// its folder first on PATH.
func (m *machine) shell(line string) outcome {
	m.Helper()
	cmd := exec.CommandContext(m.Context(), "sh", "-euc", "unset GIT_CONFIG_GLOBAL CRE_INSTALL; "+line)
	path := strings.Join([]string{filepath.Join(m.home, ".cre/bin"), m.bin, bin, os.Getenv("PATH")}, ":")
	cmd.Dir, cmd.Env = m.home, append(m.environ(), "PATH="+path, "BIN="+m.bin, "GIT_CONFIG_NOSYSTEM=1")
	return m.finish(cmd, "")
}

// TestSetupOfficialPutsTheTwoInOrder after the official installer, which has left
// a folder that the user's group may write to, and keeps them so whatever the
// installer and the official CLI's own update do.
func TestSetupOfficialPutsTheTwoInOrder(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, withAccess)
	m.usePlainPrograms()
	own := readFile(t, filepath.Join(m.bin, "cre"))
	folder := filepath.Join(m.home, ".cre")
	const installer = `umask 002; cre-sandbox official-installer`
	for i, c := range []struct {
		line, says, alsoSays string
	}{
		{installer, "was installed successfully to " + folder + "/bin/cre", ""},
		{"cre version", "CRE CLI version v1.27.0-sandbox", ""},
		{`"$BIN/cre" setup official`, "renamed " + folder + "/bin/cre to cre-official", "tightened " + folder},
		{"cre setup official", "nothing to change: " + folder + "/bin/cre is this program", ""},
		{"command -v cre; cre version", folder + "/bin/cre\ncre version ", "\nCRE CLI version v1.27.0-sandbox\n"},
		{"BROWSER=nobody cre login --no-browser --non-interactive || true", "a login needs a person", ""},
		{"cre update", "CRE CLI updated: " + folder + "/bin/cre-official", ""},
		{"tail -n 1 .cre/bin/cre-official; cre setup official", "updated\n", "nothing to change"},
		{installer, "was installed successfully", ""},
		{`"$BIN/cre" setup official`, "renamed the older " + folder + "/bin/cre-official to cre-official.old", "linked"},
		{"cre version", "cre version ", "CRE CLI version v1.27.0-sandbox"},
		{"cre setup official --undo", "renamed " + folder + "/bin/cre-official to cre", ""},
		{"cre version", "CRE CLI version v1.27.0-sandbox", ""},
		{`"$BIN/cre" setup official --undo`, "nothing to take back", ""},
		{`"$BIN/cre" setup official`, "linked " + folder + "/bin/cre to " + filepath.Join(m.bin, "cre"), ""},
	} {
		o := m.shell(c.line)
		said := o.stdout + o.stderr
		if o.status != 0 || !strings.Contains(said, c.says) || !strings.Contains(said, c.alsoSays) {
			t.Fatalf("%d: %s: %v; want %q and %q", i, c.line, o, c.says, c.alsoSays)
		}
		if readFile(t, filepath.Join(m.bin, "cre")) != own {
			t.Fatalf("%d: %s: our program was written to", i, c.line)
		}
	}
	m.logIn()
	if o := m.shell("cre workflow list"); o.status != 0 || !strings.Contains(o.stderr, throughUs) || !strings.Contains(o.stdout, "0 workflows") {
		t.Errorf("through the link: %v", o)
	}
	if o := m.shell("cre-official workflow list"); o.status == 0 || strings.Contains(o.stderr, throughUs) {
		t.Errorf("the official one by its name: %v", o)
	}
	for _, path := range []string{folder, folder + "/bin"} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o022 != 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

// TestSetupGitIsWhatGitNeeds asks the real git.
func TestSetupGitIsWhatGitNeeds(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, withAccess)
	token := m.logIn().Access
	config := filepath.Join(m.home, ".gitconfig")
	m.write(config, 0o644, "[user]\n\tname = someone # me\n")
	before := readFile(t, config)
	fill := "printf '" + strings.ReplaceAll(m.request(), "\n", `\n`) + "' | GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=true git credential fill"
	key := "credential." + m.platform.URL + ".helper = cre"
	for i, c := range []struct{ line, says string }{
		{"cre setup git", "added " + key + " to git's global configuration"},
		{fill, "password=" + token},
		{"cre setup git --host " + m.platform.URL, "nothing to change: git's global configuration has " + key},
		{"cre setup git --host git.example.com --host other.example.com", "credential.https://other.example.com.helper = cre"},
		{"git config --global --get-urlmatch credential.helper https://git.example.com/team/x", "cre\n"},
		{"cre setup git --undo --host git.example.com --host other.example.com", "removed "},
		{"cre setup git --undo", "removed " + key},
		{"cre setup git --undo", "nothing to take back"},
	} {
		if o := m.shell(c.line); o.status != 0 || !strings.Contains(o.stdout+o.stderr, c.says) {
			t.Errorf("%d: %s: %v; want %q", i, c.line, o, c.says)
		}
	}
	if after := readFile(t, config); after != before {
		t.Errorf("git's configuration was\n%s\nand is\n%s", before, after)
	}
}

// TestSetupDockerIsWhatDockerNeeds asks the real docker program.
func TestSetupDockerIsWhatDockerNeeds(t *testing.T) {
	t.Parallel()
	keyringtest.Need(t, "docker")
	m := newMachine(t, keychainMode, withAccess)
	r := startRegistry(t, false)
	m.setenv("DOCKER_CONFIG=", "DOCKER_HOST=unix:///nonexistent/docker.sock")
	config := filepath.Join(m.home, ".docker", "config.json")
	before := "{\n\t\"psFormat\" : \"x\",\n  \"auths\": {}}\n"
	m.write(config, 0o640, before)
	m.setenv("REGISTRY="+r.host, "PASSWORD="+registryToken)
	for i, c := range []struct{ line, says string }{
		{`cp .docker/config.json before; cre setup docker --registry "$REGISTRY"; cre setup docker --undo --registry "$REGISTRY"; cmp before .docker/config.json`, "removed"},
		{`cre setup docker --registry "$REGISTRY"`, "added \"" + r.host + "\": \"cre\" to credHelpers in " + config},
		{`cre setup docker --registry "$REGISTRY"`, "nothing to change"},
		{`printf %s "$PASSWORD" | docker login --username ` + registryUser + ` --password-stdin "$REGISTRY"`, "Login Succeeded"},
		{`docker-credential-cre list`, `"` + registryUser + `"`},
		{`docker manifest inspect --insecure "$REGISTRY/app:latest"`, "schemaVersion"},
		{`docker logout "$REGISTRY"`, "Removing login credentials"},
		{`docker-credential-cre list`, "{}"},
		{`cre setup docker --undo --registry "$REGISTRY"`, "removed \"" + r.host + "\": \"cre\""},
		{`cre setup docker --undo --registry "$REGISTRY"`, "nothing to take back"},
	} {
		if o := m.shell(c.line); o.status != 0 || !strings.Contains(o.stdout+o.stderr, c.says) {
			t.Errorf("%d: %s: %v; want %q", i, c.line, o, c.says)
		}
	}
	if after := readFile(t, config); !strings.Contains(after, "psFormat") || strings.Contains(after, r.host) { // docker has written it anew
		t.Errorf("docker's configuration was\n%s\nand is\n%s", before, after)
	}
	for line, says := range map[string]string{"cre setup docker": "registry", "cre setup docker --registry a/b": "is not a registry", "cre setup git --host ' '": "", "cre setup official x": "takes no argument"} {
		if o := m.shell(line); o.status != 2 || !strings.Contains(o.stderr, says) {
			t.Errorf("%s: %v", line, o)
		}
	}
}
