package e2e

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// message is one that a person reads.
type message struct {
	mode  string
	cause func(m *machine) outcome
	want  []string // lines of standard error, whole; HOST is the platform's
	never []string
}

const declined = "Error: you declined the login in the browser. To try again: cre login"

// messages are what happened, to what, and what to do, by what happened.
var messages = map[string]message{
	"the keychain does not answer at a login": {keychainMode, func(m *machine) outcome {
		m.signalKeychain(syscall.SIGSTOP)
		m.setenv("CRE_KEYRING_TIMEOUT=1s")
		return m.run("", "cre", "login")
	}, []string{"Error: the keychain did not answer within 1 s, so no browser was opened: unlock it and try again, or set CRE_CREDENTIAL_STORE=file (plain text)"},
		[]string{"context deadline", "keychain: ", "outcome"}},
	"the keychain is locked": {keychainMode, func(m *machine) outcome {
		m.logIn()
		m.keychain.Lock(m)
		return m.run("", "cre", "whoami")
	}, []string{"Error: the keychain is locked: unlock the login keyring and try again (it asked for its password, and got none)"},
		[]string{"/org/", "keychain: read"}},
	"a renewal is refused": {keychainMode, func(m *machine) outcome {
		m.expire(m.logIn().Access)
		m.platform.Replace(sandbox.Token, status(403, `{"error":"invalid_grant"}`))
		return m.run("", "cre", "whoami")
	}, []string{"warning: the session of email@domain.com has ended, and was removed: log in again by cre login",
		"Error: failed to attach credentials: failed to load credentials: you are not logged in, try running cre login"},
		[]string{"removed the session", "invalid_grant"}},
	"a logout without the network": {keychainMode, func(m *machine) outcome {
		m.logIn()
		m.platform.Replace(sandbox.Revoke, http.HandlerFunc(breakOff))
		return m.run("", "cre", "logout")
	}, []string{"warning: the session could not be revoked (can't reach HOST: the connection broke off): it is removed from this machine, but stays valid at the provider until it expires"},
		[]string{"try again"}},
	"over SSH, the session in the desktop's keychain": {keychainMode, func(m *machine) outcome {
		m.logIn()
		m.leaveBus()
		return m.run("", "cre", "whoami")
	}, []string{"Error: your session is in the keychain, and this shell can't reach one (no D-Bus session): use your desktop's terminal, log in here with CRE_CREDENTIAL_STORE=file cre login, or set CRE_API_KEY"},
		[]string{"Secret Service"}},
	"a store's program that isn't there": {fileMode, func(m *machine) outcome {
		m.setenv("CRE_CREDENTIAL_STORE=docker-credential-nowhere")
		return m.run("", "cre", "login", "--no-browser")
	}, []string{"Error: docker-credential-nowhere is not on PATH, so no browser was opened: install it, or use another store"},
		nil},
	"a store of a newer version": {kernelMode, func(m *machine) outcome {
		m.logIn()
		text, err := os.ReadFile(m.sessionFile())
		if err == nil {
			err = os.WriteFile(m.sessionFile(), bytes.ReplaceAll(text, []byte("kernel+"), []byte("attic+")), 0o600)
		}
		if err != nil {
			m.Fatal(err)
		}
		return m.run("", "cre", "whoami")
	}, []string{`Error: unknown credential store: cre.yaml says that the session is in "attic", which this version doesn't know: a newer version wrote it: upgrade, or log in with another store (nothing is lost meanwhile)`},
		nil},
	"the login is declined": {fileMode, func(m *machine) outcome {
		s := m.loginOnTerminal("--no-browser")
		s.expect("Waiting for ")
		state := regexp.MustCompile(`state=(\w+)`).FindStringSubmatch(s.lastURL())[1]
		s.types("http://localhost:53682/callback?error=access_denied&error_description=User+did+not+authorize+the+request&state=" + state + "\r")
		return outcome{status: s.wait(), stderr: strings.ReplaceAll(s.text(), "\r", "")}
	}, []string{declined}, []string{"access_denied", "provider ended"}},
	"the port is in use": {fileMode, func(m *machine) outcome {
		callbackPort.Lock()
		defer callbackPort.Unlock()
		taken, err := net.Listen("tcp", "127.0.0.1:53682")
		if err != nil {
			m.Fatal(err)
		}
		defer taken.Close()
		return m.run("", "cre", "login", "--no-browser")
	}, []string{"Error: port 53682 is in use by another program: cre doctor port names it"}, []string{"listen tcp", "bind"}},
	"the port is a connection's": {fileMode, func(m *machine) outcome {
		callbackPort.Lock()
		defer callbackPort.Unlock()
		for _, host := range []string{"127.0.0.1", "::1"} {
			connectFrom(m, net.JoinHostPort(host, "53682"))
		}
		return m.run("", "cre", "login", "--no-browser")
	}, []string{"Error: port 53682 is in use by another program's connection: try again in a minute"}, []string{"bind", "nobody listens"}},
	"a web page instead of JSON": {fileMode, func(m *machine) outcome {
		m.logIn()
		m.platform.Replace(sandbox.GraphQL, status(200, "<html>Sign in to the Wi-Fi</html>"))
		return m.run("", "cre", "whoami")
	}, []string{"Error: HOST answered with a web page, not the API: a proxy or a Wi-Fi login page may be in between (HTTP status 200)"}, nil},
	"a web page instead of tokens": {fileMode, func(m *machine) outcome {
		m.expire(m.logIn().Access)
		m.platform.Replace(sandbox.Token, status(200, "<html>Sign in to the Wi-Fi</html>"))
		return m.run("", "cre", "whoami")
	}, []string{"Error: could not renew the session: HOST answered with a web page, not the API: a proxy or a Wi-Fi login page may be in between (HTTP status 200)"}, nil},
	"the token endpoint redirects": {fileMode, renewalAnswers(302, ""), []string{"Error: could not renew the session: HOST answered with HTTP status 302 (no error code); check the network and try again"}, []string{"log in"}},
	"the token endpoint forbids":   {fileMode, renewalAnswers(403, `{"error":"access_denied"}`), []string{"Error: could not renew the session: HOST answered with HTTP status 403 (access_denied); try again in a while"}, []string{"log in"}},
	"the token endpoint is gone":   {fileMode, renewalAnswers(404, ""), []string{"Error: could not renew the session: HOST answered with HTTP status 404 (no error code); check the network and try again"}, []string{"log in"}},
	"an API key is rejected inside a 200": {fileMode, func(m *machine) outcome {
		m.platform.Replace(sandbox.GraphQL, status(200, `{"errors":[{"message":"no","extensions":{"code":"UNAUTHENTICATED"}}]}`))
		m.setenv("CRE_API_KEY=a-key-that-is-wrong")
		return m.run("", "cre", "whoami")
	}, []string{`Error: the API key in CRE_API_KEY doesn't work: correct it, or unset it to use your session: the platform rejected the credential (HOST: HTTP status 200: "no")`},
		[]string{"cre login", "a-key-that-is-wrong"}},
	"a mistyped command": {fileMode, cre("whomai"), []string{`Error: no command "whomai": did you mean "cre whoami"?`}, nil},
	"a mistyped command of the official CLI, which can't be asked": {fileMode, cre("worklow", "list"), []string{`Error: no command "worklow": did you mean "cre workflow"?`}, []string{"not installed"}},
	"another program's word": {fileMode, cre("auth", "status"), []string{`Error: no command "auth": did you mean "cre session"?`}, nil},
	"an unknown flag":        {fileMode, cre("login", "--frob"), []string{"Error: unknown flag --frob: see cre login --help"}, []string{"provided but not defined"}},
	"a mistyped flag":        {fileMode, cre("whoami", "--jsn"), []string{"Error: unknown flag --jsn: did you mean --json? See cre whoami --help"}, nil},
	"a mistyped --account":   {fileMode, cre("--accout", firstAccount, "workflow", "list"), []string{"Error: unknown flag --accout: did you mean --account? See cre --help"}, nil},
	"an empty account":       {fileMode, cre("--account", "", "logout"), []string{"Error: --account takes an account: see cre session list"}, nil},
	"a time without a unit":  {fileMode, cre("session", "token", "--valid-for", "30"), []string{`Error: --valid-for takes a time such as 30m, not "30"`}, []string{"parse error"}},
	"no time":                {fileMode, cre("session", "token", "--valid-for", "0"), []string{"Error: --valid-for takes a time of more than 0, such as 30m"}, nil},
	"a negative time":        {fileMode, cre("session", "token", "--valid-for", "-5m"), []string{"Error: --valid-for takes a time of more than 0, such as 30m"}, nil},
	"an empty time":          {fileMode, cre("session", "token", "--valid-for="), []string{`Error: --valid-for takes a time such as 30m, not ""`}, nil},
	"a registry that is no flag's": {fileMode, cre("setup", "docker", "registry.example.com"), []string{
		"Error: setup docker takes no argument: did you mean --registry registry.example.com?"}, nil},
	"no registry":     {fileMode, cre("setup", "docker"), []string{"Error: name a registry: --registry registry.example.com"}, []string{"unusable name"}},
	"help on nothing": {fileMode, cre("help", "sesion"), []string{`Error: no command "sesion": did you mean "cre session"?`}, nil},
	"a missing key file": {fileMode, func(m *machine) outcome {
		m.setenv("CRE_API_KEY_FILE=/does/not/exist")
		return m.get()
	}, []string{"cre-credential-helper: unusable setting: CRE_API_KEY_FILE: there is no file /does/not/exist: correct it or unset it"}, []string{"stat "}},
	"a mistyped variable": {fileMode, func(m *machine) outcome {
		m.setenv("CRE_APIKEY=x", "CRE_CLI_AUTHBASE=y")
		return m.run("", "cre", "whoami")
	}, []string{"warning: nothing reads CRE_APIKEY: did you mean CRE_API_KEY?", "warning: nothing reads CRE_CLI_AUTHBASE: did you mean CRE_CLI_AUTH_BASE?"}, nil},
	"overrides": {fileMode, func(m *machine) outcome {
		m.logIn()
		return m.run("", "cre", "whoami")
	}, []string{"warning: CRE_CLI_* variables are set: using http://HOST, not PRODUCTION"}, []string{"CRE_CLI_AUTH_BASE"}},
	"TLS": {fileMode, func(m *machine) outcome {
		stranger := httptest.NewUnstartedServer(nil)
		stranger.Config.ErrorLog = log.New(io.Discard, "", 0)
		stranger.StartTLS()
		defer stranger.Close()
		m.setenv("CRE_CLI_GRAPHQL_URL="+stranger.URL, "CRE_API_KEY=sandbox-api-key")
		o := m.run("", "cre", "whoami")
		o.stderr = strings.ReplaceAll(o.stderr, strings.TrimPrefix(stranger.URL, "https://"), "HOST")
		return o
	}, []string{"Error: HOST's certificate can't be verified; check the clock and the proxy, or set SSL_CERT_FILE to your company's CA (tls: failed to verify certificate: x509: certificate signed by unknown authority)"}, nil},
}

// cre is a command line with a mistake in it.
func cre(args ...string) func(*machine) outcome {
	return func(m *machine) outcome {
		o := m.run("", "cre", args...)
		if o.status != 2 {
			m.Errorf("%q: %v", args, o)
		}
		return o
	}
}

// renewalAnswers has the token endpoint say something that ends no session.
func renewalAnswers(code int, body string) func(*machine) outcome {
	return func(m *machine) outcome {
		m.expire(m.logIn().Access)
		m.platform.Replace(sandbox.Token, status(code, body))
		o := m.run("", "cre", "whoami")
		m.platform.Replace(sandbox.Token, nil)
		m.mustGet() // the session is whole
		return o
	}
}

// TestMessagesAreInTheReadersWords brings each about.
func TestMessagesAreInTheReadersWords(t *testing.T) {
	t.Parallel()
	for name, c := range allMessages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, c.mode, sandbox.Options{})
			o := c.cause(m)
			said := strings.ReplaceAll(o.stderr, strings.TrimPrefix(m.platform.URL, "http://"), "HOST")
			for _, want := range c.want {
				if !strings.Contains("\n"+said, "\n"+want+"\n") {
					t.Errorf("it says\n%s\nwithout\n%s", said, want)
				}
			}
			for _, never := range c.never {
				if strings.Contains(said, never) {
					t.Errorf("%q is in\n%s", never, said)
				}
			}
		})
	}
}

// TestKeychainAndKeyringAreOneWord everywhere.
func TestKeychainAndKeyringAreOneWord(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	for _, word := range []string{"keychain", "keyring"} {
		m.in(t, "CRE_CREDENTIAL_STORE=file").logIn()
		if o := m.in(t, "CRE_CREDENTIAL_STORE="+word).helper("check"); o.status != 0 {
			t.Errorf("%s: %v", word, o)
		}
		if o := m.run("", "cre", "session", "move", "--to", word); o.status != 0 || m.hasPlainText() {
			t.Errorf("%s: %v", word, o)
		}
	}
}

// TestAnotherUsersFileNamesItsOwner: root is told whom to be, and nobody to take
// the file away from its owner.
func TestAnotherUsersFileNamesItsOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("left out: only root can give a file away")
	}
	t.Parallel()
	m := newMachine(t, fileMode, sandbox.Options{})
	m.logIn()
	folder := filepath.Dir(m.sessionFile())
	if err := os.Chown(folder, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	want := folder + " belongs to nobody: run this as that user and not as root (sudo -u nobody, docker run --user 65534)\n"
	if o := m.run("", "cre", "whoami"); o.status != 1 || !strings.HasSuffix(o.stderr, want) || strings.Contains(o.stderr, "chown") {
		t.Errorf("%v, want %q", o, want)
	}
}

// TestAnUnknownOperationIsSaidToWhoTypesIt, and to nobody else (gitcredentials(7)).
func TestAnUnknownOperationIsSaidToWhoTypesIt(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, sandbox.Options{})
	s := m.runOnTerminal(80, m.command(t.Context(), "cre-credential-helper", "gett"))
	s.expect(`ignored the unknown operation "gett", as git wants it: see cre-credential-helper --help`)
	if status := s.wait(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if o := m.run("", "cre-credential-helper", "gett"); o.status != 0 || o.stdout+o.stderr != "" {
		t.Error(o)
	}
}

// connectFrom connects an address of this machine's to somewhere on it.
func connectFrom(m *machine, address string) {
	m.Helper()
	from, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		m.Fatal(err)
	}
	elsewhere, err := net.Listen("tcp", net.JoinHostPort(from.IP.String(), "0"))
	if err != nil {
		m.Logf("left out, because nobody can listen there either: %v", err) // no IPv6
		return
	}
	m.Cleanup(func() { _ = elsewhere.Close() })
	// What the last login left for a minute is no obstacle; this one is to be.
	share := func(value int) func(string, string, syscall.RawConn) error {
		return func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, value) })
		}
	}
	connection, err := (&net.Dialer{LocalAddr: from, Control: share(1)}).DialContext(m.Context(), "tcp", elsewhere.Addr().String())
	if err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { _ = connection.Close() })
	tcp := connection.(*net.TCPConn)
	_ = tcp.SetLinger(0) // it is gone at once
	raw, err := tcp.SyscallConn()
	if err == nil {
		err = share(0)("", "", raw)
	}
	if err != nil {
		m.Fatal(err)
	}
}
