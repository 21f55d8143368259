//go:build unix

package e2e

import (
	"os"
	"strings"
	"testing"
)

// TestGitHostsBeyondASCII holds that what git makes of a URL comes back by the
// same URL, in Bazel's form too, and by no other.
func TestGitHostsBeyondASCII(t *testing.T) {
	g := newGit(t, "cre")
	tests := []struct{ url, host, same, other string }{
		{"https://münchen.example", "münchen.example", "https://m%C3%BCnchen.EXAMPLE", "https://xn--mnchen-3ya.example"},
		{"https://m%C3%BCnchen.example", "münchen.example", "https://münchen.example:443", "https://mu\u0308nchen.example"},
		{"https://münchen.example:8443", "münchen.example:8443", "https://m%C3%BCnchen.example:8443", "https://mÜnchen.example:8443"},
		{"https://[fe80::1%25eth0]", "[fe80::1%eth0]", "https://[FE80::1%25eth0]:443", "https://[fe80::1%25Eth0]"},
	}
	for _, tt := range tests {
		t.Run(tt.url, func(t *testing.T) {
			filled := "protocol=https\nhost=" + tt.host + "\n" + alice
			g.check(t, "", "", step{"approve", "url=" + tt.url + "\n" + alice, ""})
			g.check(t, "", "", step{"fill", "url=" + tt.url + "\n", filled})
			g.check(t, "", "", step{"fill", "url=" + tt.other + "\n", ""})
			for url, found := range map[string]bool{tt.url: true, tt.same: true, tt.other: false} {
				out, _, ok := asked(t, g.env, `{"uri":"`+url+`/x"}`, "get")
				if ok != found || found && !strings.Contains(out, "Basic YWxpY2U6c2VjcmV0") {
					t.Errorf("%s is answered %q", url, out)
				}
			}
		})
	}
}

// TestShellsThatMark asks as PowerShell does: with a mark in front and CR LF.
func TestShellsThatMark(t *testing.T) {
	g := newGit(t, "cre")
	g.check(t, "h.example.com", "", step{"store", "\ufeff" + strings.ReplaceAll(place+alice, "\n", "\r\n"), ""})
	g.check(t, "h.example.com", "", step{"fill", place, place + alice})
	g.check(t, "h.example.com", "", step{"get", "\ufeff" + strings.ReplaceAll(place, "\n", "\r\n"), alice})
	env := append(g.env, "HOME="+os.TempDir())
	if out, said, ok := asked(t, env, "\r\n", "get"); ok || out != "" || !strings.Contains(said, "the protocol is missing") {
		t.Errorf("a line of CR LF is answered %q, %q", out, said)
	}
}
