package simulation

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// Program is what a process runs.
type Program string

// The programs of this world.
const (
	get     Program = "get"
	net     Program = "net" // cre-credential-net, which a get starts
	reject  Program = "reject"
	check   Program = "check"
	approve Program = "approve" // git stores what it was handed
	login   Program = "login"   // ours: check, browser, store
	logout  Program = "logout"  // ours: erase
	command Program = "command" // the official CLI, through ours
	use     Program = "use"     // of an account
	move    Program = "move"    // to where the session isn't

	theirsIn     Program = "official login"
	theirsOut    Program = "official logout"
	theirsRenews Program = "official command"
	removesAll   Program = "rm -rf ~/.cre"
)

// isTheirs reports whether it is none of our programs.
func (p *Process) isTheirs() bool {
	return slices.Contains([]Program{theirsIn, theirsOut, theirsRenews, removesAll}, p.part.Program)
}

func (p *Process) run() {
	keeper := p.keeper()
	query := helper.Query{Origin: p.world.env.Origin()}
	ctx := p.ctx
	defer p.leave()
	switch p.part.Program {
	case get, command:
		p.get(context.Background(), keeper, query)
	case net:
		p.renew(ctx, keeper, query)
	case reject:
		p.reject(ctx, keeper, query)
	case check:
		p.result(keeper.Check(ctx, query.Origin))
	case approve:
		p.approve(ctx, keeper, query)
	case login:
		p.logIn(ctx, keeper)
	case logout:
		p.logOut(ctx, keeper, query)
	case use:
		p.result(keeper.Use(ctx, query.Origin, p.part.Account))
	case move:
		p.move(ctx, keeper, query.Origin)
	default:
		p.runTheirs()
	}
}

// keeper is what a program makes when it starts.
func (p *Process) keeper() *session.Keeper {
	w := p.world
	account := p.part.Account
	if p.part.Program != get && p.part.Program != net {
		account = ""
	}
	keychain := keyring.New(keyring.Options{
		Limit:   w.plan.Limit,
		Timeout: 5*time.Second + time.Duration(p.rand.IntN(1000)), // so that no two end at once
		Backend: &connection{p},
	})
	return &session.Keeper{
		Environment: w.env,
		Places:      p.places(vault{keychain, p}).For(account, false),
		Provider:    client{p},
		Revoker:     client{p},
		Renewer:     starter{p},
		Now:         time.Now,
		Notify:      p.notify,
	}
}

func (p *Process) places(kept helper.Vault) *session.Places {
	w := p.world
	if w.plan.Mode != elsewhere {
		return session.NewPlaces(w.env, w.plan.Mode, p.files(), kept, time.Now, p.notify)
	}
	none := keyring.New(keyring.Options{Backend: noKeychain{}})
	return session.NewPlaces(w.env, w.plan.Mode, p.files(), none, time.Now, p.notify).
		Beside(func(place session.Place) (helper.Vault, error) {
			if place != reading.InKernel {
				return nil, reading.UnknownStore(place)
			}
			return kept, nil
		})
}

// noKeychain is the keychain of a machine that has none.
type noKeychain struct{}

func (noKeychain) Get(string, string) (string, error) { return "", keyring.ErrUnavailable }
func (noKeychain) Set(string, string, string) error   { return keyring.ErrUnavailable }
func (noKeychain) Delete(string, string) error        { return keyring.ErrUnavailable }

func (p *Process) notify(line string) {
	p.world.hold()
	defer p.world.leave()
	p.notices = append(p.notices, line)
	p.world.note(p.name, "says: %s", strings.ReplaceAll(line, p.home.dir, "~"))
}

// words are those of an error, without what may differ from one telling to the
// next: the folder's name, and which of several calls was the one to notice
// that all was cancelled.
func (p *Process) words(err error) string {
	if errors.Is(err, context.Canceled) {
		return "cancelled"
	}
	return strings.ReplaceAll(err.Error(), p.home.dir, "~")
}

// said reports whether p has told its person something. The world is held.
func (p *Process) said(what string) bool {
	return strings.Contains(strings.Join(p.notices, "\n"), what)
}

// result judges how a program ends.
func (p *Process) result(err error) {
	p.world.hold()
	defer p.world.leave()
	if p.isGone() {
		return
	}
	if err == nil {
		p.world.note(p.name, "succeeds")
		return
	}
	p.world.note(p.name, "fails: %s", p.words(err))
	p.world.judgeError(p, err)
}

func (p *Process) get(ctx context.Context, keeper *session.Keeper, query helper.Query) {
	c, err := keeper.Get(ctx, query)
	p.result(err)
	if err != nil {
		return
	}
	p.world.hold()
	p.world.judgeToken(p, c)
	p.world.leave()
	if p.part.Program == command {
		p.command(c)
	}
}

// reject reports a token as refused that was handed out once.
func (p *Process) reject(ctx context.Context, keeper *session.Keeper, query helper.Query) {
	leave := p.step("looks which token was refused")
	g := p.anyHanded()
	if g == nil {
		leave()
		return
	}
	query.Secret = helper.NewSecret(g.access)
	if p.isConfused() {
		query.Secret = helper.NewSecret(p.home.seen.standIn)
	} else {
		g.rejected = true
		p.world.note(p.name, "rejects %s", g)
	}
	leave()
	p.result(keeper.Erase(ctx, query))
}

// approve is git, which stores again whatever has worked.
func (p *Process) approve(ctx context.Context, keeper *session.Keeper, query helper.Query) {
	leave := p.step("looks which token has worked")
	g := p.anyHanded()
	if g == nil {
		leave()
		return
	}
	secret := helper.NewSecret(g.access)
	if p.isConfused() {
		secret = helper.NewSecret(p.home.seen.standIn)
	}
	leave()
	p.result(keeper.Store(ctx, helper.Credential{
		Origin: query.Origin, Username: g.family.person, Secret: secret, AuthType: helper.AuthBearer,
	}))
}

// isConfused decides whether p takes the stand-in in cre.yaml for its token. The
// world is held.
func (p *Process) isConfused() bool {
	p.confused = p.rand.IntN(4) == 0 && p.home.seen.standIn != ""
	if p.confused {
		p.world.note(p.name, "takes the stand-in for a token")
	}
	return p.confused
}

// anyHanded is mostly the last one.
func (p *Process) anyHanded() *grant {
	all := p.home.handed
	if len(all) == 0 {
		return nil
	}
	if p.rand.IntN(3) > 0 {
		return all[len(all)-1]
	}
	return all[p.rand.IntN(len(all))]
}

// logIn is cre login: nobody is sent to a browser when the check fails.
func (p *Process) logIn(ctx context.Context, keeper *session.Keeper) {
	if err := keeper.Check(ctx, p.world.env.Origin()); err != nil {
		p.result(err)
		return
	}
	time.Sleep(p.someTime(50*time.Millisecond, pick(p.rand, time.Second, 10*time.Second, 30*time.Second)))
	leave := p.step("logs in, in the browser")
	p.own = p.world.provider.admit(p.name, cmp.Or(p.part.Account, email), false)
	began := time.Now()
	p.own.last().knownIssued = time.Time{} // the protocol has no word for it
	c := p.world.credential(p.own.last())
	leave()
	err := keeper.Store(ctx, c)
	p.result(err)
	p.world.hold()
	defer p.world.leave()
	p.own.failed = err != nil
	if err == nil && !p.home.was(began, p.own) && !p.wasReplaced() {
		p.world.fault(trueError, "%s is done, and home %d never had %s", p.name, p.home.number, p.own)
	}
	if err == nil {
		p.home.handed = append(p.home.handed, p.own.last())
		p.world.judgeReplaced(p)
	}
}

// wasReplaced reports whether another home's login has taken the place in the
// keychain that p's had, before p's home pointed there.
func (p *Process) wasReplaced() bool {
	g := p.world.grantOf(find(p.world.keychain.kept, p.own.person))
	return g != nil && !p.own.kept.IsZero() && g.family.kept.After(p.own.kept)
}

func (p *Process) someTime(from, to time.Duration) time.Duration {
	p.world.hold()
	defer p.world.leave()
	return time.Until(p.world.moment(p.rand, from, to))
}

// move is cre session move.
func (p *Process) move(ctx context.Context, keeper *session.Keeper, o helper.Origin) {
	leave := p.step("looks where the session is")
	to := helper.PlaceFile
	halfWay := p.home.seen.pointer && p.rand.IntN(2) == 0 // which either direction settles
	if !p.home.seen.kept.isZero() && !halfWay {
		to = p.world.plan.Mode.Place()
		if to == helper.PlaceFile {
			to = helper.PlaceKeychain
		}
	}
	leave()
	p.result(keeper.Move(ctx, o, to))
}

// logOut is cre logout.
func (p *Process) logOut(ctx context.Context, keeper *session.Keeper, query helper.Query) {
	err := keeper.Erase(ctx, query)
	p.result(err)
	p.world.hold()
	defer p.world.leave()
	if err == nil {
		p.world.judgeLogout(p)
	}
}
