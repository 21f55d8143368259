package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/web"
)

// provider asks the token endpoint for nothing: it answers that something is
// missing (RFC 6749, 5.2), in JSON, as no proxy does, and says what time it is.
func (d desk) provider(ctx context.Context) []Finding {
	form := url.Values{"client_id": {d.settings.Environment.ClientID}}
	found, date := d.reach(ctx, d.settings.Environment.TokenEndpoint(), "application/x-www-form-urlencoded", form.Encode())
	findings := []Finding{found}
	if !date.IsZero() {
		findings = append(findings, d.clock(date))
	}
	return findings
}

// clockName is the check of what the provider says of the time.
const clockName = "clock"

// clockAlone is provider without what is found of the provider, if it says the time.
func (d desk) clockAlone(ctx context.Context) []Finding {
	found := d.provider(ctx)
	return found[len(found)-1:]
}

// platform asks the API what kind of thing it is, without a credential.
func (d desk) platform(ctx context.Context) []Finding {
	found, _ := d.reach(ctx, d.settings.Environment.GraphQLURL, "application/json", `{"query":"{ __typename }"}`)
	return []Finding{found}
}

// reach posts something without a secret, and judges who answered. date is the
// answer's, when it is the other side's own.
func (d desk) reach(ctx context.Context, endpoint, kind, body string) (f Finding, date time.Time) {
	host := web.HostOf(endpoint)
	if variable := d.granted(); variable != "" && d.settings.APIKey.Secret.Reveal() == "" {
		return ok("%s need not be reached from here: requests go where %s leads", host, variable), date
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(body))
	if err != nil {
		return problem("%v", err), date
	}
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Accept", "application/json")
	response, err := web.Do(d.HTTP, request)
	if err != nil {
		return d.unreachable(ctx, endpoint, err), date
	}
	answer, err := web.Read(response)
	if err != nil {
		return problem("the answer of %s broke off or is too long", host).advise("try again; a proxy may be in between"), date
	}
	f = judge(host, response, answer)
	if f.Level == OK {
		date, _ = http.ParseTime(response.Header.Get("Date"))
	}
	return f, date
}

// judge tells a service from what may stand in between.
func judge(host string, response *http.Response, answer []byte) Finding {
	const notIt = "a proxy, or a Wi-Fi's login page, may be in between"
	status := response.StatusCode
	switch {
	case status == http.StatusProxyAuthRequired:
		return problem("the proxy on the way to %s asks for a password", host).
			advise("put it into the proxy's URL: http://USER:PASSWORD@HOST:PORT")
	case status/100 == 3:
		to := web.HostOf(response.Header.Get("Location"))
		return problem("%s sends requests elsewhere (HTTP status %d, to %q), which the API doesn't", host, status, safetext.Clean(to, 100)).
			advise(notIt + ": open http://example.com in your browser and log in there")
	case status >= 500, status == http.StatusTooManyRequests:
		return problem("%s is out of order at the moment: it answered with HTTP status %d", host, status).advise("try again in a while")
	case !json.Valid(answer):
		return problem("%s answered with HTTP status %d and a web page or nothing, not as the API does", host, status).
			advise(notIt + ": open http://example.com in your browser and log in there")
	}
	return ok("%s can be reached", host)
}

// unreachable says why no answer came.
func (d desk) unreachable(ctx context.Context, endpoint string, err error) Finding {
	host := web.HostOf(endpoint)
	var dns *net.DNSError
	var operation *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &operation) && operation.Op == "proxyconnect":
		return d.proxyFault(endpoint, err)
	case errors.As(err, &certificate):
		return d.certificateFault(host, certificate)
	case errors.As(err, &record):
		return problem("%s doesn't speak TLS: something else answers in its place", host).advise("check the network, and a proxy if there is one")
	case errors.As(err, &dns):
		return problem("the name %s can't be found (%s)", host, safetext.Clean(dns.Err, 100)).advise("check the network, and the DNS server")
	case ctx.Err() != nil:
		return problem("%s doesn't answer", host).advise("check the network: a firewall may drop what is sent there; behind one, set HTTPS_PROXY")
	}
	if transport := new(url.Error); errors.As(err, &transport) {
		err = transport.Err
	}
	return problem("%s can't be reached (%v)", host, safetext.Error(err)).advise("check the network; behind a firewall, set HTTPS_PROXY")
}

// proxyFault names the variable, and never what is in it: it may hold a password.
func (d desk) proxyFault(endpoint string, err error) Finding {
	var set []string
	for _, name := range proxyVariables(endpoint) {
		if d.Getenv(name) != "" {
			set = append(set, name)
		}
	}
	f := problem("the proxy that %s names can't be reached", strings.Join(set, " and "))
	if len(set) == 0 {
		return problem("the proxy can't be reached")
	}
	_ = err // its text may quote the proxy's URL
	return f.advise("correct the variable or, where no proxy is needed, unset it").run(d.shell.unset(set...))
}

func proxyVariables(endpoint string) []string {
	if strings.HasPrefix(endpoint, "http:") {
		return []string{"HTTP_PROXY", "http_proxy"}
	}
	return []string{"HTTPS_PROXY", "https_proxy"}
}

func (d desk) certificateFault(host string, err *tls.CertificateVerificationError) Finding {
	f := problem("the certificate of %s can't be verified", host)
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return problem("the certificate of %s isn't valid at this machine's time, %s", host, d.Now().Format(time.RFC3339)).
			advise("check the clock: " + "if it is right, a proxy may be in between")
	}
	return f.advise("if your company's proxy is in between, set SSL_CERT_FILE to the file of its certificate authority")
}

// How far the clock may be off. A token is renewed when a minute is left.
const clockSlack = time.Minute

// clock compares the clock with the provider's.
func (d desk) clock(date time.Time) Finding {
	off := d.Now().Sub(date)
	var f Finding
	switch {
	case off.Abs() <= clockSlack:
		f = ok("the clock agrees with the provider's")
	case off > 0:
		f = warning("the clock is %s ahead of the provider's", off.Round(time.Second)).run(setClock(runtime.GOOS))
	default:
		f = warning("the clock is %s behind the provider's", off.Abs().Round(time.Second)).run(setClock(runtime.GOOS))
	}
	f.Check = clockName
	return f
}

// setClock has the system set the clock by the network.
func setClock(goos string) string {
	switch goos {
	case "linux":
		return "sudo timedatectl set-ntp true"
	case "darwin":
		return "sudo sntp -sS time.apple.com"
	case "windows":
		return "w32tm /resync"
	case "freebsd":
		return "sudo ntpd -gq"
	}
	return ""
}
