package exchange

import (
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// endless is a body of length zeros.
func endless(length int64) io.Reader { return io.LimitReader(zeros{}, length) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// peak measures the most memory that is in use until it is told to stop.
func peak() (stop func() uint64) {
	end, most := make(chan struct{}), make(chan uint64)
	go func() {
		var highest uint64
		var stats runtime.MemStats
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for {
			runtime.ReadMemStats(&stats)
			highest = max(highest, stats.HeapAlloc)
			select {
			case <-end:
				most <- highest
				return
			case <-ticker.C:
			}
		}
	}()
	return func() uint64 { close(end); return <-most }
}

func TestAHundredMegabytesStreamBothWaysInLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long under load")
	}
	const size, margin = 100 << 20, 32 << 20
	b := &bank{}
	w := begin(t, b, func(w http.ResponseWriter, r *http.Request) {
		got, err := io.Copy(io.Discard, r.Body)
		if err != nil || got != size {
			t.Errorf("upstream got %d bytes, %v", got, err)
		}
		w.Header().Set("Content-Length", strconv.Itoa(size+len(bearer(r))))
		_, _ = io.Copy(w, endless(size/2))
		_, _ = io.WriteString(w, bearer(r))
		_, _ = io.Copy(w, endless(size/2))
	})
	for name, length := range map[string]int64{"of known length": size, "chunked": -1} {
		t.Run(name, func(t *testing.T) {
			runtime.GC()
			var before runtime.MemStats
			runtime.ReadMemStats(&before)
			stop := peak()
			request := w.request(t, endless(size))
			request.ContentLength = length
			res, err := w.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			got := new(counter)
			if _, err := io.Copy(got, res.Body); err != nil || got.zeros != size || got.other != standIn {
				t.Errorf("got %d zeros and %q, %v", got.zeros, got.other, err)
			}
			if most := stop(); most > before.HeapAlloc+margin {
				t.Errorf("%d MiB were in use, %d before", most>>20, before.HeapAlloc>>20)
			}
		})
	}
}

// counter counts the zeros that are written to it, and keeps all else.
type counter struct {
	zeros int
	other string
}

func (c *counter) Write(p []byte) (int, error) {
	other := strings.ReplaceAll(string(p), "\x00", "")
	c.zeros += len(p) - len(other)
	c.other += other
	return len(p), nil
}

// BenchmarkRequest measures a request through the exchange beside a direct one.
func BenchmarkRequest(b *testing.B) {
	const answer = `{"data":{"getCreOrganizationInfo":{"orgId":"org_1","derivedWorkflowOwners":["0x0000000000000000000000000000000000000000"]}}}`
	w := begin(b, &bank{}, says(200, answer))
	for _, way := range []struct{ name, url string }{{"direct", w.upstream.URL + "/graphql"}, {"exchange", w.URL()}} {
		b.Run(way.name, func(b *testing.B) {
			for b.Loop() {
				request := w.request(b, strings.NewReader(`{"query":"query { getCreOrganizationInfo { orgId derivedWorkflowOwners } }"}`))
				target, err := request.URL.Parse(way.url)
				if err != nil {
					b.Fatal(err)
				}
				request.URL, request.Host = target, target.Host
				if status, _ := w.do(b, request); status != 200 {
					b.Fatal(status)
				}
			}
		})
	}
}
