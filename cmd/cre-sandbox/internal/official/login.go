package official

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/agent"

	"github.com/spf13/cobra"
	"golang.org/x/oauth2"
	"gopkg.in/yaml.v2"
)

// callbackAddress is where every browser flow ends: a login's and the vault's.
const (
	callbackAddress = "localhost:53682"
	redirectURI     = "http://" + callbackAddress + "/callback"
	loginTime       = 500 * time.Second
)

func (p *program) runLogin(ctx context.Context, _ *cobra.Command, _ []string) error {
	return p.login(ctx)
}

// login writes plain tokens over cre.yaml and fetches the tenant's context. If
// that fails, so does the login, with the session already saved.
func (p *program) login(ctx context.Context) error {
	t, err := p.obtainTokens(ctx)
	if err != nil {
		return err
	}
	if err := p.saveTokens(t); err != nil {
		return err
	}
	p.session = &credentials{tokens: t}
	if err := p.fetchTenant(ctx); err != nil {
		return fmt.Errorf("failed to load user context: %w", err)
	}
	p.say("Login completed successfully\n\nNext steps:\n  cre init\n  cre whoami")
	return nil
}

// obtainTokens takes those that a test has ready, else it lets the sandbox's user
// agent log in as a person would.
func (p *program) obtainTokens(ctx context.Context) (t tokens, err error) {
	if ready := newEnviron(p.Env).get(VarSession); ready != "" {
		data, err := os.ReadFile(ready)
		if err != nil {
			return tokens{}, err
		}
		return t, yaml.Unmarshal(data, &t)
	}
	verifier, state := oauth2.GenerateVerifier(), rand.Text()
	target := strings.TrimSuffix(p.place.authBase, "/") + "/authorize?" + url.Values{
		"client_id":             {p.place.clientID},
		"redirect_uri":          {redirectURI},
		"response_type":         {"code"},
		"scope":                 {"openid profile email offline_access"},
		"audience":              {p.place.audience},
		"code_challenge":        {oauth2.S256ChallengeFromVerifier(verifier)},
		"code_challenge_method": {"S256"},
		"state":                 {state},
	}.Encode()
	code, err := p.browse(ctx, target, state)
	if err != nil {
		return tokens{}, err
	}
	return p.askProvider(ctx, url.Values{
		"grant_type":    {"authorization_code"},
		"client_id":     {p.place.clientID},
		"code":          {code},
		"redirect_uri":  {redirectURI},
		"code_verifier": {verifier},
	})
}

// browse listens at the fixed address, sends the user agent to target, and
// returns the code that came back.
func (p *program) browse(ctx context.Context, target, state string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, loginTime)
	defer cancel()
	came, stop, err := listenForCallback(ctx)
	if err != nil {
		return "", err
	}
	defer stop()
	fmt.Fprintf(p.Stderr, "Opening browser to %s\n", target)
	if _, err := agent.Browse(ctx, target, agent.Options{Password: "any"}); err != nil {
		return "", err
	}
	select {
	case back := <-came:
		if back.Get("state") != state || back.Get("code") == "" {
			return "", errors.New("the browser came back without a code")
		}
		return back.Get("code"), nil
	default:
		return "", errors.New("the browser did not come back")
	}
}

// listenForCallback takes the first request's parameters, before it is answered.
func listenForCallback(ctx context.Context) (<-chan url.Values, func(), error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", callbackAddress)
	if err != nil {
		return nil, nil, fmt.Errorf("starting the callback server: %w", err)
	}
	came := make(chan url.Values, 1)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case came <- r.URL.Query():
		default:
		}
		fmt.Fprintln(w, "<title>Login successful</title>")
	})}
	go func() { _ = server.Serve(listener) }()
	return came, func() { _ = server.Close() }, nil
}

// runLogout overwrites cre.yaml with zeros and removes it. With a key, and
// without a session, it does nothing; it says nothing of a revocation that fails.
func (p *program) runLogout(ctx context.Context, _ *cobra.Command, _ []string) error {
	session, err := p.loadCredentials()
	if err != nil || session.apiKey != "" {
		p.warn("You are not logged in")
		return nil
	}
	if session.tokens.RefreshToken != "" {
		_, _ = p.postForm(ctx, "/oauth/revoke", url.Values{"token": {session.tokens.RefreshToken}, "client_id": {p.place.clientID}})
	}
	if err := wipe(filepath.Join(p.folder(), "cre.yaml")); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(p.folder(), "context.yaml")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	p.say("Logged out successfully")
	return nil
}

func wipe(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(make([]byte, info.Size()), 0)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Remove(path)
}
