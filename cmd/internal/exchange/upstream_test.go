package exchange

import (
	"bytes"
	"cre-credential-helper/helper"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
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
	if testing.Short() {
		t.Skip("it is long under load")
	}
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
