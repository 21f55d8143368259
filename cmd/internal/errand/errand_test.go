package errand_test

import (
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

	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

// roleVariable makes of this test's own program what cre-credential-net is.
const roleVariable = "ERRAND_TEST_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	err := errand.Serve(context.Background(), os.Stdin, os.Stdout, nil, func(notify func(string)) (errand.Keeper, error) {
		switch role {
		case "crash":
			fmt.Fprintln(os.Stderr, "cre-credential-net: out of luck")
			os.Exit(3)
		case "unopened":
			return nil, fmt.Errorf("%w: X", status.ErrSetting)
		}
		return keeper{role, notify}, nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// keeper answers by its role.
type keeper struct {
	role   string
	notify func(string)
}

// odd is a credential that is hard to carry.
func odd() helper.Credential {
	return helper.Credential{
		Origin:   helper.Origin{Protocol: "https", Host: "h", Path: "\xff/ü"},
		Username: "a\x00\xfe", Secret: helper.NewSecret("\xff\"\n{"), AuthType: "Bearer",
		Expiry: time.Unix(1_800_000_000, 0).UTC(), RefreshToken: helper.NewSecret(""), ClientID: "c", ServerURL: "s",
		TokenEndpoint: "t", RevocationEndpoint: "r",
	}
}

func username() *string { return new("") }

func oddQuery() helper.Query {
	return helper.Query{Origin: odd().Origin, Username: username(), Secret: odd().Secret, PasswordOnly: true, ValidFor: time.Hour}
}

// errs are what a store may fail with, each of its own kind, and of several.
func errs() map[string]error {
	return map[string]error{
		"not found":   fmt.Errorf("%w for x", helper.ErrNotFound),
		"both":        fmt.Errorf("%w: %w", helper.ErrNotFound, lookup.ErrUnavailable),
		"request":     helper.ErrRequest,
		"busy":        fmt.Errorf("a\nb %w", helper.ErrBusy),
		"locked":      lookup.ErrTimeout,
		"unavailable": lookup.ErrUnavailable,
		"provider":    fmt.Errorf("%w: down", reading.ErrProvider),
		"no session":  reading.ErrNotASession,
		"cancelled":   context.Canceled,
		"account":     helper.ErrAccount,
		"lifetime":    fmt.Errorf("%w: 2h", helper.ErrLifetime),
		"other":       errors.New("something else"),
	}
}

func (k keeper) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	if k.role == "slow" {
		<-ctx.Done()
		time.Sleep(time.Minute)
	}
	if !reflect.DeepEqual(q, oddQuery()) {
		return helper.Credential{}, fmt.Errorf("asked for %+v", q)
	}
	k.notify("a notice")
	return odd(), errs()[k.role]
}

func (k keeper) Renew(ctx context.Context, q helper.Query) (helper.Credential, error) {
	c, err := k.Get(ctx, q)
	if k.role == "renewing" {
		c.RefreshToken, c.IDToken = helper.NewSecret("next"), helper.NewSecret("id")
	}
	return c, err
}

func (k keeper) Store(ctx context.Context, c helper.Credential) error {
	if k.role == "slow" {
		<-ctx.Done()
		return errors.New("given up, and nothing is half done")
	}
	if !reflect.DeepEqual(c, odd()) {
		return fmt.Errorf("told to store %+v", c)
	}
	return nil
}

func (k keeper) Erase(_ context.Context, q helper.Query) error {
	if !reflect.DeepEqual(q, oddQuery()) {
		return fmt.Errorf("told to erase %+v", q)
	}
	return nil
}

// described has text that JSON changes nothing of.
func described() helper.Description {
	return helper.Description{
		Schema: helper.DescriptionSchema, Notes: []string{"a <note>"},
		Credentials: []helper.Account{{Username: "ü\"", Place: helper.PlaceKeychain, Default: true, Expires: time.Unix(1_800_000_000, 0).UTC()}},
	}
}

func (k keeper) Describe(_ context.Context, o helper.Origin) (helper.Description, error) {
	if o != odd().Origin {
		return helper.Description{}, fmt.Errorf("told to describe %v", o)
	}
	return described(), errs()[k.role]
}

func (k keeper) Use(_ context.Context, o helper.Origin, username string) error {
	if o != odd().Origin || username != odd().Username {
		return fmt.Errorf("told to use %q at %v", username, o)
	}
	return errs()[k.role]
}

func (k keeper) Move(_ context.Context, o helper.Origin, to helper.Place) error {
	if o != odd().Origin || to != helper.PlaceFile {
		return fmt.Errorf("told to move %v to %q", o, to)
	}
	return errs()[k.role]
}

func (k keeper) List(context.Context) ([]helper.Credential, error) {
	return []helper.Credential{odd(), {Origin: odd().Origin}}, nil
}

func (k keeper) Check(_ context.Context, o helper.Origin) error {
	if o != odd().Origin {
		return fmt.Errorf("told to check %v", o)
	}
	return nil
}

// program runs this test's own program in a role.
func program(t *testing.T, role string, notify func(string)) errand.Program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	name := errand.ProgramName
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if err := os.Link(self, filepath.Join(dir, name)); err != nil {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	t.Setenv(roleVariable, role)
	return errand.Program{Executable: func() (string, error) { return filepath.Join(dir, "helper"), nil }, Notify: notify}
}

func TestEveryByteArrives(t *testing.T) {
	var notices []string
	p := program(t, "well", func(line string) { notices = append(notices, line) })
	for name, get := range map[string]func(context.Context, helper.Query) (helper.Credential, error){"get": p.Get, "renew": p.Renew} {
		if c, err := get(t.Context(), oddQuery()); err != nil || !reflect.DeepEqual(c, odd()) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	if strings.Join(notices, ",") != "a notice,a notice" {
		t.Errorf("notices: %q", notices)
	}
	list, err := p.List(t.Context())
	if err != nil || !reflect.DeepEqual(list, []helper.Credential{odd(), {Origin: odd().Origin}}) {
		t.Errorf("list: %+v, %v", list, err)
	}
	if err := errors.Join(p.Store(t.Context(), odd()), p.Erase(t.Context(), oddQuery()), p.Check(t.Context(), odd().Origin),
		p.Use(t.Context(), odd().Origin, odd().Username), p.Move(t.Context(), odd().Origin, helper.PlaceFile)); err != nil {
		t.Error(err)
	}
	if d, err := p.Describe(t.Context(), odd().Origin); err != nil || !reflect.DeepEqual(d, described()) {
		t.Errorf("describe: %+v, %v", d, err)
	}
}

// TestARenewalKeepsTheRefreshTokenToItself is about the pipe between the two
// programs, and the memory of who asked.
func TestARenewalKeepsTheRefreshTokenToItself(t *testing.T) {
	c, err := program(t, "renewing", nil).Renew(t.Context(), oddQuery())
	if err != nil || !c.Secret.Equal(odd().Secret) || c.RefreshToken.IsSet() || c.IDToken.IsSet() {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestErrorsAreToldApart holds that an error means the same on both sides.
func TestErrorsAreToldApart(t *testing.T) {
	for name, want := range errs() {
		t.Run(name, func(t *testing.T) {
			_, err := program(t, name, nil).Get(t.Context(), oddQuery())
			if err == nil || err.Error() != want.Error() || status.Of(err) != status.Of(want) {
				t.Fatalf("%v (status %d), want %v (status %d)", err, status.Of(err), want, status.Of(want))
			}
			for _, kind := range errs() {
				if root := errors.Unwrap(kind); root != nil && errors.Is(err, root) != errors.Is(want, root) {
					t.Errorf("is it %v? %v", root, errors.Is(err, root))
				}
			}
		})
	}
}

func TestWhatStandsInTheWay(t *testing.T) {
	for role, want := range map[string]string{
		"unopened": "unusable setting: X",
		"crash":    "(out of luck)",
	} {
		if _, err := program(t, role, nil).Get(t.Context(), oddQuery()); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v", role, err)
		}
	}
	missing := errand.Program{Executable: func() (string, error) { return filepath.Join(t.TempDir(), "helper"), nil }}
	if err := missing.Store(t.Context(), odd()); !errors.Is(err, errand.ErrMissing) {
		t.Errorf("%v, want ErrMissing", err)
	}
}

// TestWhoeverLeaves is told at once of a get, and of a write what became of it.
func TestWhoeverLeaves(t *testing.T) {
	p := program(t, "slow", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	later, cancelLater := context.WithTimeout(t.Context(), time.Second)
	defer cancelLater()
	if _, err := p.Get(ctx, oddQuery()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("get: %v", err)
	}
	var said []string
	p.Notify = func(line string) { said = append(said, line) }
	soon, cancelSoon := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancelSoon()
	if _, err := p.Renew(soon, oddQuery()); !errors.Is(err, context.DeadlineExceeded) || len(said) != 1 || !strings.Contains(said[0], "goes on in cre-credential-net") {
		t.Errorf("renew: %v, %q", err, said)
	}
	p.Notify = nil
	if err := p.Store(later, odd()); err == nil || !strings.Contains(err.Error(), "half done") {
		t.Errorf("store: %v", err)
	}
}

func TestServeTakesNothingElse(t *testing.T) {
	for _, question := range []string{"", "{}", `{"v":2,"task":"list"}`, "protocol=https\n\n", `{"v":1,"task":3}`} {
		var out strings.Builder
		if err := errand.Serve(t.Context(), strings.NewReader(question), &out, nil, nil); !errors.Is(err, errand.ErrUse) || out.Len() > 0 {
			t.Errorf("%q: %v, %q", question, err, out.String())
		}
	}
	for _, question := range []string{`{"v":1,"task":"format"}`, `{"v":1,"task":"get"}`, `{"v":1,"task":"store"}`} {
		var out strings.Builder
		open := func(func(string)) (errand.Keeper, error) { return keeper{}, nil }
		if err := errand.Serve(t.Context(), strings.NewReader(question), &out, nil, open); err != nil || !strings.Contains(out.String(), "bad request") {
			t.Errorf("%q: %v, %q", question, err, out.String())
		}
	}
}
