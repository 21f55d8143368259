//go:build unix

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"cre-credential-helper/keyring/keyringtest"
)

// asked runs the helper and returns what it wrote, and whether it succeeded.
func asked(t *testing.T, env []string, in string, args ...string) (stdout, stderr string, ok bool) {
	t.Helper()
	m := &machine{T: t, bin: bin, env: env}
	o := m.run(in, "cre-credential-helper", args...)
	return o.stdout, o.stderr, o.status == 0
}

func schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat() // so that date-time, RFC 3339's, isn't a mere remark
	s, err := c.Compile(filepath.Join("testdata", "bazel", name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(s *jsonschema.Schema, text string) error {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

func newBazel(t *testing.T) []string {
	t.Helper()
	env := append(os.Environ(), keyringtest.Start(t).Env()...)
	env = append(env, "HOME="+t.TempDir(), "CRE_API_KEY=key", "CRE_CLI_ENV=", "CRE_CLI_GRAPHQL_URL=")
	for _, in := range []string{
		"protocol=https\nhost=basic.example.com\nusername=alice\npassword=pa\"ss\n",
		"protocol=https\nhost=path.example.com\npath=repo\nusername=alice\npassword=x\n",
		"capability[]=authtype\nprotocol=https\nhost=bearer.example.com\nauthtype=Bearer\ncredential=to<k>en\npassword_expiry_utc=4102444800\n",
		"capability[]=authtype\nprotocol=https\nhost=grpc.example.com\nauthtype=Bearer\ncredential=token\n",
	} {
		if _, said, ok := asked(t, env, in, "store"); !ok {
			t.Fatal(said)
		}
	}
	return env
}

// TestBazelAnswers holds that every answer has the shape that the spec's
// schema asks for, whatever else a valid request holds.
func TestBazelAnswers(t *testing.T) {
	env := newBazel(t)
	request, response := schema(t, "request.json"), schema(t, "response.json")
	tests := []struct{ name, in, out string }{
		{"a username and password", `{"uri":"https://basic.example.com/cas?x=y#z"}`, `{"headers":{"Authorization":["Basic YWxpY2U6cGEic3M="]}}`},
		{"a token that expires", `{"uri":"https://bearer.example.com"}`, `{"headers":{"Authorization":["Bearer to<k>en"]},"expires":"2100-01-01T00:00:00Z"}`},
		{"the specification's gRPC", `{"uri":"grpcs://grpc.example.com/com.example.package.Service/Method"}`, `{"headers":{"Authorization":["Bearer token"]}}`},
		{"Bazel's gRPC", `{"uri":"https://grpc.example.com/com.example.package.Service"}`, `{"headers":{"Authorization":["Bearer token"]}}`},
		{"an API key", `{"uri":"https://api.cre.chain.link/graphql"}`, `{"headers":{"Authorization":["Apikey key"]}}`},
		{"additional properties", ` {"other":{"uri":[1,null]},"uri":"https://basic.example.com","Uri":7}`, `{"headers":{"Authorization":["Basic YWxpY2U6cGEic3M="]}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := validate(request, tt.in); err != nil {
				t.Fatalf("the test asks what no tool may ask: %v", err)
			}
			out, said, ok := asked(t, env, tt.in, "get")
			if out != tt.out+"\n" || said != "" || !ok {
				t.Errorf("answers %q and says %q, want %q", out, said, tt.out)
			}
			if err := validate(response, out); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBazelSchemaRefuses holds that the schema of answers would see one that
// is wrong.
func TestBazelSchemaRefuses(t *testing.T) {
	response := schema(t, "response.json")
	for _, answer := range []string{
		`{"headers":{"Authorization":"Bearer x"}}`, `{"headers":[]}`, `{"headers":{},"expires":"tomorrow"}`,
		`{"headers":{},"expires":4102444800}`, `{"header":{}}`, `[]`,
	} {
		if validate(response, answer) == nil {
			t.Errorf("the schema takes %s", answer)
		}
	}
}

// TestBazelFailures holds that what can't be served fails with a message and
// without an answer.
func TestBazelFailures(t *testing.T) {
	env := newBazel(t)
	tests := []struct {
		name, in string
		args     []string
		says     string
	}{
		{"nothing kept", `{"uri":"https://absent.example.com"}`, []string{"get"}, "no credential found"},
		{"another protocol", `{"uri":"http://basic.example.com"}`, []string{"get"}, "no credential found"},
		{"another path", `{"uri":"https://path.example.com/repository"}`, []string{"get"}, "no credential found"},
		{"the API key's host over http", `{"uri":"http://api.cre.chain.link/graphql"}`, []string{"get"}, "no credential found"},
		{"no host", `{"uri":"file:///etc/passwd"}`, []string{"get"}, "the host is missing"},
		{"no protocol", `{"uri":"basic.example.com"}`, []string{"get"}, "the protocol is missing"},
		{"user information", `{"uri":"https://basic.example.com@evil.example.com"}`, []string{"get"}, "user information"},
		{"gRPC in plain text", `{"uri":"grpc://grpc.example.com/com.example.package.Service/Method"}`, []string{"get"}, "no credential found"},
		{"no string", `{"uri":["https://basic.example.com"]}`, []string{"get"}, "not a string"},
		{"a control character", `{"uri":"https://basic.example.com/\u0000"}`, []string{"get"}, "holds a line end or NUL"},
		{"two URIs", `{"uri":"https://basic.example.com","uri":"https://absent.example.com"}`, []string{"get"}, "given twice"},
		{"unfinished JSON", `{"uri":"https://basic.example.com"`, []string{"get"}, "not valid JSON"},
		{"a command that isn't get", `{"uri":"https://basic.example.com"}`, []string{"erase"}, "can only be asked with get"},
		{"no command", `{"uri":"https://basic.example.com"}`, nil, "one operation is expected: get, "},
		{"additional parameters", `{"uri":"https://basic.example.com"}`, []string{"get", "now"}, "one operation is expected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, said, ok := asked(t, env, tt.in, tt.args...)
			if out != "" || ok || !strings.Contains(said, tt.says) {
				t.Errorf("answers %q, says %q, succeeds %t", out, said, ok)
			}
		})
	}
}
