package grant

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
)

const session, other = "https://api.cre.chain.link", "https://example.com"

// vault answers what it holds.
type vault struct {
	all   []helper.Credential
	asked []helper.Query
	err   error
	meet  func() // is called during a get; may be nil
}

func (v *vault) Get(_ context.Context, q helper.Query) (helper.Credential, error) {
	v.asked = append(v.asked, q)
	if v.meet != nil {
		v.meet()
	}
	if v.err != nil {
		return helper.Credential{}, v.err
	}
	for _, c := range v.all {
		q.PasswordOnly = false // as for a session
		if q.Matches(c) {
			return c, nil
		}
	}
	return helper.Credential{}, helper.ErrNotFound
}

func origin(t *testing.T, url string) helper.Origin {
	t.Helper()
	o, err := helper.ParseOrigin(url)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

type world struct {
	t     *testing.T
	vault *vault
	grant *Grant
	clock time.Time
	uses  []Use
}

func newWorld(t *testing.T, change func(*Policy)) *world {
	t.Helper()
	w := &world{t: t, clock: time.Now(), vault: &vault{}}
	w.vault.all = []helper.Credential{{
		Origin: origin(t, session), Username: "email@domain.com", Secret: helper.NewSecret("access"), AuthType: helper.AuthBearer,
		Expiry: w.clock.Add(time.Hour), RefreshToken: helper.NewSecret("refresh"), IDToken: helper.NewSecret("identity"),
		TokenEndpoint: "https://login.chain.link/oauth/token",
	}, {
		Origin: origin(t, other), Username: "someone", Secret: helper.NewSecret("password"), RefreshToken: helper.NewSecret("theirs"),
	}, {
		Origin: origin(t, other), Username: "registry", Secret: helper.NewSecret("for docker"), ServerURL: other,
	}}
	p := Policy{Name: "box", Session: origin(t, session), Origins: []helper.Origin{origin(t, session)}, For: 8 * time.Hour}
	if change != nil {
		change(&p)
	}
	w.grant = New(p, w.vault, func(u Use) { w.uses = append(w.uses, u) }, func() time.Time { return w.clock })
	return w
}

func (w *world) ask(question string) Reply {
	w.t.Helper()
	return w.grant.Answer(context.Background(), Peer{UID: 1000, PID: 7, Program: "git"}, strings.NewReader(question))
}

const inGit = "get\ncapability[]=authtype\nprotocol=https\nhost=api.cre.chain.link\n\n"

func TestAGrantAnswersAnAccessTokenInEveryForm(t *testing.T) {
	w := newWorld(t, func(p *Policy) { p.Origins = append(p.Origins, origin(t, other)) })
	for name, c := range map[string]struct{ question, want string }{
		"git":               {inGit, "authtype=Bearer\ncredential=access\nusername=email@domain.com\npassword_expiry_utc="},
		"git, kept nowhere": {inGit, "\nephemeral=1\n"},
		"git, by password":  {"get\nprotocol=https\nhost=api.cre.chain.link\n\n", "username=email@domain.com\npassword=access\npassword_expiry_utc="},
		"nothing":           {"get\n", "username=email@domain.com\npassword=access\n"},
		"docker, by host":   {"get\nexample.com", `"Username":"registry","Secret":"for docker"`},
		"Bazel":             {"get\n" + `{"uri":"https://api.cre.chain.link/graphql"}`, `{"headers":{"Authorization":["Bearer access"]},"expires":"`},
		"another host":      {"get\nprotocol=https\nhost=example.com\npath=a/b\n\n", ""},
		"its own refresh":   {"get\ncapability[]=authtype\nprotocol=https\nhost=example.com\n\n", "capability[]=authtype\nusername=someone\npassword=password\nephemeral=1\n"},
	} {
		r := w.ask(c.question)
		if r.Status != 0 || !strings.Contains(string(r.Answer), c.want) {
			t.Errorf("%s: %+v", name, r)
		}
		for _, secret := range []string{"refresh", "identity", "theirs"} {
			if strings.Contains(string(r.Answer), secret) || strings.Contains(r.Message, secret) {
				t.Errorf("%s: what a session is renewed with was answered: %q", name, r.Answer)
			}
		}
	}
}

func TestWhatIsNotGrantedIsRefusedByName(t *testing.T) {
	for name, c := range map[string]struct {
		change         func(*Policy)
		question, want string
		status         int
	}{
		"another host":         {nil, "get\nprotocol=https\nhost=example.com\n\n", `the grant "box" is for ` + session + ", not for " + other, 0},
		"another host's path":  {nil, "get\nhttps://example.com/a", "not for https://example.com:", 1},
		"another protocol":     {nil, "get\nprotocol=http\nhost=api.cre.chain.link\n\n", "not for http://api.cre.chain.link", 0},
		"another port":         {nil, "get\nprotocol=https\nhost=api.cre.chain.link:444\n\n", "not for https://api.cre.chain.link:444", 0},
		"a path that isn't it": {func(p *Policy) { p.Origins = []helper.Origin{origin(t, other+"/a")} }, "get\nprotocol=https\nhost=example.com\npath=b\n\n", "not for https://example.com/b", 0},
		"the CRE session":      {func(p *Policy) { p.Origins = []helper.Origin{origin(t, other)} }, inGit, "not for " + session, 0},
		"another account":      {func(p *Policy) { p.Account = "email@domain.com" }, "get\nprotocol=https\nhost=api.cre.chain.link\nusername=boss@domain.com\n\n", `another account than "boss@domain.com"`, 0},
		"store":                {nil, "store\nprotocol=https\nhost=api.cre.chain.link\nusername=a\npassword=b\n\n", `doesn't do "store"`, 2},
		"erase":                {nil, "erase\nprotocol=https\nhost=api.cre.chain.link\n\n", `do "erase"`, 2},
		"list":                 {nil, "list\n", `do "list"`, 2},
		"describe":             {nil, "describe\n\n", `do "describe"`, 2},
		"move":                 {nil, "move\nstore=file\n\n", `do "move"`, 2},
		"an escape":            {nil, "\x1b[2J\n", `do "[2J"`, 2},
		"no operation":         {nil, "\nprotocol=https\n", `do ""`, 2},
		"no line":              {nil, strings.Repeat("get", 1000), "the first line is the operation", 2},
		"no request":           {nil, "get\nprotocol=https\n\n", "the host is missing", 2},
		"too much":             {nil, "get\n" + strings.Repeat("a", 2<<20), "longer than", 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.change)
			r := w.ask(c.question)
			if r.Status != c.status || !strings.Contains(r.Message, c.want) || strings.Contains(string(r.Answer), "access") || strings.Contains(string(r.Answer), "password=") {
				t.Errorf("%+v", r)
			}
			if len(w.vault.asked) != 0 {
				t.Errorf("the vault was asked %+v", w.vault.asked)
			}
			if len(w.uses) != 1 || w.uses[0].Refused == "" || w.grant.State().Used != 0 {
				t.Errorf("%+v", w.uses)
			}
		})
	}
}

func TestALookIsNoUse(t *testing.T) {
	w := newWorld(t, nil)
	if r := w.ask(""); r.Status != 2 || len(r.Answer) != 0 || len(w.uses) != 0 {
		t.Errorf("%+v, %+v", r, w.uses)
	}
}

func TestAnAPIKeyIsNeverGranted(t *testing.T) {
	w := newWorld(t, nil)
	w.vault.all = []helper.Credential{{Origin: origin(t, session), Username: "apikey", Secret: helper.NewSecret("key"), AuthType: helper.AuthAPIKey}}
	for _, question := range []string{inGit, "get\n"} {
		if r := w.ask(question); strings.Contains(string(r.Answer), "key\n") || !strings.Contains(r.Message, "it has no end") {
			t.Errorf("%+v", r)
		}
	}
}

func TestOnlyTheAccountThatWasThereIsAnswered(t *testing.T) {
	w := newWorld(t, func(p *Policy) { p.Account = "email@domain.com" })
	newer := w.vault.all[0]
	newer.Username, newer.Secret = "boss@domain.com", helper.NewSecret("another")
	w.vault.all = append([]helper.Credential{newer}, w.vault.all...)
	if r := w.ask(inGit); !strings.Contains(string(r.Answer), "credential=access\n") {
		t.Errorf("%+v", r)
	}
}

func TestAGrantEndsByItsTimeByWhicheverClockIsFirst(t *testing.T) {
	for name, move := range map[string]func(*world){
		"time passes":       func(w *world) { w.clock = w.clock.Add(8 * time.Hour) },
		"the machine slept": func(w *world) { w.clock = w.clock.Round(0).Add(8 * time.Hour) }, // the wall's clock alone
		"it is set forward": func(w *world) { w.clock = w.clock.Round(0).Add(240 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			if r := w.ask(inGit); len(r.Answer) == 0 {
				t.Fatalf("%+v", r)
			}
			move(w)
			if r := w.ask(inGit); len(r.Answer) != 0 || !strings.Contains(r.Message, `the time of the grant "box" is over`) || w.grant.State().Over == "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestAClockThatIsSetBackGivesAGrantNoMoreTime(t *testing.T) {
	w := newWorld(t, func(p *Policy) { p.For = time.Millisecond })
	w.grant.now = func() time.Time { return time.Now() } // whose monotonic part can't be set
	w.grant.since = time.Now().Add(24 * time.Hour).Add(-24*time.Hour - 2*time.Millisecond)
	if err := w.grant.Over(); err == nil {
		t.Error("it goes on")
	}
}

func TestWhatEndsInTheMiddleOfAQuestionAnswersNothing(t *testing.T) {
	for name, end := range map[string]func(*world){
		"time":       func(w *world) { w.clock = w.clock.Add(8 * time.Hour) },
		"revocation": func(w *world) { w.grant.Revoke() },
	} {
		t.Run(name, func(t *testing.T) {
			for _, err := range []error{nil, context.Canceled} {
				w := newWorld(t, nil)
				w.vault.meet, w.vault.err = func() { end(w) }, err
				r := w.ask(inGit)
				if len(r.Answer) != 0 || !strings.Contains(r.Message, "start another one") || w.grant.State().Used != 0 {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// TestAGrantIsForTheFirstAccountThatAnswers where it was started for none.
func TestAGrantIsForTheFirstAccountThatAnswers(t *testing.T) {
	w := newWorld(t, func(p *Policy) { p.Origins = append(p.Origins, origin(t, other)) })
	another := w.vault.all[0]
	another.Username, another.Secret = "another@domain.com", helper.NewSecret("theirs")
	w.ask("get\nprotocol=https\nhost=example.com\n\n") // no session's account
	if r := w.ask(inGit); !strings.Contains(string(r.Answer), "credential=access") {
		t.Fatalf("%+v", r)
	}
	w.vault.all = append([]helper.Credential{another}, w.vault.all...) // logged in meanwhile
	if r := w.ask(inGit); !strings.Contains(string(r.Answer), "credential=access") {
		t.Errorf("%+v", r)
	}
	if r := w.ask("get\nprotocol=https\nhost=api.cre.chain.link\nusername=another@domain.com\n\n"); len(r.Answer) != 0 || !strings.Contains(r.Message, "for another account") {
		t.Errorf("%+v", r)
	}
	w.vault.all = w.vault.all[:1]
	if r := w.ask(inGit); len(r.Answer) != 0 {
		t.Errorf("after the first has logged out: %+v", r)
	}
}

func TestACountedGrantGivesNoMoreAnswersThanThat(t *testing.T) {
	w := newWorld(t, func(p *Policy) { p.Count = 2 })
	w.ask("get\nprotocol=https\nhost=example.com\n\n") // is none
	for i := range 4 {
		r := w.ask(inGit)
		if got, want := len(r.Answer) > 0, i < 2; got != want {
			t.Errorf("answer %d: %+v", i, r)
		}
	}
	if s := w.grant.State(); s.Used != 2 || s.Last.Origin != session || s.Tokens.IsZero() {
		t.Errorf("%+v", s)
	}
}

func TestAUseThatIsNotConfirmedIsNone(t *testing.T) {
	answer := errors.New("no")
	asked := 0
	w := newWorld(t, func(p *Policy) {
		p.Confirm = func(_ context.Context, u Use) error {
			if asked++; u.Peer.PID != 7 || u.Origin != session {
				t.Errorf("asked for %v, %v", u.Peer, u.Origin)
			}
			return answer
		}
	})
	if r := w.ask(inGit); len(r.Answer) != 0 || len(w.vault.asked) != 0 || r.Status == 0 {
		t.Errorf("%+v", r)
	}
	answer = nil
	if r := w.ask(inGit); len(r.Answer) == 0 || asked != 2 {
		t.Errorf("%+v, asked %d times", r, asked)
	}
	w.ask("get\nprotocol=https\nhost=example.com\n\n")
	if asked != 2 {
		t.Error("somebody was asked about what isn't granted")
	}
}

func TestWhatTheVaultFailsWithIsSaid(t *testing.T) {
	w := newWorld(t, nil)
	w.vault.err = helper.ErrBusy
	if r := w.ask(inGit); r.Status != 6 || r.Message != "busy" {
		t.Errorf("%+v", r)
	}
}
