package exchange

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"cre-credential-helper/helper"
)

func having(tokens ...string) *sent {
	s := new(sent)
	for _, token := range tokens {
		s.add(helper.NewSecret(token))
	}
	return s
}

func TestTokensAreReplacedInText(t *testing.T) {
	s := having("first-token", "second/+token", "")
	for text, want := range map[string]string{
		"":                            "",
		"nothing":                     "nothing",
		"first-token":                 "<>",
		"a first-token b first-token": "a <> b <>",
		"first-tokenfirst-token":      "<><>",
		"first-toke first-token":      "first-toke <>",
		"first-token-and-mor":         "<>-and-mor",
		"second/+token":               "<>",
		"second%2F%2Btoken":           "<>",
		"second%2f%2btoken":           "<>",
		"first%2Etoken":               "first%2Etoken",
		`second\/+token`:              "<>",
		"firfirst-token":              "fir<>",
		"first-first-token":           "first-<>",
		"\x00\xff first-token \xff":   "\x00\xff <> \xff",
	} {
		if got := string(s.replace([]byte(text), "<>")); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		for name, reader := range map[string]io.Reader{
			"whole":       strings.NewReader(text),
			"by the byte": iotest.OneByteReader(strings.NewReader(text)),
			"by halves":   iotest.HalfReader(strings.NewReader(text)),
			"end at once": iotest.DataErrReader(strings.NewReader(text)),
		} {
			got, err := io.ReadAll(s.reader(io.NopCloser(reader), "<>"))
			if err != nil || string(got) != want {
				t.Errorf("%q %s: got %q, %v, want %q", text, name, got, err, want)
			}
		}
	}
}

func TestHeadersHoldNoToken(t *testing.T) {
	got := having("Token-1234").header(http.Header{
		"X-Plain": {"a Token-1234 b", "Token-1234"}, "X-Token-1234-X": {"a"}, "X-tOKEN-1234": {"b"}, "X-Empty": {""}, "X-None": {},
	}, "<>")
	if len(got) != 2 || got["X-Plain"][0] != "a <> b" || got["X-Plain"][1] != "<>" || got["X-Empty"][0] != "" {
		t.Errorf("got %v", got)
	}
}

// pieces hands out one piece for each Read, and then err.
type pieces struct {
	texts []string
	err   error
}

func (p *pieces) Read(to []byte) (int, error) {
	if len(p.texts) == 0 {
		return 0, p.err
	}
	n := copy(to, p.texts[0])
	p.texts = p.texts[1:]
	return n, nil
}

func (p *pieces) Close() error { return nil }

func TestOnlyWhatMayBeATokenIsHeldBack(t *testing.T) {
	r := having("secret-token").reader(&pieces{texts: []string{"event: 1 ", "event: 2 s", "even sec", "ret-token", "."}, err: io.EOF}, "<>")
	buffer := make([]byte, 100)
	for _, want := range []string{"event: 1 ", "event: 2 ", "seven ", "<>", "."} {
		n, err := r.Read(buffer)
		if err != nil || string(buffer[:n]) != want {
			t.Errorf("got %q, %v, want %q", buffer[:n], err, want)
		}
	}
	if n, err := r.Read(buffer); n != 0 || err != io.EOF {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestWhatIsHeldBackIsLostIfTheRestNeverComes(t *testing.T) {
	broken := errors.New("broken off")
	got, err := io.ReadAll(having("secret-token").reader(&pieces{texts: []string{"a secret-to"}, err: broken}, "<>"))
	if string(got) != "a " || !errors.Is(err, broken) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestATokenThatIsSentWhileAnAnswerComesIsReplacedInIt(t *testing.T) {
	s := having("first-token")
	r := s.reader(&pieces{texts: []string{"first-token ", "second-token"}, err: io.EOF}, "<>")
	buffer := make([]byte, 100)
	if n, _ := r.Read(buffer); string(buffer[:n]) != "<> " {
		t.Errorf("got %q", buffer[:n])
	}
	s.add(helper.NewSecret("second-token"))
	if got, err := io.ReadAll(r); err != nil || string(got) != "<>" {
		t.Errorf("got %q, %v", got, err)
	}
}

// FuzzRedact cuts text into chunks of any size: the token never comes through,
// and all else as it was.
func FuzzRedact(f *testing.F) {
	const token, other = "ababc.ababd", "ababc.ab/xyz"
	f.Add([]byte(token), []byte{1})
	f.Add([]byte("ab"+token+"ababc."+token+other), []byte{3, 1, 2})
	f.Add([]byte(`ababc.ab\/xyz ababc.ab%2Fxyz`), []byte{7})
	f.Add([]byte(token[:10]), []byte{0, 255})
	f.Add([]byte(strings.Repeat(token[:6], 9)+token), []byte{5, 200})
	f.Fuzz(func(t *testing.T, text, sizes []byte) {
		var texts []string
		for rest, i := text, 0; len(rest) > 0; i++ {
			size := len(rest)
			if len(sizes) > 0 {
				size = min(size, int(sizes[i%len(sizes)])+1)
			}
			texts, rest = append(texts, string(rest[:size])), rest[size:]
		}
		s := having(token, other)
		got, err := io.ReadAll(s.reader(&pieces{texts: texts, err: io.EOF}, "<STAND-IN>"))
		if err != nil {
			t.Fatal(err)
		}
		var replaced []string
		for _, form := range append(formsOf(token), formsOf(other)...) {
			replaced = append(replaced, form, "<STAND-IN>")
		}
		want := strings.NewReplacer(replaced...).Replace(string(text))
		if string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if bytes.Contains(got, []byte(token)) || bytes.Contains(got, []byte(other)) {
			t.Errorf("the token came through: %q", got)
		}
	})
}

// TestATokenIsFoundHoweverItIsWritten writes one in the ways in which a gateway may
// quote it.
func TestATokenIsFoundHoweverItIsWritten(t *testing.T) {
	const token = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln/bmF+dHVyZQ=="
	for name, text := range map[string]string{
		"as it is":                    token,
		"JSON":                        strings.ReplaceAll(token, "/", `\/`),
		"a query":                     url.QueryEscape(token),
		"a query in small letters":    strings.NewReplacer("/", "%2f", "+", "%2b", "=", "%3d").Replace(token),
		"with its dots":               strings.NewReplacer("/", "%2F", "+", "%2B", "=", "%3D", ".", "%2E").Replace(token),
		"with its dots, in small":     strings.NewReplacer("/", "%2f", "+", "%2b", "=", "%3d", ".", "%2e").Replace(token),
		"every byte":                  strings.ToUpper(everyByte(token)),
		"every byte in small letters": everyByte(token),
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(having(token).replace([]byte("quoted "+text+"."), "<>")); got != "quoted <>." {
				t.Errorf("got %q", got)
			}
		})
	}
}

func everyByte(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, "%%%02x", c)
	}
	return b.String()
}
