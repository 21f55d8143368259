package session_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

const (
	ourHost   = "api.cre.chain.link"
	theAPIKey = "the-api-key"
)

// hostileHosts are not ours, and look or may be read as if they were.
var hostileHosts = map[string][]string{
	"contains ours":      {"www.api.cre.chain.link.example", "x-api.cre.chain.link-x", "evil.example-api.cre.chain.link.evil.example"},
	"ends with ours":     {"evil-api.cre.chain.link", "evil.api.cre.chain.link", "xapi.cre.chain.link", ".api.cre.chain.link"},
	"begins with ours":   {"api.cre.chain.link.evil.example", "api.cre.chain.link-evil.example", "api.cre.chain.linkx"},
	"is a part of ours":  {"cre.chain.link", "chain.link", "link", "api", "api.cre.chain.lin", "pi.cre.chain.link"},
	"is a wildcard":      {"*", "*.cre.chain.link", "api.*", "api.cre.chain.lin?", "%"},
	"user information":   {"api.cre.chain.link@evil.example", "evil.example@api.cre.chain.link", "user:password@api.cre.chain.link", "@api.cre.chain.link"},
	"a trailing dot":     {"api.cre.chain.link.", "api.cre.chain.link..", "api.cre.chain.link.:443", "API.CRE.CHAIN.LINK."},
	"a port":             {"api.cre.chain.link:80", "api.cre.chain.link:444", "api.cre.chain.link:0443", "api.cre.chain.link:+443", "api.cre.chain.link:443:443", "api.cre.chain.link:443@evil.example", "api.cre.chain.link:https", "api.cre.chain.link:-1"},
	"case that is none":  {"api.cre.chain.lin\u212a", "api.cre.cha\u0131n.link", "ap\u0130.cre.chain.link"},
	"an IDN look-alike":  {"\u0430pi.cre.chain.link", "api.\u0441re.chain.link", "xn--pi-7kc.cre.chain.link", "api\u3002cre\u3002chain\u3002link", "\uff41pi.cre.chain.link", "api.cre.chain.lin\u006b\u0301", "\u200bapi.cre.chain.link", "api\u00ad.cre.chain.link", "\ufeffapi.cre.chain.link", "ap\u200ci.cre.chain.link", "\u202eapi.cre.chain.link", "\u00e1pi.cre.chain.link", "a\u0301pi.cre.chain.link", "api.cre.chain.l\u0131nk"},
	"a wide separator":   {"api\uff0ecre\uff0echain\uff0elink", "api.cre.chain.link\uff0f.evil.example", "evil.example\uff0fapi.cre.chain.link", "api.cre.chain.link\uff1a443", "evil.example\uff20api.cre.chain.link", "api.cre.chain.link\uff03.evil.example", "api.cre.chain.link\uff1f.evil.example", "api.cre.chain.link\u2044", "api.cre.chain.link\uff3c"},
	"a zone":             {"api.cre.chain.link%25eth0", "api.cre.chain.link%eth0", "[api.cre.chain.link%25eth0]", "[::1%25api.cre.chain.link]", "[::1%api.cre.chain.link]", "fe80::1%api.cre.chain.link"},
	"a URL encoding":     {"api%2ecre.chain.link", "%61pi.cre.chain.link", "api.cre.chain.link%00", "api.cre.chain.link%2f", "api.cre.chain.link%23", "%EF%BD%81pi.cre.chain.link", "%C3%A1pi.cre.chain.link", "api%E3%80%82cre.chain.link", "api.cre.chain.lin%E2%84%AA", "api.cre.chain.link%E2%80%A8", "api.cre.chain.link%C2%85", "api.cre.chain.link%FF", "api.cre.chain.link%0D", "evil.example%40api.cre.chain.link"},
	"another separator":  {`evil.example\api.cre.chain.link`, `api.cre.chain.link\evil.example`, "evil.example/api.cre.chain.link", "evil.example?api.cre.chain.link", "evil.example#api.cre.chain.link", "evil.example;api.cre.chain.link", "evil.example,api.cre.chain.link", "api.cre.chain.link,evil.example"},
	"white space":        {" api.cre.chain.link", "api.cre.chain.link x", "api. cre.chain.link", "\tapi.cre.chain.link", "api.cre.chain.link\u00a0", "api.cre.chain.link\u3000"},
	"a control":          {"api.cre.chain.link\x00", "api.cre.chain.link\x00.evil.example", "evil.example\x00api.cre.chain.link", "api.cre.chain.link\r\r", "\rapi.cre.chain.link", "api.cre.chain.link\r.evil.example", "api.cre.chain.link\x7f", "api.cre.chain.link\u0085", "api.cre.chain.link\u2028", "api.cre.chain.link\u2029.evil.example", "api.cre.chain.link\x1b"},
	"an address literal": {"[api.cre.chain.link]", "[::ffff:api.cre.chain.link]", "127.0.0.1", "[::1]", "localhost"},
	"no host":            {"", ":443", ":", ".", "/"},
}

// hostileProtocols are not https.
var hostileProtocols = []string{"http", "HTTP", "ftp", "file", "httpss", "http+s", "https:", "https ", "", "ssh", "wss", "grpc", "grpcs+unix", "https\u2028", "cert"}

// hostileRequests are what no host and no protocol alone makes.
var hostileRequests = map[string][]string{
	"doubled keys": {
		"protocol=https\nhost=evil.example\nhost=api.cre.chain.link\n\n",
		"protocol=https\nhost=api.cre.chain.link\nhost=evil.example\n\n",
		"protocol=https\nhost=api.cre.chain.link\nhost=api.cre.chain.link\n\n",
		"protocol=http\nprotocol=https\nhost=api.cre.chain.link\n\n",
		"protocol=https\nhost=api.cre.chain.link\npath=\npath=x\n\n",
		"protocol=https\nhost=api.cre.chain.link\nusername=\nusername=email@domain.com\n\n",
	},
	"duplicate JSON keys": {
		`{"uri":"https://evil.example","uri":"https://api.cre.chain.link"}`,
		`{"uri":"https://api.cre.chain.link","uri":"https://evil.example"}`,
		`{"uri":"https://evil.example","\u0075ri":"https://api.cre.chain.link"}`,
		`{"ServerURL":"https://evil.example","ServerURL":"https://api.cre.chain.link"}`,
		`{"ServerURL":"https://evil.example","ServerUR\u004c":"https://api.cre.chain.link"}`,
		`{"uri":"https://evil.example","URI":"https://api.cre.chain.link"}`,
		`{"ServerURL":"https://evil.example","serverurl":"https://api.cre.chain.link"}`,
		`{"uri":"https://evil.example","ServerURL":"https://api.cre.chain.link"}`,
		`{"x":{"uri":"https://api.cre.chain.link"},"uri":"https://evil.example"}`,
	},
	"JSON with trailing data": {
		`{"uri":"https://api.cre.chain.link"}x`, `{"uri":"https://api.cre.chain.link"}{}`, `{"uri":"https://api.cre.chain.link"}]`,
		`{"uri":"https://evil.example"}{"uri":"https://api.cre.chain.link"}`,
		`{"ServerURL":"https://api.cre.chain.link"} null`, "{\"ServerURL\":\"https://api.cre.chain.link\"}\x00",
	},
	"JSON that is none": {
		`{"uri":"https://api.cre.chain.link"`, `{"uri":"https://api.cre.chain.link",}`, `{'uri':'https://api.cre.chain.link'}`,
		`[{"uri":"https://api.cre.chain.link"}]`, `"https://api.cre.chain.link"`, `{"uri":["https://api.cre.chain.link"]}`,
		`{"uri":{"":"https://api.cre.chain.link"}}`, `{"uri":null,"ServerURL":"https://api.cre.chain.link"}`,
		"\ufeff\ufeff" + `{"uri":"https://api.cre.chain.link"}`, "{\"uri\":\"https://api.cre.chain.link\xff\"}", `{"uri":"https://api.cre.chain.link\ud800"}`,
	},
	"escapes in JSON": {
		`{"uri":"https://api.cre.chain.link\u0000"}`, `{"uri":"https://api.cre.chain.link\n.evil.example"}`, `{"uri":"https://api.cre.chain.link\r\n"}`,
		`{"uri":"https://api.cre.chain.link\u2028/"}`, `{"ServerURL":"https://api.cre.chain.link\u0000"}`, `{"ServerURL":"https://api.cre.chain.link\n"}`,
		`{"ServerURL":"https://evil.example\u2028https://api.cre.chain.link"}`,
	},
	"line ends": {
		"protocol=https\r\r\nhost=api.cre.chain.link\r\n\r\n",
		"protocol=https\nhost=api.cre.chain.link\r", "protocol=https\nhost=evil.example\r\n\r\nhost=api.cre.chain.link\n\n",
		"\r\nprotocol=https\nhost=api.cre.chain.link\n\n", "\ufeff\nprotocol=https\nhost=api.cre.chain.link\n\n",
		"\ufeff\ufeffprotocol=https\nhost=api.cre.chain.link\n\n", "protocol=https\n\ufeffhost=api.cre.chain.link\n\n",
		"protocol=https\nhost=evil.example\n\nhost=api.cre.chain.link\n\n",
		"protocol=https\nhost=evil.example\rhost=api.cre.chain.link\n\n",
		"protocol=https\nhost=evil.example\u2028host=api.cre.chain.link\n\n",
		"protocol=https\nhost=api.cre.chain.link\nusername=x\rusername=email@domain.com\n\n",
		"https://evil.example\nhttps://api.cre.chain.link", "https://api.cre.chain.link\nhttps://evil.example",
		"https://evil.example\x00https://api.cre.chain.link", "https://api.cre.chain.link\u2028",
	},
	"gRPC and a server without a protocol": {
		"protocol=grpcs\nhost=api.cre.chain.link\n\n", "grpcs://api.cre.chain.link", `{"ServerURL":"grpcs://api.cre.chain.link"}`,
		`{"uri":"grpcs:api.cre.chain.link"}`, `{"uri":"grpcs://evil.example@api.cre.chain.link"}`, `{"uri":"grpcs://api.cre.chain.link:80"}`,
		`{"uri":"api.cre.chain.link"}`, `{"uri":"api.cre.chain.link:80"}`, `{"uri":"evil.example@api.cre.chain.link:443"}`, `{"uri":"evil.example/@api.cre.chain.link:443"}`,
		`{"uri":"//api.cre.chain.link:443"}`, `{"uri":"evil.example#api.cre.chain.link:443"}`, `{"uri":"api.cre.chain.link:443:443"}`, `{"uri":"[api.cre.chain.link]:443"}`,
		`{"uri":"api.cre.chain.link:443/"}`, `{"uri":"api.cre.chain.link:443?"}`, `{"uri":" api.cre.chain.link:443"}`, `{"uri":"api.cre.chain.lin\u212a:443"}`,
	},
	"a path or a user": {
		"protocol=https\nhost=api.cre.chain.link\npath=graphql\n\n",
		"protocol=https\nhost=api.cre.chain.link\npath=../\n\n",
		"protocol=https\nhost=api.cre.chain.link\nusername=somebody\n\n",
		"protocol=https\nhost=api.cre.chain.link\nusername=email@domain.com\u2028\n\n",
		"protocol=https\nhost=api.cre.chain.link\nusername=APIKEY\n\n",
	},
	"a URL that is none": {
		"https:api.cre.chain.link", "https:/api.cre.chain.link", "https:///api.cre.chain.link", "//api.cre.chain.link", `https:\\api.cre.chain.link`,
		"https://evil.example/?https://api.cre.chain.link", "https://api.cre.chain.link?x", "https://api.cre.chain.link#x", "url=https://api.cre.chain.link",
	},
	"more than 1 MiB": {
		strings.Repeat("wwwauth[]=x\n", 100_000) + "protocol=https\nhost=api.cre.chain.link\n\n",
		"wwwauth[]=" + strings.Repeat("x", 65535) + "\nprotocol=https\nhost=api.cre.chain.link\n\n",
		`{"x":"` + strings.Repeat("x", helper.MaxRequest) + `","uri":"https://api.cre.chain.link"}`,
		strings.Repeat(" ", helper.MaxRequest) + "https://api.cre.chain.link",
		"https://api.cre.chain.link/" + strings.Repeat("x", helper.MaxRequest),
	},
}

// inEveryForm asks for a host, or for what somebody might take for one.
func inEveryForm(protocol, host string) []string {
	quote := strings.NewReplacer(`\`, `\\`, "\x00", `\u0000`, "\r", `\r`, "\t", `\t`, "\x1b", `\u001b`).Replace
	return []string{
		"protocol=" + protocol + "\nhost=" + host + "\n\n",
		"capability[]=authtype\nhost=" + host + "\nprotocol=" + protocol + "\n\n",
		protocol + "://" + host + "/graphql",
		`{"ServerURL":"` + quote(protocol+"://"+host+"/graphql") + `"}`,
		`{"uri":"` + quote(protocol+"://"+host+"/graphql") + `"}`,
	}
}

// answer is everything that a get writes and says.
func (w *world) answer(in io.Reader) string {
	var out bytes.Buffer
	err := helper.Server{Store: w}.Serve(w.t.Context(), "get", in, &out)
	return fmt.Sprint(out.String(), err)
}

// guarded are worlds that each hold a production session, and what may not
// come out: the access token, the refresh token and the API key.
func guarded(t *testing.T, change func(*world)) (worlds map[string]*world, secrets []string) {
	worlds = make(map[string]*world)
	for name, mode := range map[string]session.Mode{"in the file": session.File, "in the keychain": session.Keyring} {
		for apiKey, text := range map[string]string{"": "", " with an API key": theAPIKey} {
			w := newWorld(t)
			w.Mode = mode
			login := w.login()
			w.mustStore(login)
			secrets = []string{login.Secret.Reveal(), login.RefreshToken.Reveal(), theAPIKey}
			w.APIKey = helper.NewSecret(text)
			change(w)
			worlds[name+apiKey] = w
		}
	}
	return worlds, secrets
}

func mustHide(t *testing.T, w *world, request string, secrets []string) {
	t.Helper()
	answer := w.answer(strings.NewReader(request))
	for _, secret := range secrets {
		if strings.Contains(answer, secret) {
			t.Errorf("%.200q is answered %q", request, answer)
		}
	}
}

// TestNoRequestBringsOutAnotherOriginsCredential asks in every form for what is
// almost ours: with the session in the file and in the keychain, without and
// with an API key, and under overrides that somebody hostile has set.
func TestNoRequestBringsOutAnotherOriginsCredential(t *testing.T) {
	for name, change := range map[string]func(*world){
		"no overrides": func(*world) {},
		"hostile overrides": func(w *world) {
			w.Environment = platform.Environment{Name: "PRODUCTION", AuthBase: "https://evil.example",
				ClientID: "evil", Audience: w.Environment.Audience, GraphQLURL: "https://api.cre.chain.link.evil.example/graphql"}
			w.APIKey = helper.Secret{} // it goes where the overrides say: both are variables of the same caller
		},
		"another environment": func(w *world) {
			w.Environment = platform.Known()[1]
		},
	} {
		t.Run(name, func(t *testing.T) {
			worlds, secrets := guarded(t, change)
			for place, w := range worlds {
				t.Run(place, func(t *testing.T) {
					for clause, hosts := range hostileHosts {
						t.Run(clause, func(t *testing.T) {
							for _, host := range hosts {
								for _, request := range inEveryForm("https", host) {
									mustHide(t, w, request, secrets)
								}
							}
						})
					}
					t.Run("another protocol", func(t *testing.T) {
						for _, protocol := range hostileProtocols {
							for _, request := range inEveryForm(protocol, ourHost) {
								mustHide(t, w, request, secrets)
							}
						}
					})
					for clause, requests := range hostileRequests {
						t.Run(clause, func(t *testing.T) {
							for _, request := range requests {
								mustHide(t, w, request, secrets)
							}
						})
					}
					t.Run("endless input", func(t *testing.T) {
						for _, unit := range []string{"x", "{", "wwwauth[]=x\n", `{"uri":"https://api.cre.chain.link","x":"`, "https://api.cre.chain.link/"} {
							if answer := w.answer(&endless{block: strings.Repeat(unit, 1000)}); !strings.Contains(answer, helper.ErrRequest.Error()) {
								t.Errorf("endless %q is answered %.200q", unit, answer)
							}
						}
					})
				})
			}
		})
	}
}

// endless begins with its block and goes on with it for ever.
type endless struct{ block, rest string }

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		e.rest = e.block
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// TestTheRightRequestBringsItOut makes sure that the test above could fail: the
// same worlds answer what is asked rightly.
func TestTheRightRequestBringsItOut(t *testing.T) {
	worlds, secrets := guarded(t, func(*world) {})
	for place, w := range worlds {
		want := secrets[0]
		if w.APIKey.Reveal() != "" {
			want = theAPIKey
		}
		for _, host := range []string{ourHost, "API.CRE.Chain.Link:443"} {
			requests := append(inEveryForm("https", host), `{"uri":"grpcs://`+host+`/Service/Method"}`, `{"uri":"`+ourHost+`:443"}`)
			for _, request := range requests {
				for _, request := range []string{request, "\ufeff" + strings.ReplaceAll(request, "\n", "\r\n")} {
					if answer := w.answer(strings.NewReader(request)); !strings.Contains(answer, want) {
						t.Errorf("%s: %q is answered %q", place, request, answer)
					}
				}
			}
		}
	}
}

func TestAStagingThatFailsLeavesNoStage(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".cre")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if stage, err := session.FilesIn(fallback.Open(path)).StageSession(); err == nil || stage != nil {
		t.Errorf("%v, %v", stage, err)
	}
}
