package fleet

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"testing"

	"cre-credential-helper/cmd/internal/kv"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
)

// trusting is a client that trusts the engine's CA alone.
func (e engine) trusting(t *testing.T) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(e.CACertPEMFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	client := web.NewClient(0)
	client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool}
	return client
}

func (e engine) client(t *testing.T, token string) *kv.Client {
	t.Helper()
	return &kv.Client{Address: e.address(0), Token: helper.NewSecret(token), HTTP: e.trusting(t)}
}

func TestContractOnARealVault(t *testing.T) {
	e := newEngine(t, 1)
	var n atomic.Int32
	helpertest.TestStore(t, func(t *testing.T) helper.Store {
		path := fmt.Sprintf("secret/data/cre/production/ann%d@example.com", n.Add(1))
		return &kv.Session{Server: e.client(t, e.RootToken), Path: path, Machine: "here"}
	}, helpertest.Options{SingleCredential: true})
}
