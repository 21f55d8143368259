//go:build unix

package e2e

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
	s := startPlatform(t, sandbox.Options{OrgNotReady: 1})
	callbackPort.Lock()
	defer callbackPort.Unlock()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cre := exec.CommandContext(ctx, filepath.Join(bin, "cre"), "login", "--no-browser")
	cre.Env = append(os.Environ(), append(keyringtest.Start(t).Env(), append(s.Env(), "HOME="+t.TempDir())...)...)
	messages, err := cre.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cre.Stdout = &out
	if err := cre.Start(); err != nil {
		t.Fatal(err)
	}
	url := authorizeURL(t, messages)

	browser := openChromium(ctx, t)
	password, status := chromedp.CSS("input[type=password]"), chromedp.CSS("[role=status]")
	signIn := chromedp.Steps(
		chromedp.WaitVisible(password),
		chromedp.SendKeys(password, "any"),
		chromedp.Submit(password),
	)
	err = chromedp.Do(browser,
		chromedp.Navigate(url),
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
	if path := os.Getenv("CRE_TEST_SCREENSHOT"); path != "" { // for whoever works on the pages
		shot, err := chromedp.Run(browser, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(path, shot, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
	if err := cre.Wait(); err != nil || out.String() != "Logged in as email@domain.com. The session is in the keychain.\n" {
		t.Errorf("cre login: %v, %q", err, out.String())
	}
	if stats := s.Stats(); stats.Logins != 2 || stats.CodeExchanges != 1 {
		t.Errorf("the provider saw %+v", stats)
	}
}

// authorizeURL reads the URL that cre login prints.
func authorizeURL(t *testing.T, messages io.Reader) string {
	lines := bufio.NewScanner(messages)
	for lines.Scan() {
		if url := strings.TrimSpace(lines.Text()); strings.HasPrefix(url, "http") {
			go io.Copy(io.Discard, messages)
			return url
		}
	}
	t.Fatal("cre login printed no URL")
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
