package e2e

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

func TestAGrantIsAskedOverLoopback(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	m.setenv("CRE_OFFICIAL_CLI=" + m.officialCLI())
	token := m.mustGet()
	cmd := m.command(t.Context(), "cre-credential-helper", "grant", "--loopback", "--name", "vm")
	said := new(safeBuffer)
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	url, _ := lines.ReadString('\n')
	key, err := lines.ReadString('\n')
	url, key = strings.TrimSpace(url), strings.TrimSpace(key)
	if err != nil || !strings.HasPrefix(url, "CRE_CREDENTIAL_URL=http://127.0.0.1:") || !strings.HasPrefix(key, "CRE_CREDENTIAL_TOKEN_FILE=/") {
		t.Fatalf("%q, %q, %v, %s", url, key, err, said)
	}
	c := m.consumer("")
	c.setenv(url, key)
	c.everyFormAnswers(token)
	if o := c.run("", "cre", "whoami"); o.status != 0 || !strings.Contains(o.stdout, "email@domain.com") {
		t.Errorf("whoami: %v", o)
	}
	if o := c.run("", "cre", "workflow", "list"); o.status != 0 {
		t.Errorf("the official CLI: %v", o)
	}
	if o := c.run("protocol=https\nhost=example.com\n", "cre-credential-helper", "get"); o.stdout != "" || !strings.Contains(o.stderr, "not for https://example.com") {
		t.Errorf("another host: %v", o)
	}
	secret := strings.TrimSpace(readFile(t, strings.TrimPrefix(key, "CRE_CREDENTIAL_TOKEN_FILE=")))
	kept := t.TempDir() + "/capability"
	m.write(kept, 0o600, secret)
	other := t.TempDir() + "/other"
	m.write(other, 0o600, strings.Repeat("0", len(secret)))
	for name, variable := range map[string]string{"another capability": "CRE_CREDENTIAL_TOKEN_FILE=" + other, "none": "CRE_CREDENTIAL_TOKEN_FILE=", "no file": "CRE_CREDENTIAL_TOKEN_FILE=/nowhere/x"} {
		if o := c.in(t, variable).get(); o.status == 0 || o.stdout != "" {
			t.Errorf("%s: %v", name, o)
		}
	}
	if strings.Contains(said.String(), secret) || tokenPattern.MatchString(said.String()) {
		t.Errorf("the grant says %s", said)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	begin := time.Now()
	m.until("nobody answers any more", func() bool { // cre-credential-net ends when its asker has
		o := c.in(t, "CRE_CREDENTIAL_TOKEN_FILE="+kept).get()
		if o.status == 0 {
			t.Fatalf("after the end: %v", o)
		}
		return strings.Contains(o.stderr, "has ended: start another one")
	})
	if took := time.Since(begin); took > atOnce {
		t.Errorf("it took %v", took)
	}
}
