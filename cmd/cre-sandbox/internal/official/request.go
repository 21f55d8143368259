package official

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// testCommands are none of the official CLI's: with them, tests send from this
// very process what the official CLI never would.
func (p *program) testCommands() []entry {
	return []entry{
		{path: "sandbox", short: "for tests"},
		{path: "sandbox request", short: "send requests with the session's token", run: p.runRequest, flags: requestFlags},
		{path: "sandbox build", short: "what a build step runs", run: p.prints("Built."), flags: bare},
	}
}

func requestFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("url", "", "in the place of the GraphQL URL")
	f.String("path", "", "in the place of its path")
	f.String("method", http.MethodPost, "the request's method")
	f.String("host", "", "in the place of the Host header")
	f.StringArray("header", nil, "another header: 'NAME: VALUE'")
	f.String("token", "", "in the place of the session's access token; none: no Authorization header")
	f.String("data", `{"query":"query { workflows { name status } }"}`, "the body")
	f.String("upload", "0", "make the body longer by so many bytes")
	f.Bool("chunked", false, "don't say how long the body is")
	f.Duration("break-off", 0, "break off after so much time")
	f.Int("times", 1, "send so many")
	f.Int("parallel", 1, "so many at a time")
	f.Bool("descendant", false, "let a child of this process do it")
}

// bare lets a command do nothing of what all others do before and after.
func bare(cmd *cobra.Command) {
	cmd.PersistentPreRun = func(*cobra.Command, []string) {}
	cmd.PersistentPostRun = func(*cobra.Command, []string) {}
}

// runRequest prints an answer with all that came: 1xx, status, headers, body,
// trailers. Of several it prints how many had which status.
func (p *program) runRequest(ctx context.Context, cmd *cobra.Command, _ []string) error {
	if descendant, _ := cmd.Flags().GetBool("descendant"); descendant {
		return p.asDescendant(ctx)
	}
	session, err := p.loadCredentials()
	if err != nil {
		return err
	}
	r, err := p.readRequest(cmd, session)
	if err != nil {
		return err
	}
	times, _ := cmd.Flags().GetInt("times")
	parallel, _ := cmd.Flags().GetInt("parallel")
	if times > 1 {
		return p.sendMany(ctx, r, times, max(parallel, 1))
	}
	answer, early, err := r.send(ctx, p.client)
	if err != nil {
		return err
	}
	for _, header := range early {
		p.say("1xx %s", header)
	}
	p.say("%d", answer.status)
	for _, line := range lines(answer.header) {
		p.say("%s", line)
	}
	p.say("\n%s", answer.body)
	for _, line := range lines(answer.trailer) {
		p.say("trailer %s", line)
	}
	return nil
}

// asDescendant runs the same command line in a child.
func (p *program) asDescendant(ctx context.Context) error {
	args := slices.DeleteFunc(slices.Concat(p.Self, p.Args), func(arg string) bool { return strings.HasPrefix(arg, "--descendant") })
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Dir = p.childEnv(), p.Dir
	cmd.Stdout, cmd.Stderr = p.Stdout, p.Stderr
	return cmd.Run()
}

// oddRequest is what the flags of sandbox request say.
type oddRequest struct {
	method, host string
	target       *url.URL
	header       http.Header
	data         string
	upload       int64
	chunked      bool
	cmd          *cobra.Command
}

func (p *program) readRequest(cmd *cobra.Command, session *credentials) (oddRequest, error) {
	r := oddRequest{method: flagValue(cmd, "method"), host: flagValue(cmd, "host"), data: flagValue(cmd, "data"), header: http.Header{}, cmd: cmd}
	raw := flagValue(cmd, "url")
	if raw == "" {
		raw = p.place.graphQL
	}
	var err error
	if r.target, err = url.Parse(raw); err != nil {
		return r, err
	}
	if path := flagValue(cmd, "path"); path != "" {
		r.target.Path = path
	}
	r.header.Set("Content-Type", "application/json")
	r.header.Set("User-Agent", "cre-cli")
	switch token := flagValue(cmd, "token"); token {
	case "none":
	case "":
		r.header.Set("Authorization", session.header())
	default:
		r.header.Set("Authorization", "Bearer "+token)
	}
	headers, _ := cmd.Flags().GetStringArray("header")
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return r, fmt.Errorf("--header %q is not NAME: VALUE", h)
		}
		r.header.Add(name, strings.TrimSpace(value))
	}
	r.chunked, _ = cmd.Flags().GetBool("chunked")
	r.upload, err = parseSize(flagValue(cmd, "upload"))
	return r, err
}

// send leaves redirects alone.
func (r oddRequest) send(ctx context.Context, c client) (answer reply, early []string, err error) {
	if limit, _ := r.cmd.Flags().GetDuration("break-off"); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errors.New("broken off"))
		defer cancel()
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		early = append(early, fmt.Sprint(code))
		early = append(early, lines(http.Header(header))...)
		return nil
	}})
	// White space is no part of a JSON text, so that the body stays the same to
	// who reads it.
	body := io.MultiReader(io.LimitReader(spaces{}, r.upload), strings.NewReader(r.data))
	req, err := http.NewRequestWithContext(ctx, r.method, r.target.String(), body)
	if err != nil {
		return reply{}, nil, err
	}
	req.ContentLength = r.upload + int64(len(r.data))
	if r.chunked {
		req.ContentLength = -1
	}
	req.Header = r.header.Clone()
	req.Host = r.host
	follow := *c.http
	follow.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http = &follow
	answer, err = c.do(req)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return answer, early, err
}

// sendMany counts what became of times requests, and says on standard error how
// long they took.
func (p *program) sendMany(ctx context.Context, r oddRequest, times, parallel int) error {
	var (
		mu      sync.Mutex
		group   sync.WaitGroup
		counts  = map[string]int{}
		waiting = make(chan struct{}, times)
	)
	for range times {
		waiting <- struct{}{}
	}
	close(waiting)
	began := time.Now()
	for range parallel {
		group.Go(func() {
			for range waiting {
				answer, _, err := r.send(ctx, p.client)
				outcome := fmt.Sprint(answer.status)
				if err != nil {
					outcome = err.Error()
				}
				mu.Lock()
				counts[outcome]++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	fmt.Fprintf(p.Stderr, "took %v\n", time.Since(began))
	for _, outcome := range slices.Sorted(maps.Keys(counts)) {
		p.say("%s: %d", outcome, counts[outcome])
	}
	return nil
}

func lines(header http.Header) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			all = append(all, name+": "+value)
		}
	}
	return all
}

type spaces struct{}

// Read implements [io.Reader].
func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
