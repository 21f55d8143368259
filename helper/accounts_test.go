package helper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
)

// accounts is a store that notes what it is asked.
type accounts struct {
	*helpertest.Memory
	asked []string
	query helper.Query
	fail  error
}

func (a *accounts) note(format string, args ...any) error {
	a.asked = append(a.asked, fmt.Sprintf(format, args...))
	return a.fail
}

func (a *accounts) Get(_ context.Context, q helper.Query) (helper.Credential, error) {
	a.query = q
	return helper.Credential{Origin: q.Origin, Username: "a", Secret: helper.NewSecret("s")}, a.fail
}

func (a *accounts) Describe(_ context.Context, o helper.Origin) (helper.Description, error) {
	return twoAccounts(), a.note("describe %s", o)
}

func (a *accounts) Use(_ context.Context, o helper.Origin, username string) error {
	return a.note("use %s %s", o, username)
}

func (a *accounts) Move(_ context.Context, o helper.Origin, to helper.Place) error {
	return a.note("move %s %s", o, to)
}

func twoAccounts() helper.Description {
	at := time.Unix(1_800_000_000, 0).UTC()
	return helper.Description{Schema: helper.DescriptionSchema, Notes: []string{"a <note>"}, Credentials: []helper.Account{
		{Origin: "https://x", Username: "a", AuthType: "Bearer", Place: helper.PlaceKeychain, Default: true, Expires: at, Issued: at, Since: at, Renewable: true},
		{Origin: "https://x", Username: "apikey", AuthType: "Apikey", Place: helper.PlaceEnvironment, Variable: "V"},
	}}
}

func TestTheOperationsOnAccounts(t *testing.T) {
	const example = "protocol=https\nhost=Example.com:443\n"
	for name, c := range map[string]struct{ op, in, asked string }{
		"describe":               {"describe", example + "\n", "describe https://example.com"},
		"of the default":         {"describe", "", "describe https://default.example"},
		"of the default, too":    {"describe", "\n", "describe https://default.example"},
		"use":                    {"use", example + "username=a=b\n\n", "use https://example.com a=b"},
		"use the empty one":      {"use", "username=\n", "use https://default.example "},
		"move":                   {"move", example + "store=file\n", "move https://example.com file"},
		"move to nowhere":        {"move", "other=1\n", "move https://default.example "},
		"use nobody":             {"use", example, ""},
		"half an origin":         {"use", "host=example.com\nusername=a\n", ""},
		"another form":           {"describe", `{"uri":"https://example.com/"}`, ""},
		"and another":            {"move", "https://example.com", ""},
		"twice the place":        {"move", "store=file\nstore=keychain\n", ""},
		"a carriage return":      {"use", "username=a\rb\n", ""},
		"no key":                 {"use", "username=a\n=b\n", ""},
		"a host that is no host": {"describe", "protocol=https\nhost=a/b\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			store := &accounts{Memory: helpertest.NewMemory()}
			s := helper.Server{Store: store, Default: helper.Origin{Protocol: "https", Host: "default.example"}}
			var out bytes.Buffer
			err := s.Serve(t.Context(), c.op, strings.NewReader(c.in), &out)
			if asked := strings.Join(store.asked, "; "); asked != c.asked || (err != nil) != (c.asked == "") {
				t.Errorf("%q, %v", asked, err)
			}
			if err != nil && !errors.Is(err, helper.ErrRequest) || (out.Len() > 0) != (c.op == "describe" && err == nil) {
				t.Errorf("%v, %q", err, out.String())
			}
		})
	}
}

func TestADescriptionIsOneObject(t *testing.T) {
	const want = `{"schema":1,"credentials":[` +
		`{"origin":"https://x","username":"a","authType":"Bearer","place":"keychain","default":true,"deployAccess":false,` +
		`"expires":"2027-01-15T08:00:00Z","issued":"2027-01-15T08:00:00Z","since":"2027-01-15T08:00:00Z","renewable":true,"stray":false},` +
		`{"origin":"https://x","username":"apikey","authType":"Apikey","place":"environment","variable":"V","default":false,"deployAccess":false,"renewable":false,"stray":false}` +
		`],"notes":["a <note>"]}` + "\n"
	var out bytes.Buffer
	s := helper.Server{Store: &accounts{Memory: helpertest.NewMemory()}}
	if err := s.Serve(t.Context(), "describe", strings.NewReader("protocol=https\nhost=x\n"), &out); err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestWhatKeepsNoAccountsIgnoresTheirOperations, as any other that it doesn't know;
// to docker's clients they are unknown.
func TestWhatKeepsNoAccountsIgnoresTheirOperations(t *testing.T) {
	for _, op := range []string{"describe", "use", "move"} {
		var out bytes.Buffer
		if err := (helper.Server{Store: helpertest.NewMemory()}).Serve(t.Context(), op, strings.NewReader("?"), &out); err != nil || out.Len() > 0 {
			t.Errorf("%s: %v, %q", op, err, out.String())
		}
		store := &accounts{Memory: helpertest.NewMemory()}
		if err := (helper.Server{Store: store, Docker: true}).Serve(t.Context(), op, strings.NewReader(""), &out); !errors.Is(err, helper.ErrRequest) || store.asked != nil {
			t.Errorf("%s under docker's name: %v", op, err)
		}
	}
}

// TestAMissingAccountIsSaid: git's form is silent where nothing is found, but for
// what its user has to decide; an operation on accounts never is.
func TestAMissingAccountIsSaid(t *testing.T) {
	var notices []string
	store := &accounts{Memory: helpertest.NewMemory(), fail: helper.AccountErrorf("a or %s", "b")}
	s := helper.Server{Store: store, Notice: func(line string) { notices = append(notices, line) }}
	var out bytes.Buffer
	if err := s.Serve(t.Context(), "get", strings.NewReader("protocol=https\nhost=x\n"), &out); err != nil || out.Len() > 0 ||
		len(notices) != 1 || notices[0] != "a or b" {
		t.Errorf("%v, %q, %q", err, out.String(), notices)
	}
	store.fail = helper.ErrNotFound
	if err := s.Serve(t.Context(), "get", strings.NewReader("protocol=https\nhost=x\n"), &out); err != nil || len(notices) != 1 {
		t.Errorf("%v, %q", err, notices)
	}
	if err := s.Serve(t.Context(), "use", strings.NewReader("protocol=https\nhost=x\nusername=a\n"), &out); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("use: %v", err)
	}
}

func TestWhatAnOperationDoesNotTakeIsRefusedByName(t *testing.T) {
	for _, c := range []struct{ op, in, says string }{
		{"describe", "username=a\n", "describe takes no username"},
		{"move", "store=file\nusername=a\n", "move takes no username"},
		{"use", "username=a\nstore=file\n", "use takes no store"},
		{"describe", "password=a\n", "describe takes no password"},
		{"describe", "wwwauth[]=a\nstate[]=b\n", ""}, // git's, which it may send to anybody
	} {
		store := &accounts{Memory: helpertest.NewMemory()}
		var out bytes.Buffer
		err := (helper.Server{Store: store}).Serve(t.Context(), c.op, strings.NewReader("protocol=https\nhost=x\n"+c.in+"\n"), &out)
		if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, helper.ErrRequest) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s with %q: %v", c.op, c.in, err)
		}
	}
}

func TestValidFor(t *testing.T) {
	for text, want := range map[string]time.Duration{"": -1, "0": -1, "1": time.Second, "1800": 30 * time.Minute, "31622400": 366 * 24 * time.Hour,
		"-1": -1, "30m": -1, "1.5": -1, " 1": -1, "+1": -1, "31622401": -1, "99999999999999999999": -1, "0x10": -1} {
		store := &accounts{Memory: helpertest.NewMemory()}
		var out bytes.Buffer
		in := "protocol=https\nhost=x\nvalid_for=" + text + "\n\n"
		err := (helper.Server{Store: store}).Serve(t.Context(), "get", strings.NewReader(in), &out)
		if want < 0 && (!errors.Is(err, helper.ErrRequest) || out.Len() > 0) || want >= 0 && (err != nil || store.query.ValidFor != want) {
			t.Errorf("%q: %v, %v, %q", text, store.query.ValidFor, err, out.String())
		}
		for _, op := range []string{"erase", "check"} { // which it says nothing to
			if err := (helper.Server{Store: store}).Serve(t.Context(), op, strings.NewReader(in), &out); errors.Is(err, helper.ErrRequest) {
				t.Errorf("%s with %q: %v", op, text, err)
			}
		}
	}
}

// script is a helper that keeps what it was given, and says something.
func script(t *testing.T, says string) (helper.Client, func() string) {
	t.Helper()
	dir := t.TempDir()
	path, heard := filepath.Join(dir, "helper"), filepath.Join(dir, "heard")
	text := "#!/bin/sh\n{ echo \"$1\"; cat; } > '" + heard + "'\n" + says + "\n"
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return helper.Client{Program: path}, func() string {
		data, err := os.ReadFile(heard)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
}

func TestTheClientAsksAboutAccounts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a shell's script")
	}
	o := helper.Origin{Protocol: "https", Host: "x"}
	client, heard := script(t, "")
	if err := client.Use(t.Context(), o, "a b"); err != nil || heard() != "use\nprotocol=https\nhost=x\nusername=a b\n\n" {
		t.Errorf("%v, %q", err, heard())
	}
	if err := client.Move(t.Context(), o, helper.PlaceFile); err != nil || heard() != "move\nprotocol=https\nhost=x\nstore=file\n\n" {
		t.Errorf("%v, %q", err, heard())
	}
	if _, err := client.Describe(t.Context(), o); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("a helper that doesn't know describe: %v", err)
	}
	_, err := client.Get(t.Context(), helper.Query{Origin: o, ValidFor: 1500 * time.Millisecond})
	if !errors.Is(err, helper.ErrNotFound) || !strings.Contains(heard(), "\nvalid_for=2\n") {
		t.Errorf("%v, %q", err, heard())
	}
	if err := client.Use(t.Context(), o, "a\nb"); !errors.Is(err, helper.ErrRequest) {
		t.Errorf("a username of two lines: %v", err)
	}
	client, _ = script(t, `echo "helper: warning: x" >&2; echo "helper: a is not logged in" >&2`)
	var warned []string
	client.Notice = func(line string) { warned = append(warned, line) }
	if _, err := client.Get(t.Context(), helper.Query{Origin: o}); !errors.Is(err, helper.ErrAccount) || !errors.Is(err, helper.ErrNotFound) ||
		err.Error() != "a is not logged in" || len(warned) != 1 {
		t.Errorf("what a helper says of an answer that it doesn't have: %v, notices %q", err, warned)
	}
	client, _ = script(t, `echo "helper: warning: x" >&2`)
	if _, err := client.Get(t.Context(), helper.Query{Origin: o}); !errors.Is(err, helper.ErrNotFound) || errors.Is(err, helper.ErrAccount) {
		t.Errorf("a warning is no reason: %v", err)
	}
	client, _ = script(t, `echo '{"schema":2}'`)
	if _, err := client.Describe(t.Context(), o); err == nil {
		t.Error("another schema is taken")
	}
	client, _ = script(t, `echo "helper: no such account" >&2; exit 1`)
	var failed *helper.ProgramError
	if err := client.Use(t.Context(), o, "a"); !errors.As(err, &failed) || failed.ExitCode != 1 || failed.Message != "no such account" {
		t.Errorf("%v", err)
	}
}

func TestADescriptionComesBack(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a shell's script")
	}
	var out bytes.Buffer
	s := helper.Server{Store: &accounts{Memory: helpertest.NewMemory()}}
	if err := s.Serve(t.Context(), "describe", strings.NewReader("protocol=https\nhost=x\n"), &out); err != nil {
		t.Fatal(err)
	}
	client, _ := script(t, "cat <<'.'\n"+out.String()+".")
	d, err := client.Describe(t.Context(), helper.Origin{Protocol: "https", Host: "x"})
	if err != nil || !reflect.DeepEqual(d, twoAccounts()) {
		t.Errorf("%+v, %v", d, err)
	}
}

// FuzzAccounts holds that whatever is asked, an operation on accounts reaches the
// store about one usable origin, or is a bad request.
func FuzzAccounts(f *testing.F) {
	for _, seed := range []string{"", "\n", "username=a\n", "protocol=https\nhost=x\nusername=a\nstore=file\n\n", "protocol=https\n", "store=\n", "{", "https://x", "a=b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for _, op := range []string{"describe", "use", "move"} {
			store := &accounts{Memory: helpertest.NewMemory()}
			var out bytes.Buffer
			err := (helper.Server{Store: store, Default: helper.Origin{Protocol: "https", Host: "x"}}).Serve(context.Background(), op, strings.NewReader(in), &out)
			if err == nil && len(store.asked) != 1 || err != nil && (!errors.Is(err, helper.ErrRequest) || store.asked != nil || out.Len() > 0) {
				t.Fatalf("%s: %v, asked %q, answered %q", op, err, store.asked, out.String())
			}
			if op != "describe" && out.Len() > 0 {
				t.Fatalf("%s answers %q", op, out.String())
			}
		}
	})
}
