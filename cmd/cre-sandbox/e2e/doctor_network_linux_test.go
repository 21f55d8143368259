package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// networkIlls happen on the way to the provider and the platform, and there.
var networkIlls = []fault{
	{
		name: "a provider that is out of order",
		breaks: func(p *patient) {
			p.platform.Fail(sandbox.Token, sandbox.Failure{Status: http.StatusServiceUnavailable})
		},
		check: "provider", level: "problem", says: "out of order",
		heals: healed,
	},
	{
		name: "a login page instead of the provider", breaks: oddly(sandbox.Token, sandbox.HTML),
		check: "provider", level: "problem", says: "a web page or nothing", heals: healed,
	},
	{
		name: "a provider that sends elsewhere", breaks: oddly(sandbox.Token, sandbox.Redirect),
		check: "provider", level: "problem", says: "sends requests elsewhere", heals: healed,
	},
	{
		name: "a login page instead of the platform", breaks: oddly(sandbox.GraphQL, sandbox.HTML),
		check: "platform", level: "problem", says: "a web page or nothing", heals: healed,
	},
	{
		name:   "a platform that is out of order",
		breaks: func(p *patient) { p.platform.Fail(sandbox.GraphQL, sandbox.Failure{Status: http.StatusBadGateway}) },
		check:  "platform", level: "problem", says: "out of order", heals: healed,
	},
	{
		name:   "a platform that isn't there",
		breaks: func(p *patient) { p.setenv("CRE_CLI_GRAPHQL_URL=http://127.0.0.1:1/graphql") },
		check:  "platform", level: "problem", says: "can't be reached",
		heals: func(p *patient) { p.setenv(p.platform.Env()...) },
	},
	{
		name:   "a name that can't be found",
		breaks: func(p *patient) { p.setenv("CRE_CLI_AUTH_BASE=https://login.nowhere.invalid") },
		check:  "provider", level: "problem", says: "can't be found",
		heals: func(p *patient) { p.setenv(p.platform.Env()...) },
	},
	{
		name: "a proxy that isn't there",
		breaks: func(p *patient) {
			p.setenv("SSL_CERT_FILE="+p.overTLS(), "HTTPS_PROXY=http://somebody:password@127.0.0.1:1")
		},
		check: "provider", level: "problem", says: "the proxy that HTTPS_PROXY names can't be reached",
		command: "unset HTTPS_PROXY",
	},
	{
		name:   "a certificate of an unknown authority",
		breaks: func(p *patient) { p.authority = p.overTLS() },
		check:  "provider", level: "problem", says: "can't be verified",
		heals: func(p *patient) { p.setenv("SSL_CERT_FILE=" + p.authority) },
	},
	{
		name: "a clock that is ahead",
		breaks: func(p *patient) {
			p.platform.Replace(sandbox.Token, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
				w.Header().Set("Content-Type", "application/json")
				http.Error(w, `{"error":"invalid_request"}`, http.StatusBadRequest)
			}))
		},
		check: "clock", level: "warning", says: "ahead of the provider's",
		command: "sudo timedatectl set-ntp true",
		heals:   func(p *patient) { p.platform.Replace(sandbox.Token, nil) }, // the machine's clock is not the test's
	},
}

// healed has nothing wrong with the platform any more.
func healed(p *patient) { p.platform.SetFaults(sandbox.Faults{}) }

func oddly(e sandbox.Endpoint, o sandbox.Oddity) func(*patient) {
	return func(p *patient) {
		p.platform.SetFaults(sandbox.Faults{Odd: map[sandbox.Endpoint][]sandbox.Odd{e: {{Oddity: o}}}})
	}
}

// overTLS puts TLS before the provider, at an address for which a proxy is used:
// not loopback's. It returns the file of the certificate.
func (p *patient) overTLS() string {
	p.Helper()
	ip := p.outsideIP()
	listener, err := net.Listen("tcp", net.JoinHostPort(ip.String(), "0"))
	p.must(err)
	target, err := url.Parse(p.platform.URL)
	p.must(err)
	certificate, file := p.certificate(ip)
	s := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(target))
	_ = s.Listener.Close()
	s.Listener, s.TLS = listener, &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	p.Cleanup(s.Close)
	p.setenv("CRE_CLI_AUTH_BASE=" + strings.Replace(s.URL, "http://", "https://", 1))
	return file
}

func (p *patient) outsideIP() net.IP {
	addresses, err := net.InterfaceAddrs()
	p.must(err)
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return n.IP
		}
	}
	if os.Getenv("CI") != "" {
		p.Fatal("this machine has only loopback, and in CI no test may be left out")
	}
	p.Skip("left out: this machine has only loopback")
	return nil
}

func (p *patient) certificate(ip net.IP) (tls.Certificate, string) {
	p.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p.must(err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{ip}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	p.must(err)
	file := filepath.Join(p.TempDir(), "ca.pem")
	p.must(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}
