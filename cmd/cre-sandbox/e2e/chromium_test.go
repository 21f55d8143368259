//go:build unix

package e2e

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/keyring/keyringtest"
)

// TestLoginInChromium logs in as a person does: in a browser, through the
// provider's form, by way of the page that waits for the organization, to our
// success page.
func TestLoginInChromium(t *testing.T) {
	keyringtest.Need(t, "chromium")
	m := newMachine(t, keychainMode, sandbox.Options{OrgNotReady: 1})
	callbackPort.Lock()
	defer callbackPort.Unlock()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	login := startLogin(ctx, m)
	browser := openChromium(ctx, t)
	password, status := chromedp.CSS("input[type=password]"), chromedp.CSS("[role=status]")
	signIn := chromedp.Steps(
		chromedp.WaitVisible(password),
		chromedp.SendKeys(password, "any"),
		chromedp.Submit(password),
	)
	err := chromedp.Do(browser,
		chromedp.Navigate(login.url),
		signIn,
		chromedp.WaitVisible(chromedp.CSS("#next")), // our waiting page, which goes on by itself
		signIn,
		chromedp.WaitNotPresent(password),
		chromedp.WaitVisible(status),
	)
	if err != nil {
		t.Fatal(err)
	}
	text, err := chromedp.Run(browser, chromedp.Text(status))
	if err != nil || !strings.Contains(text, "logged in") {
		t.Errorf("the last page says %q, %v", text, err)
	}
	if err := login.cmd.Wait(); err != nil || login.out.String() != "Logged in as email@domain.com. The session is in the keychain.\n" {
		t.Errorf("cre login: %v, %q", err, login.out.String())
	}
	if stats := m.platform.Stats(); stats.Logins != 2 || stats.CodeExchanges != 1 {
		t.Errorf("the provider saw %+v", stats)
	}
}

// startedLogin is a cre login that waits for the browser.
type startedLogin struct {
	cmd *exec.Cmd
	out *strings.Builder // complete when cmd has ended
	url string
}

func startLogin(ctx context.Context, m *machine) startedLogin {
	m.Helper()
	l := startedLogin{cmd: m.command(ctx, "cre", "login", "--no-browser"), out: new(strings.Builder)}
	l.cmd.Stdout = l.out
	messages, err := l.cmd.StderrPipe()
	if err == nil {
		err = l.cmd.Start()
	}
	if err != nil {
		m.Fatal(err)
	}
	l.url = authorizeURL(m.T, messages)
	return l
}

// authorizeURL reads the URL that cre login prints.
func authorizeURL(t *testing.T, messages io.Reader) string {
	var said []string
	lines := bufio.NewScanner(messages)
	for lines.Scan() {
		said = append(said, lines.Text())
		if url := strings.TrimSpace(lines.Text()); strings.HasPrefix(url, "http") {
			go io.Copy(io.Discard, messages)
			return url
		}
	}
	t.Fatalf("cre login printed no URL, but %q", said)
	return ""
}

func openChromium(ctx context.Context, t *testing.T) context.Context {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU)
	allocator, cancel := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	browser, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	return browser
}
