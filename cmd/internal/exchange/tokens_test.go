package exchange

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/helper"
)

// rejecting answers a request under the bank's first n tokens with status and
// body.
func rejecting(b *bank, n, status int, body string, seen func(body string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		seen(string(text))
		for i := range n {
			if bearer(r) == b.token(i).Reveal() {
				says(status, body)(w, r)
				return
			}
		}
		says(200, `{"data":{}}`)(w, r)
	}
}

func TestARejectedRequestIsSentOnceMore(t *testing.T) {
	const unauthenticated = `{"errors":[{"message":"who?","extensions":{"code":"UNAUTHENTICATED"}}]}`
	for name, test := range map[string]struct {
		status     int
		answer     string
		rejections int
		age        time.Duration
		body       string
		chunked    bool

		wantStatus, wantSent, wantTold int
	}{
		"401":                      {401, "", 1, time.Hour, "{}", false, 200, 2, 1},
		"403":                      {403, "{}", 1, time.Hour, "{}", false, 200, 2, 1},
		"an error inside a 200":    {200, unauthenticated, 1, time.Hour, "{}", false, 200, 2, 1},
		"no body":                  {401, "", 1, time.Hour, "", false, 200, 2, 1},
		"a body that is chunked":   {401, "", 1, time.Hour, "{}", true, 200, 2, 1},
		"the longest kept body":    {401, "", 1, time.Hour, strings.Repeat("x", maxKeptBody), false, 200, 2, 1},
		"a longer one":             {401, "", 1, time.Hour, strings.Repeat("x", maxKeptBody+1), false, 401, 1, 1},
		"a longer one, chunked":    {401, "", 1, time.Hour, strings.Repeat("x", maxKeptBody+1), true, 401, 1, 1},
		"the new one is, too":      {401, "", 2, time.Hour, "{}", false, 401, 2, 1},
		"a young token":            {401, "", 1, 30 * time.Second, "{}", false, 401, 1, 0},
		"one a little older":       {401, "", 1, 65 * time.Second, "{}", false, 200, 2, 1},
		"one of the future":        {401, "", 1, -time.Hour, "{}", false, 401, 1, 0},
		"a proxy's page":           {403, "<html>", 1, time.Hour, "{}", false, 403, 1, 0},
		"an outage":                {503, unauthenticated, 1, time.Hour, "{}", false, 503, 1, 0},
		"an error of another kind": {200, `{"errors":[{"message":"broke"}]}`, 1, time.Hour, "{}", false, 200, 1, 0},
		"a rejection without end":  {401, `"` + strings.Repeat("x", maxLookedInto) + `"`, 1, time.Hour, "{}", false, 401, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bank{age: test.age}
			if test.wantStatus == 401 && test.rejections == 2 { // what was renewed is young
				now := time.Now()
				b.kept = func(n int) helper.Secret { return realToken(n, now.Add(time.Duration(n-1)*time.Hour)) }
			}
			var sent atomic.Int32
			w := begin(t, b, rejecting(b, test.rejections, test.status, test.answer, func(body string) {
				sent.Add(1)
				if body != test.body {
					t.Errorf("upstream was sent a body of %d bytes", len(body))
				}
			}))
			var body io.Reader = strings.NewReader(test.body)
			if test.chunked {
				body = struct{ io.Reader }{body}
			}
			status, all := w.do(t, w.request(t, body))
			w.wantNoToken(t, all)
			if _, told := b.counts(); status != test.wantStatus || int(sent.Load()) != test.wantSent || told != test.wantTold {
				t.Errorf("status %d, sent %d times, told %d times", status, sent.Load(), told)
			}
			if test.wantTold > 0 && !b.rejected[0].Equal(b.token(0)) {
				t.Error("another token was reported")
			}
		})
	}
}

func TestAYoungTokenOfUnknownAgeIsNotReported(t *testing.T) {
	b := &bank{kept: func(n int) helper.Secret { return helper.NewSecret("an opaque token, of which nothing is known") }}
	w := begin(t, b, says(401, ""))
	if status, _ := w.post(t, "{}"); status != 401 {
		t.Errorf("status %d", status)
	}
	if _, told := b.counts(); told != 0 {
		t.Errorf("told %d times", told)
	}
}

func TestAThousandRejectionsAreToldOnce(t *testing.T) {
	b := &bank{age: time.Hour}
	w := begin(t, b, rejecting(b, 1, 401, "", func(string) {}))
	inParallel(1000, func() {
		if status, all := w.post(t, "{}"); status != 200 {
			t.Errorf("got %d %s", status, all)
		}
	})
	if gets, told := b.counts(); told != 1 || gets > 4 {
		t.Errorf("told %d times, asked %d times", told, gets)
	}
}

func inParallel(n int, f func()) {
	var all sync.WaitGroup
	for range n {
		all.Go(f)
	}
	all.Wait()
}

func TestAThousandRequestsShareOneQuestion(t *testing.T) {
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
	tokens := newTokens(context.Background(), b, b.origin, time.Now)
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
				tokens := newTokens(t.Context(), b, b.origin, time.Now)
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

func TestAQuestionHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bank{get: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		begun := time.Now()
		_, err := newTokens(t.Context(), b, b.origin, time.Now).get(t.Context())
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

func TestAQuestionFromBeforeARejectionIsNotKept(t *testing.T) {
	b := &bank{age: time.Hour}
	tokens := newTokens(context.Background(), b, b.origin, time.Now)
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

func TestOnlyASessionsTokenForThePlatformIsSent(t *testing.T) {
	here := helper.Origin{Protocol: "https", Host: "api.example"}
	good := helper.Credential{Origin: here, AuthType: helper.AuthBearer, Secret: helper.NewSecret("x")}
	change := func(f func(*helper.Credential)) helper.Credential {
		c := good
		f(&c)
		return c
	}
	tokens := newTokens(context.Background(), nil, here, time.Now)
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

func TestBodiesThatAreKept(t *testing.T) {
	for size, whole := range map[int]bool{0: true, 1: true, maxKeptBody: true, maxKeptBody + 1: false, 2 * maxKeptBody: false} {
		for _, length := range []int64{int64(size), -1} {
			r := &http.Request{Body: io.NopCloser(bytes.NewReader(make([]byte, size))), ContentLength: length}
			b, err := keep(r)
			if err != nil || b.whole != whole {
				t.Errorf("%d bytes: kept %v, %v", size, b.whole, err)
			}
			b.putInto(r)
			if got, err := io.ReadAll(r.Body); err != nil || len(got) != size {
				t.Errorf("%d bytes: %d were sent, %v", size, len(got), err)
			}
		}
	}
}
