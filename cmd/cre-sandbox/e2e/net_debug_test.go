//go:build unix

package e2e

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

const (
	debugAccess  = "eyJub3Q.eyJhbnk.dG9rZW4"
	debugRefresh = "v1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

// startHTTP2 is a platform and its provider over TLS, with HTTP/2 for who wants
// it, and the file with its certificate.
func startHTTP2(t *testing.T) (url, certificate string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"`+debugAccess+`","refresh_token":"`+debugRefresh+`",
			"data":{"getOrganization":{"displayName":"Org","organizationId":"org_1"}}}`)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	certificate = filepath.Join(t.TempDir(), "ca.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(certificate, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, certificate
}

// TestGODEBUGShowsNoToken has the programs speak with a server that knows HTTP/2,
// of which net/http writes all that it sends to standard error on request.
// [machine.start] fails for a token there.
func TestGODEBUGShowsNoToken(t *testing.T) {
	t.Parallel()
	url, certificate := startHTTP2(t)
	m := newMachine(t, keychainMode, sandbox.Options{})
	host := strings.TrimPrefix(url, "https://")
	m.setenv("SSL_CERT_FILE="+certificate, "CRE_CLI_AUTH_BASE="+url, "CRE_CLI_AUDIENCE="+url+"/", "CRE_CLI_GRAPHQL_URL="+url+"/graphql")
	for _, setting := range []string{"http2debug=1", "http2debug=2", "http2client=1,http2debug=2"} {
		t.Run(setting, func(t *testing.T) {
			m := m.in(t, "GODEBUG="+setting)
			request := "protocol=https\nhost=" + host + "\n"
			m.run(request+"username=oauth2\npassword=old\npassword_expiry_utc=1\noauth_refresh_token="+debugRefresh+
				"\noauth_token_endpoint="+url+"/oauth/token\noauth_revocation_endpoint="+url+"/oauth/revoke\n", "cre-credential-helper", "store")
			if o := m.run(request, "cre-credential-helper", "get"); o.token() != debugAccess || o.stderr != "" {
				t.Errorf("get: %v", o)
			}
			if o := m.in(t, "CRE_API_KEY=sandbox-api-key").run("", "cre", "whoami"); o.status != 0 || strings.Contains(o.stderr, "http2") {
				t.Errorf("whoami: %v", o)
			}
			if o := m.run("", "cre", "logout"); !strings.Contains(o.stderr, "revoked the session") || strings.Contains(o.stderr, "http2") {
				t.Errorf("logout: %v", o)
			}
		})
	}
}
