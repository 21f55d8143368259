package exchange

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/helper"
)

func inParallel(n int, f func()) {
	var all sync.WaitGroup
	for range n {
		all.Go(f)
	}
	all.Wait()
}

func TestAThousandRequestsShareOneQuestion(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long under load")
	}
	b := &bank{}
	w := begin(t, b, says(200, `{"data":{}}`))
	inParallel(1000, func() {
		if status, all := w.post(t, "{}"); status != 200 {
			t.Errorf("got %d %s", status, all)
		}
	})
	if gets, _ := b.counts(); gets != 1 {
		t.Errorf("the helper was asked %d times", gets)
	}
}

func TestATokenWithASecondLeftIsUsedAndNotKept(t *testing.T) {
	b := &bank{lifetime: time.Second}
	w := begin(t, b, says(200, `{"data":{}}`))
	for range 3 {
		if status, all := w.post(t, "{}"); status != 200 || !strings.HasSuffix(all, `{"data":{}}`) {
			t.Errorf("got %d %s", status, all)
		}
	}
	if gets, _ := b.counts(); gets < 3 {
		t.Errorf("the helper was asked %d times", gets)
	}
}

func TestOneCommandWorksForOneAccount(t *testing.T) {
	b := &bank{lifetime: time.Second} // asked for each request
	b.account.Store("one@domain.com")
	w := begin(t, b, says(200, `{"data":{}}`))
	if _, all := w.post(t, "{}"); !strings.HasSuffix(all, `{"data":{}}`) {
		t.Errorf("got %s", all)
	}
	b.account.Store("two@domain.com")
	if _, all := w.post(t, "{}"); !strings.Contains(all, "another account is used now") {
		t.Errorf("got %s", all)
	}
}

func TestAKeychainThatIsUnlockedInTheMiddleIsNoticed(t *testing.T) {
	var unlocked atomic.Bool
	b := &bank{get: func(context.Context) error {
		if unlocked.Load() {
			return nil
		}
		return errors.New("the keychain is locked")
	}}
	w := begin(t, b, says(200, `{"data":{}}`))
	if _, all := w.post(t, "{}"); !strings.Contains(all, "the keychain is locked") {
		t.Errorf("got %s", all)
	}
	unlocked.Store(true)
	if _, all := w.post(t, "{}"); !strings.HasSuffix(all, `{"data":{}}`) {
		t.Errorf("got %s", all)
	}
}

func TestAKeychainThatIsLockedForAWhileIsWaitedFor(t *testing.T) {
	unlock, asked := make(chan struct{}), make(chan struct{}, 1000)
	b := &bank{get: func(ctx context.Context) error {
		asked <- struct{}{}
		select {
		case <-unlock:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	w := begin(t, b, says(200, `{"data":{}}`))
	<-asked
	time.AfterFunc(100*time.Millisecond, func() { close(unlock) })
	inParallel(20, func() {
		if status, all := w.post(t, "{}"); status != 200 || !strings.HasSuffix(all, `{"data":{}}`) {
			t.Errorf("got %d %s", status, all)
		}
	})
	if gets, _ := b.counts(); gets != 1 {
		t.Errorf("the helper was asked %d times", gets)
	}
}

func TestWhoeverAskedFirstMayGo(t *testing.T) {
	release, asked := make(chan struct{}), make(chan struct{})
	b := &bank{get: func(ctx context.Context) error {
		close(asked) // a second question would panic
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	tokens := newTokens(context.Background(), Config{Tokens: b, AuthType: helper.AuthBearer, Now: time.Now}, b.origin)
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan error)
	go func() {
		_, err := tokens.get(ctx)
		first <- err
	}()
	<-asked
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(release)
	if cred, err := tokens.get(context.Background()); err != nil || !cred.Secret.Equal(b.token(0)) {
		t.Errorf("error %v", err)
	}
}

func TestHowLongATokenIsKept(t *testing.T) {
	for name, test := range map[string]struct {
		lifetime, later time.Duration
		asked           bool
	}{
		"at once":                  {time.Hour, 0, false},
		"after 29 s":               {time.Hour, 29 * time.Second, false},
		"after 30 s":               {time.Hour, 30 * time.Second, true},
		"62 s left":                {time.Minute + 12*time.Second, 10 * time.Second, false},
		"60 s left":                {time.Minute + 10*time.Second, 10 * time.Second, true},
		"never more than a minute": {time.Minute, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bank{lifetime: test.lifetime}
				tokens := newTokens(t.Context(), Config{Tokens: b, AuthType: helper.AuthBearer, Now: time.Now}, b.origin)
				for range 2 {
					if _, err := tokens.get(t.Context()); err != nil {
						t.Error(err)
					}
					synctest.Wait()
					time.Sleep(test.later)
				}
				if gets, _ := b.counts(); (gets == 2) != test.asked {
					t.Errorf("asked %d times", gets)
				}
			})
		})
	}
}

func TestAnAgeIsCountedFromTheEarliestThatIsKnown(t *testing.T) {
	now := time.Now()
	ago := func(age time.Duration) time.Time { return now.Add(-age) }
	said := func(age time.Duration) helper.Credential { return helper.Credential{Secret: realToken(0, ago(age))} }
	opaque := helper.Credential{Secret: helper.NewSecret("opaque")}
	known := opaque
	known.Issued = ago(2 * time.Minute)
	tokens := newTokens(context.Background(), Config{Tokens: nil, AuthType: helper.AuthBearer, Now: func() time.Time { return now }}, helper.Origin{})
	for name, test := range map[string]struct {
		token token
		young bool
	}{
		"issued long ago":                      {token{Credential: said(2 * time.Minute), first: now}, false},
		"issued just now":                      {token{Credential: said(30 * time.Second), first: now}, true},
		"in the future, by the other clock":    {token{Credential: said(-time.Hour), first: now}, true},
		"the same, after a minute":             {token{Credential: said(-time.Hour), first: ago(time.Minute)}, false},
		"opaque":                               {token{Credential: opaque, first: ago(59 * time.Second)}, true},
		"opaque, after a minute":               {token{Credential: opaque, first: ago(time.Minute)}, false},
		"opaque, and the helper knows its age": {token{Credential: known, first: now}, false},
	} {
		if got := tokens.isYoung(&test.token); got != test.young {
			t.Errorf("%s: young is %v", name, got)
		}
	}
}

func TestAQuestionHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bank{get: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		begun := time.Now()
		_, err := newTokens(t.Context(), Config{Tokens: b, AuthType: helper.AuthBearer, Now: time.Now}, b.origin).get(t.Context())
		if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took != askTimeout {
			t.Errorf("error %v after %v", err, took)
		}
	})
}

func TestAReportThatFailsIsSaidAndMadeAgain(t *testing.T) {
	var works atomic.Bool
	b := &bank{age: time.Hour, reject: func(context.Context) error {
		if works.Load() {
			return nil
		}
		return errors.New("the keychain is locked")
	}}
	w := begin(t, b, rejecting(b, 1, 401, "", func(string) {}))
	if _, all := w.post(t, "{}"); !strings.Contains(all, "said: the keychain is locked") {
		t.Errorf("got %s", all)
	}
	works.Store(true)
	if _, all := w.post(t, "{}"); !strings.HasSuffix(all, `{"data":{}}`) {
		t.Errorf("got %s", all)
	}
}

func TestASessionThatEndsInTheMiddleIsSaid(t *testing.T) {
	var ended atomic.Bool
	b := &bank{age: time.Hour,
		get: func(context.Context) error {
			if ended.Load() {
				return helper.ErrNotFound
			}
			return nil
		},
		reject: func(context.Context) error { ended.Store(true); return nil },
	}
	w := begin(t, b, says(401, ""))
	if status, all := w.post(t, "{}"); status != 200 || !strings.Contains(all, "said: "+helper.ErrNotFound.Error()) {
		t.Errorf("got %d %s", status, all)
	}
}

func TestARejectedTokenIsToldOnceAndNotKept(t *testing.T) {
	b := &bank{age: time.Hour}
	tokens := newTokens(context.Background(), Config{Tokens: b, AuthType: helper.AuthBearer, Now: time.Now}, b.origin)
	old, err := tokens.get(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if told, err := tokens.reject(context.Background(), old); !told || err != nil {
		t.Fatalf("%v, %v", told, err)
	}
	for range 2 { // the second time nothing is told
		if told, err := tokens.reject(context.Background(), old); !told || err != nil {
			t.Errorf("%v, %v", told, err)
		}
	}
	fresh, err := tokens.get(context.Background())
	if err != nil || fresh.Secret.Equal(old.Secret) {
		t.Errorf("the rejected one came again, %v", err)
	}
	if _, told := b.counts(); told != 1 {
		t.Errorf("told %d times", told)
	}
}

func TestAQuestionFromBeforeARejectionIsNotKept(t *testing.T) {
	var questions atomic.Int32
	var later atomic.Int64
	second, release := make(chan struct{}), make(chan struct{})
	b := &bank{age: time.Hour, get: func(context.Context) error {
		if questions.Add(1) == 2 {
			close(second)
			<-release
		}
		return nil
	}}
	tokens := newTokens(context.Background(), Config{Tokens: b, AuthType: helper.AuthBearer, Now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) }}, b.origin)
	get := func() helper.Credential {
		cred, err := tokens.get(context.Background())
		if err != nil {
			t.Error(err)
		}
		return cred
	}
	old := get()
	later.Store(int64(maxKept))
	again := make(chan helper.Credential)
	go func() { again <- get() }()
	<-second
	if told, err := tokens.reject(context.Background(), old); !told || err != nil {
		t.Errorf("%v, %v", told, err)
	}
	close(release)
	if cred := <-again; !cred.Secret.Equal(old.Secret) {
		t.Error("the helper knew already")
	}
	if cred := get(); cred.Secret.Equal(old.Secret) {
		t.Error("the rejected one was kept")
	}
}

func TestOnlyASessionsTokenForThePlatformIsSent(t *testing.T) {
	here := helper.Origin{Protocol: "https", Host: "api.example"}
	good := helper.Credential{Origin: here, AuthType: helper.AuthBearer, Secret: helper.NewSecret("x")}
	change := func(f func(*helper.Credential)) helper.Credential {
		c := good
		f(&c)
		return c
	}
	tokens := newTokens(context.Background(), Config{Tokens: nil, AuthType: helper.AuthBearer, Now: time.Now}, here)
	if err := tokens.check(good); err != nil {
		t.Error(err)
	}
	for name, cred := range map[string]helper.Credential{
		"an API key":     change(func(c *helper.Credential) { c.AuthType = helper.AuthAPIKey }),
		"a password":     change(func(c *helper.Credential) { c.AuthType = helper.AuthBasic }),
		"nothing":        change(func(c *helper.Credential) { c.Secret = helper.Secret{} }),
		"another origin": change(func(c *helper.Credential) { c.Origin.Host = "api.example:8443" }),
	} {
		if err := tokens.check(cred); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
