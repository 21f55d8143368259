//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/official"
	"cre-credential-helper/cmd/cre-sandbox/internal/provider"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/keyring/keyringtest"
)

// The ways to run a command of the official CLI, as the tables call them.
const (
	direct       = "the official CLI itself, the session in cre.yaml"
	throughFile  = "`cre`, the session in cre.yaml"
	throughVault = "`cre`, the session in the keychain"
)

// startup is how long the official CLI takes to start, on a machine of people's.
const startup = 500 * time.Millisecond

// office is a platform with a session, and the official CLI's stand-in with homes
// that have it, the one in a file and the other in a keychain.
type office struct {
	platform         *sandbox.Server
	program          string // the stand-in
	inFile, inVault  *desk
	rounds, requests int
}

func (b bench) newOffice(ctx context.Context) (o *office, err error) {
	dir, err := os.MkdirTemp(b.dir, "office")
	if err != nil {
		return nil, err
	}
	o = &office{program: filepath.Join(dir, "cre-official"), rounds: max(b.rounds/2, 3), requests: 10_000}
	defer func() {
		if err != nil {
			o.close()
		}
	}()
	if err := os.Symlink(filepath.Join(b.bin, "cre-sandbox"), o.program); err != nil {
		return o, err
	}
	if o.platform, err = sandbox.Start(ctx, sandbox.Options{TokenSize: tokenSize}); err != nil {
		return o, err
	}
	session, err := o.platform.NewSession(ctx)
	if err != nil {
		return o, err
	}
	o.inFile = &desk{bin: b.bin, home: filepath.Join(dir, "file")}
	if err := os.MkdirAll(filepath.Join(o.inFile.home, ".cre"), 0o700); err != nil {
		return o, err
	}
	if err := os.WriteFile(filepath.Join(o.inFile.home, ".cre", "cre.yaml"), []byte(officialFile(session)), 0o600); err != nil {
		return o, err
	}
	keychain, err := keyringtest.OpenFilled(0)
	if err != nil {
		return o, err
	}
	o.inVault = &desk{bin: b.bin, home: filepath.Join(dir, "keychain"), keyring: keychain}
	if err := os.Mkdir(o.inVault.home, 0o700); err != nil {
		return o, err
	}
	store := exec.CommandContext(ctx, o.inVault.path("cre-credential-helper"), "store")
	store.Env, store.Stdin = o.env(o.inVault), strings.NewReader(o.login(session))
	if out, err := store.CombinedOutput(); err != nil {
		return o, fmt.Errorf("storing the session: %w: %s", err, out)
	}
	return o, nil
}

func (o *office) close() {
	if o.platform != nil {
		o.platform.Close()
	}
	if o.inVault != nil {
		o.inVault.close()
	}
}

// officialFile is cre.yaml as the official CLI writes it.
func officialFile(s provider.Session) string {
	return fmt.Sprintf("AccessToken: %s\nIDToken: %s\nRefreshToken: %s\nExpiresIn: 86400\nTokenType: Bearer\n", s.Access, s.ID, s.Refresh)
}

// login is what cre login hands to the helper.
func (o *office) login(s provider.Session) string {
	return strings.Join([]string{
		"capability[]=authtype", "protocol=http", "host=" + strings.TrimPrefix(o.platform.URL, "http://"),
		"username=email@domain.com", "authtype=Bearer", "credential=" + s.Access,
		fmt.Sprintf("password_expiry_utc=%d", s.Expiry.Unix()),
		"oauth_refresh_token=" + s.Refresh, "oauth_id_token=" + s.ID,
		"oauth_token_endpoint=" + o.platform.URL + "/oauth/token",
		"oauth_revocation_endpoint=" + o.platform.URL + "/oauth/revoke",
		"oauth_client_id=cre-sandbox",
	}, "\n") + "\n\n"
}

func (o *office) env(d *desk) []string {
	return append(append(d.env(), o.platform.Env()...), "CRE_OFFICIAL_CLI="+o.program)
}

// run is a command of the official CLI, in each of the three ways.
func (o *office) run(want string, args ...string) []subject {
	one := func(name, program string, d *desk) subject {
		return subject{name: name, args: append([]string{program}, args...), env: o.env(d), want: want}
	}
	return []subject{
		one(direct, o.program, o.inFile),
		one(throughFile, o.inFile.path("cre"), o.inFile),
		one(throughVault, o.inVault.path("cre"), o.inVault),
	}
}

// handedOn compares a whole command, and what our cre adds to it.
func (b bench) handedOn(ctx context.Context) (*table, error) {
	o, err := b.newOffice(ctx)
	if err != nil {
		return nil, err
	}
	defer o.close()
	subjects := o.run("0 workflows", "workflow", "list")
	for i := range subjects {
		subjects[i].env = append(subjects[i].env, official.VarStartup+"="+startup.String())
	}
	all, err := interleave(ctx, o.rounds, tasks(subjects...))
	if err != nil {
		return nil, err
	}
	t := newTable("`cre workflow list`", "rounds", "ms", "it / the official CLI itself", "target", "CPU, ms")
	for _, s := range subjects {
		ratio, target := "", 0.0
		if s.name != direct {
			ratio, target = spreadFinely(all[s.name].ratio(all[direct])), 1.03
		}
		t.add(s.name, fmt.Sprint(o.rounds), spread(all[s.name].wall()), ratio, atMost(target), number(all[s.name].cpu().median))
	}
	return t, nil
}

func spreadFinely(q quartiles) string {
	return fmt.Sprintf("**%.3f** (%.3f–%.3f)", q.median, q.low, q.high)
}

// exchanged compares many requests of one command, by the time that they take
// without its start and its end.
func (b bench) exchanged(ctx context.Context) (*table, error) {
	o, err := b.newOffice(ctx)
	if err != nil {
		return nil, err
	}
	defer o.close()
	rounds := max(o.rounds/10, 3)
	t := newTable("requests at a time", "rounds", "direct, ms", "through the exchange, ms", "it / direct", "more for each request, ms")
	for _, parallel := range []int{1, 16} {
		subjects := o.run(fmt.Sprintf("200: %d", o.requests), "sandbox", "request",
			"--times", fmt.Sprint(o.requests), "--parallel", fmt.Sprint(parallel))
		all, err := interleave(ctx, rounds, []task{subjects[0].asItSays(), subjects[2].asItSays()})
		if err != nil {
			return nil, err
		}
		there, through := all[direct], all[throughVault]
		more := (through.wall().median - there.wall().median) / float64(o.requests)
		t.add(fmt.Sprint(parallel), fmt.Sprint(rounds), spread(there.wall()), spread(through.wall()),
			spread(through.ratio(there)), fmt.Sprintf("%.3f", more))
	}
	return t, nil
}

// asItSays is s, measured by the duration that it prints after "took".
func (s subject) asItSays() task {
	return task{s.name, func(ctx context.Context) (sample, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*patience)
		defer cancel()
		c := exec.CommandContext(ctx, s.args[0], s.args[1:]...)
		var out, said bytes.Buffer
		c.Env, c.Stdout, c.Stderr = s.env, &out, &said
		if err := c.Run(); err != nil {
			return sample{}, fmt.Errorf("%s: %w: %s", s.name, err, &said)
		}
		_, text, _ := strings.Cut(said.String(), "took ")
		text, _, _ = strings.Cut(text, "\n")
		took, err := time.ParseDuration(text)
		if err != nil || !strings.Contains(out.String(), s.want) {
			return sample{}, fmt.Errorf("%s: %w", s.name, errAnswer)
		}
		return sample{wall: took}, nil
	}}
}
