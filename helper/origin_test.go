package helper_test

import (
	"errors"
	"strings"
	"testing"

	"cre-credential-helper/helper"
)

func TestNewOrigin(t *testing.T) {
	tests := []struct {
		protocol, host, path string
		want                 string // "" means refused
	}{
		{"https", "api.cre.chain.link", "", "https://api.cre.chain.link"},
		{"HTTPS", "API.CRE.Chain.Link", "", "https://api.cre.chain.link"},
		{"https", "example.com:443", "", "https://example.com"},
		{"http", "example.com:80", "", "http://example.com"},
		{"https", "example.com:8443", "", "https://example.com:8443"},
		{"https", "example.com", "A/b.git", "https://example.com/A/b.git"},
		{"https", "example.com", "/a", "https://example.com/a"},
		{"https", "[::1]:8080", "", "https://[::1]:8080"},
		{"smtp", "mail.example.com:587", "", "smtp://mail.example.com:587"},
		{"", "example.com", "", ""},
		{"https", "", "", ""},
		{"https", ":443", "", ""},
		{"https", "example.com/evil", "", ""},
		{"https", "user@example.com", "", ""},
		{"https", "example.com#", "", ""},
		{"https", "example.com?x", "", ""},
		{"https", "example.com%2f", "", ""},
		{"https", "exa mple.com", "", ""},
		{"https", "München.Example", "", "https://münchen.example"},
		{"https", "MÜNCHEN.example", "", "https://mÜnchen.example"},               // nothing but ASCII is folded,
		{"https", "mu\u0308nchen.example", "", "https://mu\u0308nchen.example"},   // composed
		{"https", "xn--mnchen-3ya.example", "", "https://xn--mnchen-3ya.example"}, // or mapped
		{"https", "ехаmple.com", "", "https://ехаmple.com"},
		{"https", "example.com\u212a", "", "https://example.com\u212a"},
		{"https", "example\u3002com", "", "https://example\u3002com"},
		{"https", "example.com\uff0fx", "", "https://example.com\uff0fx"},
		{"https", "example.com\xff", "", ""},
		{"https", "example.com\u0085", "", ""},
		{"https", "example.com\u2028", "", ""},
		{"https", "example.com\u2029", "", ""},
		{"https", "[FE80::1%Eth0]:443", "", "https://[fe80::1%25Eth0]"},
		{"https", "[fe80::1%eth0]:8443", "", "https://[fe80::1%25eth0]:8443"},
		{"https", "fe80::1%eth0", "", "https://fe80::1%25eth0"},
		{"https", "[fe80::1%25eth0]", "", "https://[fe80::1%2525eth0]"}, // git decodes what it hands over
		{"https", "[fe80::1%]", "", ""},
		{"https", "[fe80::1%a%b]", "", ""},
		{"https", "[fe80::1%eth0]x", "", ""},
		{"https", "[fe80::1%eth0", "", ""},
		{"https", "[fe80::1%a/b]", "", ""},
		{"https", "[127.0.0.1%eth0]", "", ""},
		{"https", "example.com%eth0", "", ""},
		{"https", "example.com\n", "", ""},
		{"https", "example.com", "a\x00b", ""},
		{"https", "example.com", "a\u2028b", ""},
		{"ht tp", "example.com", "", ""},
		{"https:", "example.com", "", ""},
	}
	for _, tt := range tests {
		o, err := helper.NewOrigin(tt.protocol, tt.host, tt.path)
		if o.String() != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("NewOrigin(%q, %q, %q) = %q, %v; want %q", tt.protocol, tt.host, tt.path, o, err, tt.want)
		}
		if err != nil && !errors.Is(err, helper.ErrOrigin) {
			t.Errorf("NewOrigin(%q, %q, %q): %v is not ErrOrigin", tt.protocol, tt.host, tt.path, err)
		}
	}
}

func TestParseOrigin(t *testing.T) {
	tests := map[string]string{
		"https://api.cre.chain.link/graphql":    "https://api.cre.chain.link/graphql",
		"https://API.cre.chain.link:443/":       "https://api.cre.chain.link",
		"https://index.docker.io/v1/":           "https://index.docker.io/v1/",
		"https://example.com/a%2Fb":             "https://example.com/a%2Fb",
		"https://münchen.example/":              "https://münchen.example",
		"https://m%C3%BCnchen.example/":         "https://münchen.example",
		"https://[fe80::1%25Eth0]:443/":         "https://[fe80::1%25Eth0]",
		"https://[fe80::1%eth0]/":               "",
		"https://example%2ecom/":                "",
		"https://%65xample.com/":                "",
		"https://example.com%00/":               "",
		"https://example.com%25eth0/":           "",
		"https://example.com%C2%85/":            "",
		"https://example.com%E2%80%A8/":         "",
		"https://example.com%FF/":               "",
		"https://example.com%EF%BC%8Fx/":        "https://example.com\uff0fx",
		"https://user@example.com/":             "",
		"https://user:pw@example.com/":          "",
		"https://example.com/?q=1":              "",
		"https://example.com/?":                 "",
		"https://example.com/#f":                "",
		"https:example.com":                     "",
		"//example.com":                         "",
		"/path":                                 "",
		"":                                      "",
		"https://":                              "",
		"https://evil.com\\@api.cre.chain.link": "",
		"https://example.com\x00":               "",
	}
	for in, want := range tests {
		o, err := helper.ParseOrigin(in)
		if o.String() != want || (err == nil) != (want != "") {
			t.Errorf("ParseOrigin(%q) = %q, %v; want %q", in, o, err, want)
		}
	}
}

func TestCheckEndpoint(t *testing.T) {
	tests := map[string]bool{
		"https://login.chain.link/oauth/token": true,
		"http://127.0.0.1:8080/oauth/token":    true,
		"http://[::1]:8080/":                   true,
		"http://localhost:8080/":               true,
		"http://login.chain.link/oauth/token":  false,
		"http://localhost.evil.com/":           false,
		"http://127.0.0.1.evil.com/":           false,
		"https://user:pw@login.chain.link/":    false,
		"https://login.chain.link/#x":          false,
		"ftp://login.chain.link/":              false,
		"login.chain.link":                     false,
		"":                                     false,
	}
	for in, ok := range tests {
		if err := helper.CheckEndpoint(in); (err == nil) != ok || err != nil && !errors.Is(err, helper.ErrEndpoint) {
			t.Errorf("CheckEndpoint(%q) = %v, want ok %v", in, err, ok)
		}
	}
}

func TestErrorsQuoteNoUserInformation(t *testing.T) {
	for _, url := range []string{
		"https://alice:s3cret@example.com", "https://alice:s3cret@exa mple.com", "alice:s3cret@example.com",
		"https://alice:s3cret@[::1", "http://alice:s3cret@example.com", "//alice:s3cret@",
	} {
		if err := helper.CheckEndpoint(url); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("CheckEndpoint(%q): %v", url, err)
		}
		if _, err := helper.ParseOrigin(url); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("ParseOrigin(%q): %v", url, err)
		}
		for _, attributes := range [][3]string{{"https", url, ""}, {url, "example.com", ""}, {"https", "example.com", url + "\x01"}} {
			_, err := helper.NewOrigin(attributes[0], attributes[1], attributes[2])
			if err == nil || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("NewOrigin(%q): %v", attributes, err)
			}
		}
	}
}
