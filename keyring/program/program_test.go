package program_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/lookup"
	"cre-credential-helper/keyring/program"
)

// This test's program is one of docker's protocol itself, in the folder that is named
// here, and with the manners that are.
const (
	folderVariable = "CRE_TEST_PROGRAM"
	mannerVariable = "CRE_TEST_MANNER"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(folderVariable); dir != "" {
		os.Exit(act(dir, os.Getenv(mannerVariable), os.Args[len(os.Args)-1]))
	}
	os.Exit(m.Run())
}

type secret struct{ ServerURL, Username, Secret string }

func act(dir, manner, operation string) int {
	in, _ := io.ReadAll(os.Stdin)
	var s secret
	if json.Unmarshal(in, &s) != nil {
		s.ServerURL = string(in)
	}
	name := filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(s.ServerURL, "https://"), "/", "_"))
	refuse := func(text string) int { os.Stdout.WriteString(text); return 1 }
	switch {
	case manner == "hangs":
		time.Sleep(time.Hour)
	case manner == "repeats":
		return refuse("can't keep " + s.Secret)
	case manner == "rages":
		return refuse("\x1b[31mno\nno" + strings.Repeat("!", 1000))
	case manner == "floods":
		for range 4000 {
			os.Stdout.WriteString(strings.Repeat("x", 1024))
		}
		return 0
	case operation == "store" && len(s.Secret) > 2560 && manner == "small":
		return refuse("too large")
	case operation == "store":
		if os.WriteFile(name, in, 0o600) != nil {
			return refuse("can't write")
		}
	case operation == "erase":
		if os.Remove(name) != nil {
			return refuse("no such thing")
		}
	default:
		kept, err := os.ReadFile(name)
		if err != nil {
			return refuse("credentials not found in native keychain\n")
		}
		os.Stdout.Write(kept)
	}
	return 0
}

type locked struct {
	program.Program
	keyring.Locker
}

// acting is this test's program.
func acting(t *testing.T, manner string) program.Program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && (manner == "plain" || manner == "small") {
		return scripted(t, manner)
	}
	environ := []string{folderVariable + "=" + t.TempDir(), mannerVariable + "=" + manner, "SystemRoot=" + os.Getenv("SystemRoot")}
	return program.Program{Name: "docker-credential-test", Path: self, Environ: environ, Timeout: time.Minute}
}

// script is the same for a test that has very many runs: this test's program takes a
// second to start with the race detector.
const script = `#!/bin/sh
in=$(cat)
case $in in {*) url=${in#*'"ServerURL":"'}; url=${url%%'"'*} ;; *) url=$in ;; esac
file=$DIR/$(echo "$url" | tr -c 'a-z0-9.\n' _)
case $1 in
store)
	if [ "$MANNER" = small ] && [ ${#in} -gt 2700 ]; then echo 'too large'; exit 1; fi
	printf %s "$in" >"$file" ;;
erase) rm "$file" 2>/dev/null || { echo 'no such thing'; exit 1; } ;;
*) cat "$file" 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
esac
`

func scripted(t *testing.T, manner string) program.Program {
	t.Helper()
	dir, kept := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "docker-credential-test")
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	environ := []string{"DIR=" + kept, "MANNER=" + manner, "PATH=" + os.Getenv("PATH")}
	return program.Program{Name: "docker-credential-test", Path: path, Environ: environ, Timeout: time.Minute}
}

func storeIn(p program.Program, smaller int) *keyring.Store {
	return keyring.New(keyring.Options{Limit: -1, Smaller: smaller, Timeout: time.Minute,
		Backend: &locked{p, keyring.FileLock("cre-program-test.lock", p.Name)}})
}

func TestContract(t *testing.T) {
	for _, manner := range []string{"plain", "small"} {
		t.Run(manner, func(t *testing.T) {
			helpertest.TestStore(t, func(t *testing.T) helper.Store { return storeIn(acting(t, manner), program.Smaller) }, helpertest.Options{})
		})
	}
}

// TestAProgramThatRefusesTheSizeGetsPieces, and is read back.
func TestAProgramThatRefusesTheSizeGetsPieces(t *testing.T) {
	o := helper.Origin{Protocol: "https", Host: "api.example"}
	c := helper.Credential{Origin: o, Username: "ann", Secret: helper.NewSecret(strings.Repeat("s", 9000))}
	p := acting(t, "small")
	for _, secret := range []helper.Secret{c.Secret, helper.NewSecret("short"), helper.NewSecret(strings.Repeat("t", 5000))} {
		c.Secret = secret
		s := storeIn(p, program.Smaller)
		if err := s.Store(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(t.Context(), helper.Query{Origin: o}); err != nil || !got.Secret.Equal(secret) {
			t.Errorf("%v", err)
		}
	}
	if err := storeIn(p, 0).Store(t.Context(), c); !errors.Is(err, keyring.ErrRefused) || !strings.Contains(err.Error(), `"too large"`) {
		t.Errorf("without pieces: %v", err)
	}
	if err := storeIn(p, program.Smaller).Erase(t.Context(), helper.Query{Origin: o}); err != nil {
		t.Error(err)
	}
	_, dir, _ := strings.Cut(p.Environ[0], "=")
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestWhatAProgramSaysIsQuoted(t *testing.T) {
	p := acting(t, "rages")
	_, err := p.Get("s", "a")
	if !errors.Is(err, lookup.ErrRefused) || !strings.Contains(err.Error(), `"\x1b[31mno\nno!!!`) || len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\x1b\n") {
		t.Errorf("%q", err)
	}
}

// TestWhatAProgramSaysOfASecretIsNotRepeated.
func TestWhatAProgramSaysOfASecretIsNotRepeated(t *testing.T) {
	err := acting(t, "repeats").Set("s", "a", "a-very-secret-token-of-some-length")
	if !errors.Is(err, lookup.ErrRefused) || strings.Contains(err.Error(), "secret-token") {
		t.Errorf("%v", err)
	}
}

func TestAProgramThatHangsIsGivenUp(t *testing.T) {
	p := acting(t, "hangs")
	p.Timeout = 200 * time.Millisecond
	for name, do := range map[string]func() error{
		"get":   func() error { _, err := p.Get("s", "a"); return err },
		"store": func() error { return p.Set("s", "a", "v") },
		"erase": func() error { return p.Delete("s", "a") },
	} {
		began := time.Now()
		if err := do(); !errors.Is(err, lookup.ErrTimeout) || !strings.Contains(err.Error(), "passphrase") || time.Since(began) > 20*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(began))
		}
	}
}

func TestAnAnswerThatIsNoneIsRefused(t *testing.T) {
	if _, err := acting(t, "floods").Get("s", "a"); !errors.Is(err, lookup.ErrRefused) || len(err.Error()) > 300 {
		t.Errorf("%.300v", err)
	}
}

func TestAProgramThatCannotBeStarted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "docker-credential-x")
	if err := os.WriteFile(path, []byte("no program"), 0o755); err != nil { //nolint:gosec // it is meant to be started
		t.Fatal(err)
	}
	p := program.Program{Name: "docker-credential-x", Path: path, Timeout: time.Minute}
	if err := p.Set("s", "a", "v"); !errors.Is(err, lookup.ErrUnavailable) || !strings.Contains(err.Error(), "docker-credential-x") {
		t.Errorf("on %s: %v", runtime.GOOS, err)
	}
}
