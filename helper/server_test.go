package helper_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
)

// kept is what the table tests' store holds.
func kept(t testing.TB) helper.Store {
	t.Helper()
	store := helpertest.NewMemory()
	for _, c := range []helper.Credential{
		{Origin: origin(t, "https://example.com"), Username: "alice", Secret: helper.NewSecret("pa=ss")},
		{Origin: origin(t, "https://example.com"), Username: "alice", Secret: helper.NewSecret("docker's"), ServerURL: "example.com"},
		{Origin: origin(t, "https://example.com/repo"), Username: "repo", Secret: helper.NewSecret("path")},
		{Origin: origin(t, "https://example.com/repo"), Username: "team", Secret: helper.NewSecret("docker's path"), ServerURL: "https://example.com/repo"},
		{Origin: origin(t, "https://münchen.example"), Username: "josef", Secret: helper.NewSecret("k")},
		{
			Origin: origin(t, "https://api.cre.chain.link"), Username: "email@domain.com",
			Secret: helper.NewSecret("access"), AuthType: helper.AuthBearer, Expiry: time.Unix(1893456000, 0),
			RefreshToken: helper.NewSecret("refresh"), TokenEndpoint: "https://login.chain.link/oauth/token",
		},
		{Origin: origin(t, "https://both.example.com"), Username: "alice", Secret: helper.NewSecret("pass")},
		{Origin: origin(t, "https://both.example.com"), Username: "alice+token", Secret: helper.NewSecret("token"), AuthType: "Digest"},
		{
			Origin: origin(t, "https://expired.example.com"), Username: "oauth2", Secret: helper.NewSecret("access3"),
			Expiry: time.Unix(1000000000, 0), RefreshToken: helper.NewSecret("yours"),
		},
		{
			Origin: origin(t, "https://git.example.com"), Username: "oauth2", Secret: helper.NewSecret("access2"),
			RefreshToken: helper.NewSecret("yours"),
		},
	} {
		if err := store.Store(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func origin(t testing.TB, url string) helper.Origin {
	t.Helper()
	o, err := helper.ParseOrigin(url)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

const notFound = "credentials not found in native keychain\n"

func TestGet(t *testing.T) {
	tests := []struct {
		name, in, out string
		err           error
	}{
		{"git", "protocol=https\nhost=example.com\n\n", "username=alice\npassword=pa=ss\n", nil},
		{"git without the blank line", "protocol=https\nhost=example.com\n", "username=alice\npassword=pa=ss\n", nil},
		{"git without the last line's end", "protocol=https\nhost=example.com", "username=alice\npassword=pa=ss\n", nil},
		{"git, username asked for", "protocol=https\nhost=example.com\nusername=alice\n\n", "username=alice\npassword=pa=ss\n", nil},
		{"git, other username", "protocol=https\nhost=example.com\nusername=bob\n\n", "", nil},
		{"git, nothing found", "protocol=https\nhost=example.org\n\n", "", nil},
		{"git, a path matches exactly", "protocol=https\nhost=example.com\npath=repo\n\n", "username=repo\npassword=path\n", nil},
		{"git, another path doesn't match", "protocol=https\nhost=example.com\npath=rep\n\n", "", nil},
		{"git, unknown attributes", "protocol=https\nx=1\nx=2\nhost=example.com\nwwwauth[]=a\nwwwauth[]=b\n\n", "username=alice\npassword=pa=ss\n", nil},
		{"git, a token without authtype", "protocol=https\nhost=api.cre.chain.link\n\n", "", nil},
		{"git, an older password without authtype", "protocol=https\nhost=both.example.com\n\n", "username=alice\npassword=pass\n", nil},
		{"git, the newest with authtype", "capability[]=authtype\nprotocol=https\nhost=both.example.com\n\n",
			"capability[]=authtype\nauthtype=Digest\ncredential=token\nusername=alice+token\n", nil},
		{"git, a token with authtype", "capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=api.cre.chain.link\n\n",
			"capability[]=authtype\nauthtype=Bearer\ncredential=access\nusername=email@domain.com\npassword_expiry_utc=1893456000\n", nil},
		{"git, a list is reset", "capability[]=authtype\ncapability[]=\nprotocol=https\nhost=both.example.com\n\n", "username=alice\npassword=pass\n", nil},
		{"git, a certificate's passphrase", "protocol=cert\nhost=\npath=/client.pem\nusername=\n\n", "", nil},
		{"git, somebody's own refresh token comes back", "protocol=https\nhost=git.example.com\n\n",
			"username=oauth2\npassword=access2\noauth_refresh_token=yours\n", nil},
		{"git, even after the token's end", "protocol=https\nhost=expired.example.com\n\n",
			"username=oauth2\npassword=access3\npassword_expiry_utc=1000000000\noauth_refresh_token=yours\n", nil},
		{"bazel, after the token's end", `{"uri":"https://expired.example.com/x"}`, "", helper.ErrNotFound},
		{"git, the erase's secret means nothing", "protocol=https\nhost=example.com\npassword=x\n\n", "username=alice\npassword=pa=ss\n", nil},

		{"git, no protocol", "host=example.com\n\n", "", helper.ErrRequest},
		{"git, empty host", "protocol=https\nhost=\n\n", "", helper.ErrRequest},
		{"git, blank request", "\n", "", helper.ErrRequest},
		{"git, doubled host", "protocol=https\nhost=example.com\nhost=example.com\n\n", "", helper.ErrRequest},
		{"git, CR LF", "protocol=https\r\nhost=example.com\r\n\r\n", "username=alice\npassword=pa=ss\n", nil},
		{"git, CR LF and LF", "\ufeffprotocol=https\r\nhost=example.com\n\r\nhost=example.org\n", "username=alice\npassword=pa=ss\n", nil},
		{"git, CR LF alone", "\r\n", "", helper.ErrRequest},
		{"git, a CR at the end", "protocol=https\nhost=example.com\r", "", helper.ErrRequest},
		{"git, a CR before CR LF", "protocol=https\nhost=example.com\r\r\n\r\n", "", helper.ErrRequest},
		{"git, a CR within a line", "protocol=https\nhost=example.com\nusername=a\rb\n\n", "", helper.ErrRequest},
		{"git, two marks", "\ufeff\ufeffprotocol=https\nhost=example.com\n\n", "", helper.ErrRequest},
		{"git, a mark within", "protocol=https\nhost=\ufeffexample.com\n\n", "", nil},
		{"git, an internationalized host", "protocol=https\nhost=münchen.example\n\n", "username=josef\npassword=k\n", nil},
		{"git, another capital", "protocol=https\nhost=MÜNCHEN.example\n\n", "", nil},
		{"git, a mapped name", "protocol=https\nhost=xn--mnchen-3ya.example\n\n", "", nil},
		{"git, NUL", "protocol=https\nhost=example.com\nusername=al\x00ice\n\n", "", helper.ErrRequest},
		{"git, no key", "protocol=https\nhost=example.com\n=x\n\n", "", helper.ErrRequest},
		{"git, no equals sign", "protocol=https\nhost\n\n", "", helper.ErrRequest},
		{"git, a line too long", "protocol=https\nhost=example.com\nwwwauth[]=" + strings.Repeat("x", 65535) + "\n\n", "", helper.ErrRequest},
		{"git, the longest line", "protocol=https\nhost=example.com\nwwwauth[]=" + strings.Repeat("x", 65535-len("wwwauth[]=\n")) + "\n\n",
			"username=alice\npassword=pa=ss\n", nil},

		{"docker", "https://example.com\n", `{"ServerURL":"https://example.com","Username":"alice","Secret":"docker's"}` + "\n", nil},
		{"docker, bare host", "example.com", `{"ServerURL":"example.com","Username":"alice","Secret":"docker's"}` + "\n", nil},
		{"docker, JSON", `{"ServerURL":"https://example.com"}`, `{"ServerURL":"https://example.com","Username":"alice","Secret":"docker's"}` + "\n", nil},
		{"docker, a path falls back to the host", "https://example.com/v2/", `{"ServerURL":"https://example.com/v2/","Username":"alice","Secret":"docker's"}` + "\n", nil},
		{"docker, a path of its own", "https://example.com/repo", `{"ServerURL":"https://example.com/repo","Username":"team","Secret":"docker's path"}` + "\n", nil},
		{"docker, a mark", "\ufeffhttps://example.com\r\n", `{"ServerURL":"https://example.com","Username":"alice","Secret":"docker's"}` + "\n", nil},
		{"docker, another room's", "https://git.example.com", notFound, helper.ErrNotFound},
		{"docker, nothing found", "https://example.org", notFound, helper.ErrNotFound},
		{"docker, no server", `{"ServerURL":""}`, "no credentials server URL\n", helper.ErrRequest},
		{"docker, user info", "https://example.org@example.com", "bad request: not a usable origin: the URL holds user information\n", helper.ErrRequest},
		{"docker, a line separator", "https://example.com/\u2028", "bad request: not a usable origin: not a URL\n", helper.ErrRequest},
		{"docker, two lines", "https://example.com\nhttps://example.org", "bad request: not a usable origin: not a URL\n", helper.ErrRequest},

		{"bazel", `{"uri":"https://api.cre.chain.link/graphql?x=1#f"}`,
			`{"headers":{"Authorization":["Bearer access"]},"expires":"2030-01-01T00:00:00Z"}` + "\n", nil},
		{"bazel, basic", ` {"uri":"https://example.com/x","other":{"a":[1]}}`, `{"headers":{"Authorization":["Basic YWxpY2U6cGE9c3M="]}}` + "\n", nil},
		{"bazel, a mark", "\ufeff" + `{"uri":"https://example.com"}`, `{"headers":{"Authorization":["Basic YWxpY2U6cGE9c3M="]}}` + "\n", nil},
		{"bazel, gRPC", `{"uri":"grpcs://example.com/build.Service/Method"}`, `{"headers":{"Authorization":["Basic YWxpY2U6cGE9c3M="]}}` + "\n", nil},
		{"bazel, gRPC's port", `{"uri":"GRPCS://example.com:443"}`, `{"headers":{"Authorization":["Basic YWxpY2U6cGE9c3M="]}}` + "\n", nil},
		{"bazel, gRPC in plain text", `{"uri":"grpc://example.com"}`, "", helper.ErrNotFound},
		{"bazel, host and port", `{"uri":"example.com:443"}`, `{"headers":{"Authorization":["Basic YWxpY2U6cGE9c3M="]}}` + "\n", nil},
		{"bazel, another port", `{"uri":"example.com:8980"}`, "", helper.ErrNotFound},
		{"bazel, an address and port", `{"uri":"[::1]:8980"}`, "", helper.ErrNotFound},
		{"bazel, a host without a port", `{"uri":"example.com"}`, "", helper.ErrRequest},
		{"bazel, a port that is none", `{"uri":"example.com:99999"}`, "", helper.ErrRequest},
		{"bazel, a user, host and port", `{"uri":"alice@example.com:443"}`, "", helper.ErrRequest},
		{"bazel, a path, host and port", `{"uri":"example.org/example.com:443"}`, "", helper.ErrRequest},
		{"bazel, an internationalized host", `{"uri":"https://münchen.example/x"}`, `{"headers":{"Authorization":["Basic am9zZWY6aw=="]}}` + "\n", nil},
		{"bazel, the same percent-encoded", `{"uri":"https://m%C3%BCnchen.example/x"}`, `{"headers":{"Authorization":["Basic am9zZWY6aw=="]}}` + "\n", nil},
		{"bazel, half a surrogate pair", `{"uri":"https://example.com/\\\ud800"}`, "", helper.ErrRequest},
		{"bazel, nothing found", `{"uri":"https://example.org"}`, "", helper.ErrNotFound},
		{"bazel, doubled key", `{"uri":"https://example.org","uri":"https://example.com"}`, "", helper.ErrRequest},
		{"bazel, escaped doubled key", `{"uri":"https://example.org","\u0075ri":"https://example.com"}`, "", helper.ErrRequest},
		{"bazel, trailing data", `{"uri":"https://example.com"} {}`, "", helper.ErrRequest},
		{"bazel, uri of another type", `{"uri":["https://example.com"]}`, "", helper.ErrRequest},
		{"bazel, no host", `{"uri":"https:///graphql"}`, "", helper.ErrRequest},
		{"not UTF-8", "{\"uri\":\"https://example.com/\xff\"}", "", helper.ErrRequest},
		{"unfinished JSON", `{"uri":"https://example.com"`, "", helper.ErrRequest},
		{"too long", `{"uri":"https://example.com","x":"` + strings.Repeat("x", helper.MaxRequest) + `"}`, "", helper.ErrRequest},
	}
	store := kept(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkServe(t, helper.Server{Store: store}, "get", tt.in, tt.out, tt.err)
		})
	}
}

func checkServe(t *testing.T, s helper.Server, op, in, wantOut string, wantErr error) {
	t.Helper()
	var out bytes.Buffer
	err := s.Serve(context.Background(), op, strings.NewReader(in), &out)
	if out.String() != wantOut {
		t.Errorf("%s answers %q, want %q", op, out.String(), wantOut)
	}
	if wantErr == nil && err != nil || wantErr != nil && !errors.Is(err, wantErr) {
		t.Errorf("%s fails with %v, want %v", op, err, wantErr)
	}
}

func TestEmptyRequestAsksForTheDefault(t *testing.T) {
	store := kept(t)
	s := helper.Server{Store: store, Default: origin(t, "https://example.com")}
	checkServe(t, s, "get", "", "username=alice\npassword=pa=ss\n", nil)
	s.Default = origin(t, "https://example.org")
	checkServe(t, s, "get", "", "", helper.ErrNotFound)
	checkServe(t, s, "erase", "", "no credentials server URL\n", helper.ErrRequest)
	checkServe(t, s, "store", "", "", helper.ErrRequest)
	checkServe(t, helper.Server{Store: store}, "get", "", "", helper.ErrRequest)
}

func TestStoreAndErase(t *testing.T) {
	const (
		askGit  = "protocol=https\nhost=example.net\n\n"
		alice   = "username=alice\npassword=secret\n"
		byGit   = "protocol=https\nhost=example.net\n" + alice + "\n"
		nothing = ""
	)
	tests := []struct {
		name, op, in, out string
		err               error
		then              string // what a get in git's form answers afterwards
	}{
		{"git", "store", byGit, "", nil, alice},
		{"git, ephemeral", "store", "ephemeral=1\n" + byGit, "", nil, nothing},
		{"git, ephemeral in a word", "store", "ephemeral=true\n" + byGit, "", nil, nothing},
		{"git, not ephemeral", "store", "ephemeral=false\n" + byGit, "", nil, alice},
		{"git, authtype before the capability", "store", "authtype=Bearer\ncredential=x\ncapability[]=authtype\n" + byGit, "", nil, alice},
		{"git, a certificate's passphrase", "store", "protocol=cert\nhost=\npath=c.pem\nusername=\npassword=x\n\n", "", nil, nothing},
		{"git, no secret", "store", "protocol=https\nhost=example.net\nusername=alice\n\n", "", helper.ErrRequest, nothing},
		{"git, authtype without the capability", "store", "protocol=https\nhost=example.net\nauthtype=Bearer\ncredential=x\n\n", "", helper.ErrRequest, nothing},
		{"git, plain http endpoint", "store", "oauth_token_endpoint=http://login.example.com\n" + byGit, "", helper.ErrRequest, nothing},
		{"docker", "store", `{"ServerURL":"https://example.net","Username":"alice","Secret":"secret"}`, "", nil, nothing},
		{"docker, no username", "store", `{"ServerURL":"https://example.net","Secret":"secret"}`, "no credentials username\n", helper.ErrRequest, nothing},
		{"docker, a server with a line end", "store", `{"ServerURL":"https://example.net\n","Username":"a","Secret":"x"}`, "bad request: ServerURL holds a line end or NUL\n", helper.ErrRequest, nothing},
		{"docker, half a surrogate pair", "store", `{"ServerURL":"https://example.net","Username":"a","Secret":"\udfff"}`, "bad request: \"Secret\" holds half a surrogate pair\n", helper.ErrRequest, nothing},
		{"bazel can't", "store", `{"uri":"https://example.net"}`, "", helper.ErrRequest, nothing},

		{"git", "erase", askGit, "", nil, nothing},
		{"git, the secret that is kept", "erase", byGit, "", nil, nothing},
		{"git, another secret", "erase", strings.Replace(byGit, "secret", "other", 1), "", nil, alice},
		{"git, another username", "erase", strings.Replace(byGit, "alice", "bob", 1), "", nil, alice},
		{"git, another host", "erase", "protocol=https\nhost=ample.net\n\n", "", nil, alice},
		{"docker", "erase", "https://example.net\n", "", nil, alice},
		{"docker, nothing there", "erase", "https://example.org\n", "", nil, alice},
	}
	for _, tt := range tests {
		t.Run(tt.op+" "+tt.name, func(t *testing.T) {
			s := helper.Server{Store: helpertest.NewMemory()}
			if tt.op == "erase" {
				checkServe(t, s, "store", byGit, "", nil)
			}
			checkServe(t, s, tt.op, tt.in, tt.out, tt.err)
			checkServe(t, s, "get", askGit, tt.then, nil)
		})
	}
}

func TestOtherOperations(t *testing.T) {
	s := helper.Server{Store: kept(t), Version: "helper 1.2.3"}
	checkServe(t, s, "version", "", "helper 1.2.3\n", nil)
	checkServe(t, s, "capability", "", "version 0\ncapability authtype\n", nil)
	checkServe(t, s, "frobnicate", "x", "", nil)
	checkServe(t, s, "list", "", `{"example.com":"alice","https://example.com/repo":"team"}`+"\n", nil)
	checkServe(t, helper.Server{Store: helpertest.NewMemory()}, "list", "", "{}\n", nil)
}

// TestListRepeatsTheServerURL holds that docker finds its servers under the
// names that it gave them, in the words of the newest credential.
func TestListRepeatsTheServerURL(t *testing.T) {
	s := helper.Server{Store: helpertest.NewMemory()}
	for _, server := range []string{"Registry.example.com:443", "https://other.example.com/", "other.example.com"} {
		checkServe(t, s, "store", `{"ServerURL":"`+server+`","Username":"`+server+`","Secret":"x"}`, "", nil)
	}
	checkServe(t, s, "list", "", `{"Registry.example.com:443":"Registry.example.com:443","other.example.com":"other.example.com"}`+"\n", nil)
}

// TestGitAnswersBeforeTheEnd holds that a caller which keeps its end open
// after the blank line is answered all the same.
func TestGitAnswersBeforeTheEnd(t *testing.T) {
	in, w := io.Pipe()
	defer w.Close()
	go io.WriteString(w, "protocol=https\nhost=example.com\n\n")
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := (helper.Server{Store: kept(t)}).Serve(ctx, "get", in, &out); err != nil || out.Len() == 0 {
		t.Fatalf("%q, %v", out.String(), err)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	in, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := helper.Server{Store: kept(t)}.Serve(ctx, "get", in, io.Discard)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
}

func TestEndlessInputIsRefused(t *testing.T) {
	for _, unit := range []string{"a", "{", "wwwauth[]=x\n", "\x00", "https://x/"} {
		err := helper.Server{Store: kept(t)}.Serve(context.Background(), "get", endless{unit}, io.Discard)
		if !errors.Is(err, helper.ErrRequest) {
			t.Errorf("endless %q: %v, want ErrRequest", unit, err)
		}
	}
}

type endless struct{ unit string }

func (e endless) Read(p []byte) (int, error) {
	if len(p) < len(e.unit) {
		return copy(p, e.unit), nil // a cut one, which ends nothing
	}
	n := 0
	for n+len(e.unit) <= len(p) {
		n += copy(p[n:], e.unit)
	}
	return n, nil
}
