package helper

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// parsed parses a request that was just written, which must succeed.
func parsed(t *testing.T, f form, op string, data []byte) request {
	t.Helper()
	req, err := f.parse(op, data)
	if err != nil {
		t.Fatalf("what was written again doesn't parse: %q: %v", data, err)
	}
	return req
}

func mustEqual(t *testing.T, got, want Credential) {
	t.Helper()
	secrets := [][2]Secret{{got.Secret, want.Secret}, {got.RefreshToken, want.RefreshToken}, {got.IDToken, want.IDToken}}
	for _, pair := range secrets {
		if !pair[0].Equal(pair[1]) || pair[0].IsSet() != pair[1].IsSet() {
			t.Fatalf("a secret comes back as %q, was %q", pair[0].Reveal(), pair[1].Reveal())
		}
	}
	got.Secret, got.RefreshToken, got.IDToken = want.Secret, want.RefreshToken, want.IDToken
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("comes back as %+v, was %+v", got, want)
	}
}

// FuzzGit holds that what parses as git's form and is written again by the
// client parses to the same.
func FuzzGit(f *testing.F) {
	for _, seed := range []string{
		"protocol=https\nhost=api.cre.chain.link\n\n",
		"capability[]=authtype\nprotocol=https\nhost=api.cre.chain.link\nauthtype=Bearer\ncredential=eyJhbGciOi\nusername=email@domain.com\npassword_expiry_utc=1893456000\n\n",
		"protocol=https\nhost=example.com:443\npath=//foo.git\nusername=\npassword=\noauth_refresh_token=r\nephemeral=yes\n",
		"protocol=HTTP\nhost=[::1]:80\nwwwauth[]=Basic realm=\"x\"\nstate[]=cre.a=b\noauth_token_endpoint=https://login.example.com/t\n" +
			"oauth_revocation_endpoint=http://127.0.0.1:1/r\noauth_client_id=c\noauth_id_token=i\npassword=x\n",
		"protocol=https\nhost=h\r\n", "protocol=https\r\nhost=münchen.example\r\npassword=x\r\n\r\n", "protocol=https\nhost=[fe80::1%eth0]:1\npassword=x\r\r\n", "protocol=https\nhost=h\nusername=a\x00b\n", "protocol=cert\nhost=\npath=c.pem\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		req, err := (&gitForm{}).parse(opStore, in)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := storeRequest(req.credential).flush(&out); err != nil {
			t.Fatalf("%q can't be written again: %v", in, err)
		}
		mustEqual(t, parsed(t, &gitForm{}, opStore, out.Bytes()).credential, req.credential)
		get := parsed(t, &gitForm{}, opGet, in).query
		out.Reset()
		if err := queryRequest(get).flush(&out); err != nil {
			t.Fatal(err)
		}
		again := parsed(t, &gitForm{}, opGet, out.Bytes()).query
		if again.Origin != get.Origin || again.PasswordOnly != get.PasswordOnly ||
			(again.Username == nil) != (get.Username == nil) || get.Username != nil && *again.Username != *get.Username {
			t.Fatalf("%q asks for %+v, written again for %+v", in, get, again)
		}
	})
}

// FuzzDocker holds that what parses as docker's form and is written again as
// its JSON parses to the same.
func FuzzDocker(f *testing.F) {
	for _, seed := range []string{
		"https://registry.example.com", "registry.example.com:5000/team", "https://index.docker.io/v1/\n",
		`{"ServerURL":"https://registry.example.com","Username":"someone","Secret":"\u2026\u003c&>"}`,
		`{"ServerURL":"https://h/%2F//a b","Username":"<token>","Secret":"","Unknown":{"a":[1]}}`,
		`{"ServerURL":"https://h","Username":"a\rb","Secret":"x"}`, `{"ServerURL":"\ud800","Username":"\ud800","Secret":"x"}`, "https://h/\u0085",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if !utf8.Valid(in) {
			return // never gets as far as the form
		}
		for _, op := range []string{opStore, opGet} {
			req, err := (&dockerForm{}).parse(op, in)
			if err != nil {
				continue
			}
			c := req.credential
			var out bytes.Buffer
			if err := writeJSON(&out, dockerCredential{ServerURL: c.ServerURL, Username: c.Username, Secret: c.Secret.Reveal()}); err != nil {
				t.Fatal(err)
			}
			again := parsed(t, &dockerForm{}, op, out.Bytes())
			if !c.Secret.IsSet() {
				again.credential.Secret = c.Secret // a bare URL has none
			}
			mustEqual(t, again.credential, c)
		}
	})
}

// FuzzBazel holds that what parses as Bazel's form and is written again parses
// to the same.
func FuzzBazel(f *testing.F) {
	for _, seed := range []string{
		`{"uri":"https://api.cre.chain.link/graphql"}`, `{"uri":"https://example.com/x?y=z#f","extra":[null]}`,
		`{"uri":"grpcs://example.com/com.example.package.Service/Method"}`, `{"uri":"https://h/a%20b//ä"}`,
		`{"uri":"https://münchen.example:1/"}`, `{"uri":"https://m%C3%BCnchen.example"}`, `{"uri":"https://[fe80::1%25eth0]:443/x"}`, `{"uri":"[fe80::1]:8980"}`, `{"uri":"h:1"}`,
		`{"uri":"https://h/\u000a"}`, `{"uri":"https://h/\u2028"}`, `{"uri":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		req, err := (&bazelForm{}).parse(opGet, in)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := writeJSON(&out, map[string]string{"uri": req.query.Origin.String()}); err != nil {
			t.Fatal(err)
		}
		if again := parsed(t, &bazelForm{}, opGet, out.Bytes()); again.query.Origin != req.query.Origin {
			t.Fatalf("%q asks for %+v, written again for %+v", in, req.query.Origin, again.query.Origin)
		}
	})
}

// FuzzControlCharacters holds that docker's form takes any text as a username
// and as a secret, that git's takes whatever fits on a line, and that a place
// with a control character is taken by no form.
func FuzzControlCharacters(f *testing.F) {
	for _, seed := range []string{"alice", "a\nb", "a\rb", "a\x00b", "a\x1bb", "a\u0085b", "a\u2028b", "%0a", "a=b", "ä", "a b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, v string) {
		if len(v) > 1000 || strings.ToValidUTF8(v, "") != v {
			return
		}
		git := func(path, username string) error {
			_, err := (&gitForm{}).parse(opStore, []byte("protocol=https\nhost=h\npath="+path+"\nusername="+username+"\npassword=x\n"))
			return err
		}
		docker := func(server, username, secret string) error {
			var in bytes.Buffer
			if err := writeJSON(&in, dockerCredential{server, username, secret}); err != nil {
				t.Fatal(err)
			}
			_, err := (&dockerForm{}).parse(opStore, in.Bytes())
			return err
		}
		bazel := func(uri string) error {
			var in bytes.Buffer
			if err := writeJSON(&in, map[string]string{"uri": uri}); err != nil {
				t.Fatal(err)
			}
			_, err := (&bazelForm{}).parse(opGet, in.Bytes())
			return err
		}
		if err := errors.Join(docker("h", "u"+v, "x"), docker("h", "u", v)); err != nil {
			t.Errorf("docker's form, %q: %v", v, err)
		}
		// In git's form a line end begins the next attribute, or ends them all.
		oneLine := !strings.Contains(v, "\n")
		if err := git("", v+"x"); oneLine && (err != nil) != strings.ContainsAny(v, "\r\x00") {
			t.Errorf("git's form, username %q: %v", v, err)
		}
		if !strings.ContainsFunc(v, isControl) {
			return
		}
		place := "https://h/" + v
		if oneLine && git(v+"x", "") == nil {
			t.Errorf("git's form takes the path %q", v)
		}
		if docker(place, "u", "x") == nil || bazel(place) == nil {
			t.Errorf("docker's or Bazel's form takes the path %q", v)
		}
	})
}
