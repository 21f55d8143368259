package fleet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/helper"
)

// provider rotates refresh tokens, and ends a session of which one is used twice. It is
// guarded by the world.
type provider struct {
	world     *World
	login     int // how many there have been
	n         int // of the last token of that login
	revoked   bool
	loggedOut bool // or about to be
	expires   time.Time
	renewals  int

	unsaved *process  // who has a new token that isn't saved yet
	since   time.Time // it has it
	excuse  string    // why the session may be lost
}

func newProvider(w *World) *provider { return &provider{world: w} }

func (p *provider) refresh() string {
	if p.revoked {
		return ""
	}
	return fmt.Sprintf("refresh-%d-%d", p.login, p.n)
}

func (p *provider) access() string { return strings.Replace(p.refresh(), "refresh", "access", 1) }

// begin starts a new session.
func (p *provider) begin() {
	p.login, p.n, p.revoked, p.excuse, p.unsaved = p.login+1, 0, false, "", nil
	p.expires = time.Now().Add(lifetime)
}

// saved learns what the server keeps now.
func (p *provider) saved(k kept) {
	if k.refresh != "" && k.refresh == p.refresh() {
		p.unsaved = nil
	}
}

// troubled is why who has the new token may not have saved it.
func (p *provider) troubled() string {
	switch holder := p.unsaved; {
	case holder == nil:
		return ""
	case holder.isGone():
		return "its holder died"
	case holder.machine.sleptUntil.After(p.since):
		return "its holder slept"
	case holder.machine.cutUntil.After(p.since), p.world.server.leaderless.After(p.since):
		return "its holder was cut off"
	}
	return ""
}

// credential is the session at this moment, by a machine's clock.
func (p *provider) credential(m *machine) helper.Credential {
	return helper.Credential{
		Origin: p.world.env.Origin(), Username: "ann@example.com", AuthType: helper.AuthBearer,
		Secret: helper.NewSecret(p.access()), RefreshToken: helper.NewSecret(p.refresh()),
		Expiry: p.expires.Add(m.skew), Issued: p.expires.Add(m.skew - lifetime),
		TokenEndpoint: "https://provider/token", RevocationEndpoint: "https://provider/revoke", ClientID: "client",
	}
}

// Renew implements [session.Provider].
func (p *process) Renew(ctx context.Context, old helper.Credential) (helper.Credential, error) {
	w := p.machine.world
	p.step("connects to the provider")()
	leave := p.step("is about to send " + old.RefreshToken.Reveal())
	if err := session.LastLook(ctx); err != nil {
		leave()
		return helper.Credential{}, fmt.Errorf("%w: %w", session.ErrProvider, err)
	}
	fresh, err := w.provider.exchange(p, old)
	lost := w.chance(60)
	if lost && err == nil {
		w.provider.excuse = "the provider's answer was lost"
	}
	answered := w.own(time.Duration(50+w.rand.IntN(2000)) * time.Millisecond)
	leave()
	time.Sleep(time.Until(answered))
	p.step("has the provider's answer")()
	if lost {
		return helper.Credential{}, session.ErrProvider
	}
	return fresh, err
}

func (p *provider) exchange(by *process, old helper.Credential) (helper.Credential, error) {
	sent := old.RefreshToken.Reveal()
	if sent != p.refresh() {
		trouble := p.troubled()
		switch {
		case p.excuse != "" || p.revoked || !strings.HasPrefix(sent, fmt.Sprintf("refresh-%d-", p.login)): // an earlier login's
		case trouble != "":
			p.excuse = trouble
		default:
			p.world.fault("%s sends %s, which is spent: %s is good", by.name, sent, p.refresh())
		}
		p.world.note("the provider", "refuses %s", sent)
		if strings.HasPrefix(sent, fmt.Sprintf("refresh-%d-", p.login)) {
			p.revoked = true
		}
		return helper.Credential{}, session.ErrRefused
	}
	if left := time.Until(p.expires); left > 70*time.Second {
		p.world.fault("%s renews a token that is good for %v", by.name, left)
	}
	p.renewals++
	p.n++
	p.expires = time.Now().Add(lifetime)
	p.unsaved, p.since = by, time.Now()
	p.world.note("the provider", "gives %s the token %s", by.name, p.refresh())
	return p.credential(by.machine), nil
}

// Revoke implements [session.Revoker]. It runs in a goroutine of its own.
func (p *process) Revoke(_ context.Context, c helper.Credential) error {
	defer letGo()
	leave := p.step("revokes " + c.RefreshToken.Reveal())
	defer leave()
	if provider := p.machine.world.provider; strings.HasPrefix(c.RefreshToken.Reveal(), fmt.Sprintf("refresh-%d-", provider.login)) {
		provider.revoked = true
	}
	return nil
}
