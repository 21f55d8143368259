package infile

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/standin"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

var production, staging = platform.Known()[0], platform.Known()[1]

// token is an access token with the claims of payload.
func token(payload string) helper.Secret {
	encode := base64.RawURLEncoding.EncodeToString
	return helper.NewSecret(encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(payload)) + "." + encode([]byte("signature")))
}

// usual is what a provider issues.
func usual() helper.Secret {
	return token(`{"aud":["https://api.cre.chain.link/"],"iss":"https://login.chain.link/","sub":"auth0|1","exp":1800000000,"org_id":"org_1"}`)
}

// home is a folder with a cre.yaml, "" for none.
type home struct {
	t      *testing.T
	folder string
}

func newHome(t *testing.T, file string) home {
	t.Helper()
	h := home{t, filepath.Join(t.TempDir(), ".cre")}
	if file != "" {
		h.write(file)
	}
	return h
}

func (h home) dir() fallback.Dir { return fallback.Open(h.folder) }

func (h home) write(file string) {
	h.t.Helper()
	if err := errors.Join(os.MkdirAll(h.folder, 0o700), os.WriteFile(filepath.Join(h.folder, "cre.yaml"), []byte(file), 0o600)); err != nil {
		h.t.Fatal(err)
	}
}

func (h home) read() string {
	h.t.Helper()
	data, err := os.ReadFile(filepath.Join(h.folder, "cre.yaml"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.t.Fatal(err)
	}
	return string(data)
}

func (h home) ensure(env platform.Environment) (helper.Secret, error) {
	return Ensure(h.t.Context(), h.dir(), env, usual())
}

// pointer is a cre.yaml that points to environments' sessions.
func pointer(all ...platform.Environment) string {
	text := "Keychain:\n"
	for _, env := range all {
		text += "  - " + env.Origin().String() + "\n"
	}
	return text
}

func TestAPointerGetsItsStandIn(t *testing.T) {
	h := newHome(t, "zebra: 1\n"+pointer(production))
	standIn, err := h.ensure(production)
	if err != nil {
		t.Fatal(err)
	}
	if said, ok := standin.Read(standIn); !ok || !said.IsFor(production) {
		t.Errorf("%+v, %v", said, ok)
	}
	file := h.read()
	if !strings.Contains(file, "AccessToken: "+standIn.Reveal()+"\n") || !strings.Contains(file, pointer(production)) || !strings.Contains(file, "zebra: 1") {
		t.Errorf("cre.yaml:\n%s", file)
	}
	if again, err := h.ensure(production); err != nil || !again.Equal(standIn) || h.read() != file {
		t.Errorf("once more: %v, cre.yaml:\n%s", err, h.read())
	}
}

func TestOneEnvironmentsStandInGivesWayToAnothers(t *testing.T) {
	h := newHome(t, pointer(production, staging))
	for _, env := range []platform.Environment{production, staging, production} {
		standIn, err := h.ensure(env)
		if said, ok := standin.Read(standIn); err != nil || !ok || !said.IsFor(env) {
			t.Errorf("%s: %+v, %v", env.Name, said, err)
		}
		if file := h.read(); strings.Count(file, "AccessToken") != 1 || !strings.Contains(file, standIn.Reveal()) || !strings.Contains(file, pointer(production, staging)) {
			t.Errorf("%s: cre.yaml:\n%s", env.Name, file)
		}
	}
}

// TestAFileThatHasNoPlaceForAStandInStaysAsItIs is about what the official CLI
// and a logout may have made of it meanwhile, too.
func TestAFileThatHasNoPlaceForAStandInStaysAsItIs(t *testing.T) {
	tokens := func(aud string) string {
		return "AccessToken: " + token(`{"aud":"`+aud+`","exp":1800000000}`).Reveal() + "\nRefreshToken: refresh\nExpiresIn: 1\nTokenType: Bearer\n"
	}
	for name, test := range map[string]struct {
		file string
		want error
	}{
		"no file":                            {"", ErrNoPointer},
		"the session itself":                 {tokens(production.Audience), ErrNoPointer},
		"the session beside its pointer":     {tokens(production.Audience) + pointer(production), ErrNoPointer},
		"another environment's pointer":      {pointer(staging), ErrNoPointer},
		"another environment's stand-in":     {"AccessToken: " + standin.New(staging, usual()).Reveal() + "\n" + pointer(staging), ErrNoPointer},
		"a stand-in without a pointer":       {"AccessToken: " + standin.New(production, usual()).Reveal() + "\n", ErrNoPointer},
		"another environment's tokens":       {tokens(staging.Audience) + pointer(production), ErrTaken},
		"tokens of no known environment":     {tokens("https://x.example/") + pointer(production), ErrTaken},
		"a refresh token beside a stand-in":  {"AccessToken: " + standin.New(production, usual()).Reveal() + "\nRefreshToken: r\n" + pointer(production), ErrTaken},
		"damaged":                            {"AccessToken: [", fallback.ErrDamaged},
		"zeros, as the official logout does": {"\x00\x00\x00", fallback.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t, test.file)
			if _, err := h.ensure(production); !errors.Is(err, test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %v", err, test.want)
			}
			if h.read() != test.file {
				t.Errorf("cre.yaml has become\n%s", h.read())
			}
		})
	}
}

func TestAStandInIsWrittenUnderTheLock(t *testing.T) {
	h := newHome(t, pointer(production))
	unlock, err := h.dir().Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Ensure(ctx, h.dir(), production, usual()); err == nil || h.read() != pointer(production) {
		t.Errorf("%v, cre.yaml:\n%s", err, h.read())
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ensure(production); err != nil {
		t.Error(err)
	}
	// To find that all is well needs no lock.
	if unlock, err = h.dir().Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer unlock() //nolint:errcheck // the test is over
	if _, err := Ensure(ctx, h.dir(), production, usual()); err != nil {
		t.Error(err)
	}
}

func TestManyCommandsAtOnceAgreeOnOneStandIn(t *testing.T) {
	h := newHome(t, pointer(production))
	var all sync.WaitGroup
	got := make([]helper.Secret, 20)
	for i := range got {
		all.Go(func() {
			var err error
			if got[i], err = h.ensure(production); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, standIn := range got {
		if !standIn.Equal(got[0]) || !strings.Contains(h.read(), standIn.Reveal()) {
			t.Fatal("there are several")
		}
	}
}
