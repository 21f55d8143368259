package session_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/fallback"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
	"cre-credential-helper/keyring"
)

var errProviderDown = errors.New("connection refused")

// world is a machine with everything on it in the test's hands. Each operation
// is a process of its own.
type world struct {
	t           *testing.T
	Environment platform.Environment
	Mode        session.Mode
	APIKey      helper.Secret
	Account     string // CRE_ACCOUNT
	keychain    *faultyKeychain
	kernel      *faultyKeychain // as a store beside it
	provider    *countingProvider
	dir         string

	mu      sync.Mutex
	now     time.Time
	notices []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	env, _, err := platform.Select(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t:           t,
		Environment: env,
		Mode:        session.Auto,
		keychain:    &faultyKeychain{Vault: helpertest.NewMemory()},
		kernel:      &faultyKeychain{Vault: helpertest.NewMemory()},
		provider:    &countingProvider{},
		dir:         filepath.Join(t.TempDir(), ".cre"),
		now:         time.Unix(1_800_000_000, 0).UTC(),
	}
	w.provider.world = w
	return w
}

// keeper is what a program makes when it starts.
func (w *world) keeper() *session.Keeper {
	files := session.FilesIn(fallback.Open(w.dir))
	k := &session.Keeper{
		Environment: w.Environment,
		APIKey:      w.APIKey,
		Places:      session.NewPlaces(w.Environment, w.Mode, files, w.keychain, w.clock, w.notify).Beside(w.beside).For(w.Account, false),
		Provider:    w.provider,
		Revoker:     w.provider,
		Now:         w.clock,
		Notify:      w.notify,
	}
	k.Renewer = k
	return k
}

// beside knows one store beside the keychain.
func (w *world) beside(place session.Place) (helper.Vault, error) {
	if place == reading.InKernel {
		return w.kernel, nil
	}
	return nil, reading.UnknownStore(place)
}

func (w *world) notify(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notices = append(w.notices, line)
}

func (w *world) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	return w.keeper().Get(ctx, q)
}

func (w *world) Store(ctx context.Context, c helper.Credential) error {
	return w.keeper().Store(ctx, c)
}

func (w *world) Erase(ctx context.Context, q helper.Query) error { return w.keeper().Erase(ctx, q) }

func (w *world) Check(ctx context.Context, o helper.Origin) error { return w.keeper().Check(ctx, o) }

func (w *world) List(ctx context.Context) ([]helper.Credential, error) { return w.keeper().List(ctx) }

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// noted returns whether a notice holds text.
func (w *world) noted(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Contains(strings.Join(w.notices, "\n"), text)
}

// login is the credential of a fresh login, good for an hour.
func (w *world) login() helper.Credential {
	return helper.Credential{
		Origin:             w.Environment.Origin(),
		Username:           "email@domain.com",
		Secret:             token(w.Environment.Audience, 0, w.clock().Add(time.Hour+w.provider.skew)),
		AuthType:           helper.AuthBearer,
		Expiry:             w.clock().Add(time.Hour),
		RefreshToken:       helper.NewSecret("refresh-0"),
		IDToken:            jwt(map[string]any{"email": "email@domain.com", "sub": "auth0|1"}),
		TokenEndpoint:      w.Environment.TokenEndpoint(),
		RevocationEndpoint: w.Environment.RevocationEndpoint(),
		ClientID:           w.Environment.ClientID,
	}
}

func (w *world) mustStore(c helper.Credential) {
	w.t.Helper()
	if err := w.Store(w.t.Context(), c); err != nil {
		w.t.Fatalf("store: %v", err)
	}
}

// reject reports c's token as refused. It need not be what is kept in the end.
func (w *world) reject(c helper.Credential) {
	w.t.Helper()
	q := w.query()
	q.Secret = c.Secret
	if err := w.Erase(w.t.Context(), q); err != nil && !errors.Is(err, helper.ErrNotFound) {
		w.t.Fatalf("reject: %v", err)
	}
}

func (w *world) query() helper.Query { return helper.Query{Origin: w.Environment.Origin()} }

func (w *world) mustGet() helper.Credential {
	w.t.Helper()
	c, err := w.Get(w.t.Context(), w.query())
	if err != nil {
		w.t.Fatalf("get: %v", err)
	}
	return c
}

func (w *world) mustMiss() {
	w.t.Helper()
	if c, err := w.Get(w.t.Context(), w.query()); !errors.Is(err, helper.ErrNotFound) {
		w.t.Fatalf("get finds %v, %v; want nothing", c.Username, err)
	}
}

// file returns cre.yaml, "" when there is none.
func (w *world) file() string {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, "cre.yaml"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Fatal(err)
	}
	return string(data)
}

// holdsTokens reports whether a cre.yaml holds any: a stand-in is none.
func holdsTokens(file string) bool {
	for line := range strings.Lines(file) {
		if strings.Contains(line, "Token") && !strings.HasPrefix(line, "AccessToken: "+plain.StandInPrefix) && line[0] != '#' {
			return true
		}
	}
	return false
}

func (w *world) writeFile(text string) {
	w.t.Helper()
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "cre.yaml"), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// officialFile is cre.yaml as the official CLI writes it.
func officialFile(c helper.Credential) string {
	return "AccessToken: " + c.Secret.Reveal() + "\nIDToken: " + c.IDToken.Reveal() +
		"\nRefreshToken: " + c.RefreshToken.Reveal() + "\nExpiresIn: 3600\nTokenType: Bearer\n"
}

// sheltered is cre.yaml as older versions left it when the keychain failed after
// a renewal.
func sheltered(c helper.Credential) string {
	return officialFile(c) + "Keychain:\n- " + c.Origin.String() + "\n"
}

// token is the n-th access token for an audience.
func token(audience string, n int, expiry time.Time) helper.Secret {
	return jwt(map[string]any{"aud": []string{audience}, "exp": expiry.Unix(), "sub": "auth0|1", "n": n})
}

// jwt is a token with a signature that nobody checks.
func jwt(claims map[string]any) helper.Secret {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return helper.NewSecret(encode([]byte(`{"alg":"RS256"}`)) + "." + encode(payload) + "." + encode([]byte("signature")))
}

// faultyKeychain is a keychain in memory that fails on demand.
type faultyKeychain struct {
	helper.Vault
	mu       sync.Mutex
	calls    int
	writes   int
	asks     bool   // for a password, at every reading
	forgets  bool   // what it says that it has stored
	fail     error  // of every operation
	failNext error  // of the next write alone
	keeps    error  // of every erase
	onGet    func() // once, before the next read
	killAt   int    // whoever makes the n-th call from now on, counted down; 0: nobody
}

// killed is what goes up the stack of a process that is killed. Its locks end with it.
type killed struct{}

func (k *faultyKeychain) called() (all int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.killAt--; k.killAt == 0 {
		panic(killed{})
	}
	return k.calls, k.fail
}

func (k *faultyKeychain) set(fail, failNext error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fail, k.failNext = fail, failNext
}

// Asks reports whether to read would ask for a password.
func (k *faultyKeychain) Asks(context.Context, helper.Origin) bool { return k.asks }

func (k *faultyKeychain) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	if _, err := k.called(); err != nil {
		return helper.Credential{}, err
	}
	k.mu.Lock()
	do := k.onGet
	k.onGet = nil
	k.mu.Unlock()
	if do != nil {
		do()
	}
	return k.Vault.Get(ctx, q)
}

func (k *faultyKeychain) Store(ctx context.Context, c helper.Credential) error {
	if err := k.writing(); err != nil || k.forgets {
		return err
	}
	return k.Vault.Store(ctx, c)
}

func (k *faultyKeychain) Swap(ctx context.Context, old, fresh helper.Credential) error {
	if err := k.writing(); err != nil {
		return err
	}
	return k.Vault.Swap(ctx, old, fresh)
}

func (k *faultyKeychain) All(ctx context.Context, q helper.Query) ([]helper.Credential, error) {
	if _, err := k.called(); err != nil {
		return nil, err
	}
	return k.Vault.All(ctx, q)
}

// Lock fails only where there is no keychain: one that is locked can't keep
// others out of it less well.
func (k *faultyKeychain) Lock(ctx context.Context) (context.Context, func() error, error) {
	if _, err := k.called(); errors.Is(err, keyring.ErrUnavailable) {
		return nil, nil, err
	}
	return k.Vault.Lock(ctx)
}

func (k *faultyKeychain) writing() error {
	if _, err := k.called(); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.failNext
	k.failNext = nil
	k.writes++
	return err
}

func (k *faultyKeychain) Erase(ctx context.Context, q helper.Query) error {
	if _, err := k.called(); err != nil {
		return err
	}
	if k.keeps != nil {
		return k.keeps
	}
	return k.Vault.Erase(ctx, q)
}

func (k *faultyKeychain) List(ctx context.Context) ([]helper.Credential, error) {
	if _, err := k.called(); err != nil {
		return nil, err
	}
	return k.Vault.List(ctx)
}

func (k *faultyKeychain) Check(ctx context.Context, o helper.Origin) error {
	if _, err := k.called(); err != nil {
		return err
	}
	return k.Vault.Check(ctx, o)
}

// countingProvider rotates refresh tokens named refresh-0, refresh-1, … and
// refuses every one but the last, as a provider with reuse detection does.
type countingProvider struct {
	world *world

	mu       sync.Mutex
	renewals int
	revoked  []string
	reused   bool
	fail     error
	hangs    bool          // when it is to revoke
	endpoint string        // the one that was last asked
	during   func()        // what happens while it is asked
	skew     time.Duration // its clock, compared with the world's
	lifetime time.Duration // of its tokens; 0: an hour
	answer   func(*helper.Credential)
}

func (p *countingProvider) Renew(_ context.Context, c helper.Credential) (helper.Credential, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endpoint = c.TokenEndpoint
	if p.during != nil {
		p.during()
	}
	if p.fail != nil {
		return helper.Credential{}, p.fail
	}
	if p.reused || c.RefreshToken.Reveal() != "refresh-"+strconv.Itoa(p.renewals) {
		p.reused = true
		return helper.Credential{}, session.ErrRefused
	}
	p.renewals++
	c.Issued = p.world.clock()
	c.Expiry = c.Issued.Add(cmp.Or(p.lifetime, time.Hour))
	c.Secret = token(p.world.Environment.Audience, p.renewals, c.Expiry.Add(p.skew))
	c.RefreshToken = helper.NewSecret("refresh-" + strconv.Itoa(p.renewals))
	if p.answer != nil {
		p.answer(&c)
	}
	return c, nil
}

func (p *countingProvider) Revoke(ctx context.Context, c helper.Credential) error {
	if p.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	p.revoked = append(p.revoked, c.RefreshToken.Reveal())
	return nil
}

var (
	errLocked      = keyring.ErrLocked
	errUnavailable = keyring.ErrUnavailable
)
