//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/standin"
	"cre-credential-helper/helper"
)

const grantUsage = `cre-credential-helper grant: lets others ask for credentials for a while

usage: cre-credential-helper grant [option]... [--] [COMMAND [ARGUMENT]...]

COMMAND finds the grant by CRE_CREDENTIAL_SOCKET. The grant ends with it, and
exits with its status. Without a COMMAND, the grant prints where it is asked,
and ends when it is interrupted or its time is over.

options
  --for TIME     how long it answers: 8h if nothing else is said
  --origin URL   what may be asked for, in the place of the CRE session; may be
                 repeated
  --exchange     send CRE requests from here, and answer no CRE token: for
                 cre whoami and the commands of the official CLI, by cre
  --count N      answer N times: any number of times if nothing else is said
  --confirm      ask before each use: by the program in SSH_ASKPASS, or here
  --name TEXT    what cre session grants calls it
  --socket PATH  where it is asked, in the place of a new folder of its own
  --uid N        let this user ask, too: a container's, as this machine numbers
                 it
  --force        allow any number after --uid, also one that /etc/subuid doesn't
                 give to this user
  --fd           let COMMAND inherit the grant by CRE_CREDENTIAL_FD, and make no
                 socket for it (Linux): for sandboxes that forbid sockets
  --loopback     let it be asked by HTTP on 127.0.0.1, by CRE_CREDENTIAL_URL and
                 who can read CRE_CREDENTIAL_TOKEN_FILE: for virtual machines
  --stdio        answer the one connection that standard input is: for systemd
  --log FILE     keep a line of JSON of each use

A token that was answered is good until its own end, also after the grant's.
With --exchange there is none.
See docs/grants.md for containers, ssh and sandboxes.
`

const (
	defaultGrantTime = 8 * time.Hour
	maxGrantName     = 60 // characters

	noUID  = -1
	maxUID = 1<<32 - 2 // the last one means none (chown(2))
)

var errHelp = flag.ErrHelp

// grantOptions are what the command line says.
type grantOptions struct {
	time     time.Duration
	origins  []helper.Origin
	exchange bool
	count    int // 0: any number
	confirm  bool
	name     string
	socket   string
	uid      int // [noUID]: none
	force    bool
	fd       bool
	loopback bool
	stdio    bool
	log      string
	argv     []string
}

func parseGrant(args []string) (o grantOptions, err error) {
	flags := flag.NewFlagSet(opGrant, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	flags.DurationVar(&o.time, "for", defaultGrantTime, "")
	flags.Func("count", "", func(text string) (err error) {
		if o.count, err = strconv.Atoi(text); err != nil || o.count < 1 {
			return errors.New("it takes a number of 1 or more")
		}
		return nil
	})
	flags.BoolVar(&o.exchange, "exchange", false, "")
	flags.BoolVar(&o.confirm, "confirm", false, "")
	flags.StringVar(&o.name, "name", "", "")
	flags.StringVar(&o.socket, "socket", "", "")
	o.uid = noUID
	flags.Func("uid", "", func(text string) error {
		uid, err := strconv.ParseUint(text, 10, 32)
		if err != nil || uid > maxUID {
			return fmt.Errorf("it takes a number from 0 to %d", uint32(maxUID))
		}
		o.uid = int(uid)
		return nil
	})
	flags.BoolVar(&o.force, "force", false, "")
	flags.BoolVar(&o.fd, "fd", false, "")
	flags.BoolVar(&o.loopback, "loopback", false, "")
	flags.BoolVar(&o.stdio, "stdio", false, "")
	flags.StringVar(&o.log, "log", "", "")
	flags.Func("origin", "", func(text string) error {
		origin, err := helper.ParseOrigin(text)
		o.origins = append(o.origins, origin)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.argv = flags.Args()
	return o, o.check()
}

// check completes o.
func (o *grantOptions) check() (err error) {
	if o.name == "" {
		o.name = opGrant
		if len(o.argv) > 0 {
			o.name = safetext.Clean(filepath.Base(o.argv[0]), maxGrantName)
		}
	}
	switch {
	case o.time <= 0:
		return errors.New("--for takes a time such as 8h or 30m")
	case o.fd && (len(o.argv) == 0 || o.socket != "" || o.uid >= 0):
		return errors.New("--fd is for a COMMAND, which may ask whoever runs it: it goes with no --socket and no --uid")
	case o.loopback && (o.fd || o.uid >= 0):
		return errors.New("--loopback is for who has the file: it goes with no --fd and no --uid")
	case o.stdio && (o.loopback || len(o.argv) > 0 || o.socket != "" || o.count != 0):
		return errors.New("--stdio answers one question: it goes with no command, no --socket and no --count")
	case o.name != safetext.Clean(o.name, maxGrantName):
		return fmt.Errorf("--name takes up to %d characters that can be shown", maxGrantName)
	}
	if o.socket != "" {
		if o.socket, err = filepath.Abs(o.socket); err != nil {
			return err
		}
		if o.socket == filepath.Clean(os.Getenv(platform.VarGrantSocket)) {
			return fmt.Errorf("%s is this very grant's socket, and it would ask itself: unset that", platform.VarGrantSocket)
		}
	}
	if o.uid >= 0 {
		return o.checkUID()
	}
	return nil
}

// policy is what o grants, and where the answers come from. A session that is asked
// for is looked at: a grant of nothing would be noticed elsewhere.
func (o grantOptions) policy(ctx context.Context, net errand.Program, say func(string)) (grant.Policy, grant.Source, error) {
	settings, err := settings()
	if err != nil {
		return grant.Policy{}, nil, err
	}
	source := newSource(settings, net)
	session := settings.Environment.Origin()
	p := grant.Policy{
		Name: o.name, Session: session, Origins: o.origins, For: o.time, Count: o.count,
		Exchange: net.Exchange, StandIn: func(token helper.Secret) helper.Secret { return standin.New(settings.Environment, token) },
		KeepsToken: o.exchange,
	}
	if outer, ok := source.(granted); ok { // whose token may not come here
		p.Lender, p.Exchange = outer.lender(), outer.exchange
	}
	if o.confirm {
		if p.Confirm, err = newConfirmation(o, os.Getenv); err != nil {
			return p, nil, err
		}
	}
	named := len(p.Origins) > 0
	if !named || o.exchange {
		p.Origins = slices.Insert(p.Origins, 0, session)
	}
	granted, _ := platform.Granted(os.Getenv) // to look would be a use of that grant
	if named || o.stdio || granted != "" {
		return p, source, nil
	}
	c, err := source.Get(ctx, helper.Query{Origin: session})
	switch {
	case err != nil:
		say(fmt.Sprintf("warning: there is nothing to answer yet: %v", err))
		p.Account = expected(ctx, source, settings.Account, session)
	case c.AuthType == helper.AuthAPIKey:
		return p, nil, fmt.Errorf("%w: an API key answers for %s, and it has no end: a grant is for a session. Unset the key, or remove it by cre logout --api-key",
			helper.ErrRequest, session)
	default:
		p.Account = c.Username
	}
	return p, source, nil
}

// expected is the account that will answer at o once one can: the one that is named,
// or else the default one. "": none is known.
func expected(ctx context.Context, source helper.Accounts, named string, o helper.Origin) string {
	if named != "" {
		return named
	}
	d, err := source.Describe(ctx, o)
	if err != nil {
		return ""
	}
	for _, a := range d.Credentials {
		if a.Default && a.AuthType != helper.AuthAPIKey {
			return a.Username
		}
	}
	return ""
}
