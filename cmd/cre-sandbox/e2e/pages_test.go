//go:build unix

package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/keyring/keyringtest"
)

// TestEveryPageCanBeReadInChromium looks at all pages of a login, on a telephone
// and on a desk, by day and by night. CRE_TEST_SCREENSHOTS names a folder that
// pictures of them go to, for whoever works on them.
func TestEveryPageCanBeReadInChromium(t *testing.T) {
	keyringtest.Need(t, "chromium")
	email := "somebody-with-a-long-name@subsidiary.of-a-company.example.com"
	m := newMachine(t, keychainMode, sandbox.Options{OrgNotReady: 1, Email: email})
	callbackPort.Lock()
	defer callbackPort.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	v := viewer{t, openChromium(ctx, t)}
	// So that the page that goes on by itself stays.
	if _, err := chromedp.Call(v.browser, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	password, submit := chromedp.CSS("input[type=password]"), chromedp.CSS("button[value=login]")
	signIn := chromedp.Steps(chromedp.WaitVisible(password), chromedp.SendKeys(password, "any"), chromedp.Click(submit))

	login := startLogin(ctx, m)
	v.do(chromedp.Navigate(login.url))
	v.look("form", "CRE sandbox")
	v.do(chromedp.SetValue(chromedp.CSS("#email"), "nobody@example.com"), signIn)
	v.look("form with a problem", "no such account")
	v.do(chromedp.SetValue(chromedp.CSS("#email"), email), signIn)
	v.look("waiting", "Setting up your organization")
	next, err := chromedp.Run(v.browser, chromedp.AttributeValue(chromedp.CSS("#next"), "href"))
	if err != nil {
		t.Fatal(err)
	}
	v.do(chromedp.Navigate("http://localhost:53682/"))
	v.look("stray", "This link is no longer in use")
	v.do(chromedp.Navigate(next.Value), signIn)
	v.look("success", "You are logged in")
	v.await("as " + email)
	v.await("You can close this window")
	if err := login.cmd.Wait(); err != nil {
		t.Error(err)
	}

	login = startLogin(ctx, m)
	v.do(chromedp.Navigate(login.url), chromedp.Click(chromedp.CSS("button[value=deny]")))
	v.look("cancelled", "Login cancelled")
	if err := login.cmd.Wait(); err == nil {
		t.Error("a login that was cancelled succeeded")
	}

	login = startLogin(ctx, m)
	asked, err := url.Parse(login.url)
	if err != nil {
		t.Fatal(err)
	}
	v.do(chromedp.Navigate("http://localhost:53682/callback?" + url.Values{
		"state": {asked.Query().Get("state")}, "error": {"server_error"}, "error_description": {strings.Repeat("word", 50)},
	}.Encode()))
	v.look("failure", "The login did not succeed")
	if err := login.cmd.Wait(); err == nil {
		t.Error("a login that failed succeeded")
	}

	// The look itself notices what can't be read.
	_, err = chromedp.Run(v.browser, chromedp.Evaluate[string](`(() => { const p = document.querySelector('p'); p.style.color = 'gray'; p.style.width = '3000px'; return '' })()`))
	if err != nil {
		t.Fatal(err)
	}
	if found := strings.Join(v.problems(), "\n"); !strings.Contains(found, "P: the contrast of the text") || !strings.Contains(found, "wider than the window") {
		t.Errorf("of an unreadable page it says %q", found)
	}
}

// viewer looks at pages in a browser.
type viewer struct {
	t       *testing.T
	browser context.Context
}

func (v viewer) do(steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	if err := chromedp.Do(v.browser, steps...); err != nil {
		v.t.Fatal(err)
	}
}

// look waits for a page that says text, and looks at it in each size and colour.
func (v viewer) look(name, text string) {
	v.t.Helper()
	v.await(text)
	for _, width := range []int64{390, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			v.do(chromedp.EmulateViewport(width, 844))
			_, err := chromedp.Call(v.browser, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
			})
			if err != nil {
				v.t.Fatal(err)
			}
			for _, problem := range v.problems() {
				v.t.Errorf("%s, %d pixels, %s: %s", name, width, scheme, problem)
			}
			v.keep(fmt.Sprintf("%s %d %s.png", name, width, scheme))
		}
	}
}

// await waits for a page that says text. What fails while one page takes the place
// of another is asked again.
func (v viewer) await(text string) {
	v.t.Helper()
	for {
		shown, err := chromedp.Run(v.browser, chromedp.Evaluate[string](`document.querySelector("main").innerText`))
		if err == nil && strings.Contains(shown, text) {
			return
		}
		select {
		case <-v.browser.Done():
			v.t.Fatalf("waiting for %q, the page says %q: %v", text, shown, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (v viewer) problems() []string {
	v.t.Helper()
	found, err := chromedp.Run(v.browser, chromedp.Evaluate[[]string](readFile(v.t, "testdata/pages/look.js")))
	if err != nil {
		v.t.Fatal(err)
	}
	return found
}

func (v viewer) keep(name string) {
	folder := os.Getenv("CRE_TEST_SCREENSHOTS")
	if folder == "" {
		return
	}
	shot, err := chromedp.Run(v.browser, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name), shot, 0o600)
	}
	if err != nil {
		v.t.Error(err)
	}
}
