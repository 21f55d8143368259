package helper_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
)

// dockerJSON is the JSON of docker's form.
type dockerJSON struct{ ServerURL, Username, Secret string }

// jsonKey is how a service account's key gets into GCR.
const jsonKey = "{\n  \"type\": \"service_account\",\n  \"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMII=\\n\"\n}\n"

// oddTexts are what some form can't carry.
func oddTexts() []string {
	texts := []string{
		jsonKey, "a\nhost=evil.example", "a\r\nb", "a\rb", "a\r", "\n", "a\x00b", "a\u0085b", "a\u2028b", "\ufeffa", "\u202ea", "<&>\"\\", "ä😀", "a\ufffdb",
		"user:name", " a ", "a=b", "",
	}
	for r := range rune(' ') {
		texts = append(texts, string(r))
	}
	return append(texts, "\x7f")
}

// TestAnyTextInDockersForm holds that what docker stores comes back byte for byte.
func TestAnyTextInDockersForm(t *testing.T) {
	for _, text := range oddTexts() {
		want := dockerJSON{"https://gcr.example", text + "x", text}
		in, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		s := helper.Server{Store: helpertest.NewMemory()}
		checkServe(t, s, "store", string(in), "", nil)
		var out bytes.Buffer
		var got dockerJSON
		err = s.Serve(t.Context(), "get", strings.NewReader(want.ServerURL), &out)
		if err = errors.Join(err, json.Unmarshal(out.Bytes(), &got)); err != nil || got != want {
			t.Errorf("%q comes back as %q, %v", want, got, err)
		}
	}
}

func TestASecretThatIsMissingIsEmptyForDocker(t *testing.T) {
	s := helper.Server{Store: helpertest.NewMemory()}
	checkServe(t, s, "store", `{"ServerURL":"r.example","Username":"alice"}`, "", nil)
	checkServe(t, s, "get", "r.example", `{"ServerURL":"r.example","Username":"alice","Secret":""}`+"\n", nil)
	checkServe(t, s, "store", `r.example`, "no credentials username\n", helper.ErrRequest)
}

// keeping is a server whose store holds one credential, in the room that every
// form but docker's asks; what it tells a person is collected.
func keeping(t *testing.T, c helper.Credential) (s helper.Server, said *[]string) {
	t.Helper()
	store := helpertest.NewMemory()
	if err := store.Store(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	said = new([]string)
	return helper.Server{Store: anyRoom{store}, Notice: func(line string) { *said = append(*said, line) }}, said
}

// anyRoom answers docker's form from the other room, as a session is answered.
type anyRoom struct{ *helpertest.Memory }

func (a anyRoom) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	q.Room = helper.RoomShared
	return a.Memory.Get(ctx, q)
}

// TestWhatAFormCannotHoldIsNotAnswered asks in each form for a credential that
// it can't carry. A person is told why.
func TestWhatAFormCannotHoldIsNotAnswered(t *testing.T) {
	const git, bazel, docker = "capability[]=authtype\nprotocol=https\nhost=h\n\n", `{"uri":"https://h/"}`, "https://h"
	const unfit = "no credential found that this form can hold: "
	const notUTF8 = "the credential holds bytes that are not UTF-8, which JSON can't carry"
	basic := func(username, secret string) helper.Credential {
		return helper.Credential{Origin: origin(t, "https://h"), Username: username, Secret: helper.NewSecret(secret)}
	}
	bearer := basic("", "to\xffken")
	bearer.AuthType = helper.AuthBearer
	tests := []struct {
		kept         helper.Credential
		in, out, say string
		err          error // nil: git's silence
	}{
		{basic("_json_key", jsonKey), git, "", unfit + "password holds a line end or NUL", nil},
		{basic("a\nhost=x", "p"), git, "", unfit + "username holds a line end or NUL", nil},
		{basic("a", "p\r"), git, "", unfit + "password holds a line end or NUL", nil},
		{basic("a", strings.Repeat("p", 65535)), git, "", unfit + "password is too long for a line of 65535 bytes", nil},
		{basic("_json_key", jsonKey), bazel, "", unfit + "it holds a control character", helper.ErrNotFound},
		{basic("a:b", "p"), bazel, "", unfit + "the username holds a colon, which would end it", helper.ErrNotFound},
		{bearer, bazel, "", notUTF8, errors.New(notUTF8)},
		{bearer, docker, notUTF8 + "\n", notUTF8, errors.New(notUTF8)},
		{basic("a\xff", "p"), docker, notUTF8 + "\n", notUTF8, errors.New(notUTF8)},
	}
	for _, tt := range tests {
		s, said := keeping(t, tt.kept)
		var out bytes.Buffer
		err := s.Serve(t.Context(), "get", strings.NewReader(tt.in), &out)
		if err != nil {
			*said = append(*said, err.Error())
		}
		if out.String() != tt.out || !slices.Equal(*said, []string{tt.say}) || (err == nil) != (tt.err == nil) ||
			errors.Is(err, helper.ErrNotFound) != errors.Is(tt.err, helper.ErrNotFound) || errors.Is(err, helper.ErrRequest) {
			t.Errorf("%q for %q is answered %q, says %q, fails with %v", tt.in, tt.kept.Username, out.String(), *said, err)
		}
	}
}

// TestBasicHoldsAnyByte is about the one place in JSON where it may stand.
func TestBasicHoldsAnyByte(t *testing.T) {
	s := helper.Server{Store: helpertest.NewMemory()}
	checkServe(t, s, "store", "protocol=https\nhost=h\nusername=j\xfcrgen\npassword=\xff\n", "", nil)
	checkServe(t, s, "get", `{"uri":"https://h/"}`, `{"headers":{"Authorization":["Basic `+base64.StdEncoding.EncodeToString([]byte("j\xfcrgen:\xff"))+`"]}}`+"\n", nil)
}

// FuzzAnswers holds that a credential is answered as it is or not at all:
// whoever reads the answer, by the rules of its form, reads that credential.
func FuzzAnswers(f *testing.F) {
	for _, text := range oddTexts() {
		f.Add(text, "secret", "")
		f.Add("someone", text, "")
		f.Add("someone", "token", text)
	}
	f.Add("someone", "to\xffken", "Bearer")
	f.Fuzz(func(t *testing.T, username, secret, authType string) {
		c := helper.Credential{Origin: origin(t, "https://h"), Username: username, Secret: helper.NewSecret(secret), AuthType: authType}
		s, _ := keeping(t, c)
		for in, read := range map[string]func(string) (helper.Credential, error){
			"capability[]=authtype\nprotocol=https\nhost=h\n\n": readGit,
			`{"ServerURL":"https://h"}`:                         readDocker,
			`{"uri":"https://h"}`:                               readBazel,
		} {
			if authType == "Basic" && strings.HasPrefix(in, `{"u`) {
				continue // somebody has put the pair together already
			}
			var out bytes.Buffer
			if err := s.Serve(t.Context(), "get", strings.NewReader(in), &out); err != nil || out.Len() == 0 {
				continue
			}
			got, err := read(out.String())
			if strings.HasPrefix(in, `{"S`) { // how it is sent isn't said there
				got.AuthType = c.AuthType
			} else if strings.HasPrefix(in, `{"u`) && authType != helper.AuthBasic {
				got.Username = c.Username // nor its username there
			}
			if err != nil || got.Username != c.Username || got.AuthType != c.AuthType || !got.Secret.Equal(c.Secret) {
				t.Errorf("%q, %q, %q: %q is answered %q, %v", username, secret, authType, in, out.String(), err)
			}
		}
	})
}

func readGit(answer string) (c helper.Credential, err error) {
	for line := range strings.Lines(answer) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch key {
		case "username":
			c.Username = value
		case "password", "credential":
			c.Secret = helper.NewSecret(value)
		case "authtype":
			c.AuthType = value
		case "capability[]":
			ok = value == "authtype"
		default:
			ok = false
		}
		if !ok || strings.ContainsAny(value, "\r\x00") {
			err = fmt.Errorf("the line %q", line)
		}
	}
	return c, err
}

func readDocker(answer string) (helper.Credential, error) {
	var a dockerJSON
	err := json.Unmarshal([]byte(answer), &a)
	return helper.Credential{Username: a.Username, Secret: helper.NewSecret(a.Secret)}, err
}

func readBazel(answer string) (c helper.Credential, err error) {
	var a struct{ Headers map[string][]string }
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		return c, err
	}
	header := strings.Join(a.Headers["Authorization"], "\n")
	if strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r == 0x7f }) || !utf8.ValidString(header) {
		return c, errors.New("no header can hold it")
	}
	scheme, rest, _ := strings.Cut(header, " ")
	if scheme != "Basic" {
		return helper.Credential{AuthType: scheme, Secret: helper.NewSecret(rest)}, nil
	}
	pair, err := base64.StdEncoding.DecodeString(rest)
	username, password, _ := strings.Cut(string(pair), ":")
	return helper.Credential{Username: username, Secret: helper.NewSecret(password)}, err
}
