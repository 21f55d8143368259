package official

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// refresh renews the session and writes it over cre.yaml, without a lock: of two
// at the same time, one uses a refresh token that was used.
func (p *program) refresh(ctx context.Context) error {
	if p.session.tokens.RefreshToken == "" {
		return errors.New("no refresh token available")
	}
	fresh, err := p.askProvider(ctx, url.Values{
		"grant_type":    {"refresh_token"},
		"client_id":     {p.place.clientID},
		"refresh_token": {p.session.tokens.RefreshToken},
	})
	if err != nil {
		return err
	}
	if fresh.RefreshToken == "" {
		fresh.RefreshToken = p.session.tokens.RefreshToken
	}
	p.session.tokens = fresh
	return p.saveTokens(fresh)
}

// askProvider sends a form to the token endpoint.
func (p *program) askProvider(ctx context.Context, form url.Values) (tokens, error) {
	answer, err := p.postForm(ctx, "/oauth/token", form)
	if err != nil {
		return tokens{}, err
	}
	switch {
	case answer.status == http.StatusUnauthorized:
		return tokens{}, errors.New("you have been logged out, run cre login and try again")
	case answer.status != http.StatusOK:
		return tokens{}, fmt.Errorf("auth response: %d %s", answer.status, http.StatusText(answer.status))
	}
	var t tokens
	if err := json.Unmarshal(answer.body, &t); err != nil {
		return tokens{}, fmt.Errorf("decoding the auth response: %w", err)
	}
	return t, nil
}

func (p *program) postForm(ctx context.Context, path string, form url.Values) (reply, error) {
	target := strings.TrimSuffix(p.place.authBase, "/") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.client.do(req)
}
