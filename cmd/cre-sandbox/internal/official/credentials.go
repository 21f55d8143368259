package official

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/yaml.v2"
)

// credentials are what requests are sent with: a key, or a session.
type credentials struct {
	apiKey string
	tokens tokens
}

// tokens are the five keys of cre.yaml, and the token endpoint's answer.
type tokens struct {
	AccessToken  string `yaml:"AccessToken" json:"access_token"`
	IDToken      string `yaml:"IDToken" json:"id_token"`
	RefreshToken string `yaml:"RefreshToken" json:"refresh_token"`
	ExpiresIn    int    `yaml:"ExpiresIn" json:"expires_in"`
	TokenType    string `yaml:"TokenType" json:"token_type"`
}

var (
	errNotLoggedIn = errors.New("failed to attach credentials: you are not logged in, run cre login and try again")
	errValidation  = errors.New("credential validation failed")
)

// dueBefore is how much of an access token's life must be left.
const dueBefore = 60 * time.Second

// loadCredentials reads CRE_API_KEY, else cre.yaml. Whatever makes the file
// unreadable means that nobody is logged in; one that is no YAML is an error.
func (p *program) loadCredentials() (*credentials, error) {
	if apiKey := p.env.get("CRE_API_KEY"); apiKey != "" {
		return &credentials{apiKey: apiKey}, nil
	}
	data, err := os.ReadFile(filepath.Join(p.folder(), "cre.yaml"))
	if err != nil {
		return nil, errNotLoggedIn
	}
	c := &credentials{}
	if err := yaml.Unmarshal(data, &c.tokens); err != nil {
		return nil, fmt.Errorf("failed to attach credentials: %w", err)
	}
	if c.tokens.AccessToken == "" {
		return nil, errNotLoggedIn
	}
	return c, nil
}

// saveTokens writes cre.yaml: five keys, and nothing of what was there before.
func (p *program) saveTokens(t tokens) error {
	data, err := yaml.Marshal(t)
	if err != nil {
		return err
	}
	return p.keep("cre.yaml", data)
}

func (c *credentials) header() string {
	if c.apiKey != "" {
		return "Apikey " + c.apiKey
	}
	return "Bearer " + c.tokens.AccessToken
}

// claims decodes the access token's payload. No signature is looked at.
func (c *credentials) claims() (all map[string]any, err error) {
	parts := strings.Split(c.tokens.AccessToken, ".")
	if len(parts) < 2 {
		return nil, errors.New("invalid JWT token format")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(payload, &all)
	}
	return all, err
}

// deployAccess is taken for granted with a key.
func (c *credentials) deployAccess() (bool, error) {
	if c.apiKey != "" {
		return true, nil
	}
	all, err := c.claims()
	for name, value := range all {
		if strings.HasSuffix(name, "organization_status") {
			return value == "FULL_ACCESS", nil
		}
	}
	return false, err
}

// checkValidity renews a session that has a minute left or less.
func (p *program) checkValidity(ctx context.Context) error {
	if p.session.apiKey != "" {
		return nil
	}
	all, err := p.session.claims()
	if err != nil {
		return fmt.Errorf("token validity check failed: %w", err)
	}
	if p.verbose {
		text, _ := json.Marshal(all) // it came out of JSON
		fmt.Fprintf(p.Stderr, "DBG JWT claims decoded claims=%s\n", text)
	}
	exp, ok := all["exp"].(float64)
	if !ok {
		return errors.New("token validity check failed: no expiry in the token")
	}
	if time.Until(time.Unix(int64(exp), 0)) > dueBefore {
		return nil
	}
	if err := p.refresh(ctx); err != nil {
		return fmt.Errorf("token validity check failed: %w", err)
	}
	return nil
}
