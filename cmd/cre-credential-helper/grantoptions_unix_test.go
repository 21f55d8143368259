//go:build unix

package main

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"cre-credential-helper/helper"
)

func TestANumberThatMeansSomethingElseIsRefused(t *testing.T) {
	for args, want := range map[[2]string]bool{
		{"--count", "0"}: false, {"--count", "-1"}: false, {"--count", "x"}: false, {"--count", "1"}: true,
		{"--uid", "-1"}: false, {"--uid", "4294967295"}: false, {"--uid", "x"}: false,
		{"--uid", "0"}: true, {"--uid", strconv.Itoa(math.MaxInt32)}: true,
	} {
		if _, err := parseGrant([]string{args[0], args[1], "--force"}); (err == nil) != want {
			t.Errorf("%q: %v", args, err)
		}
	}
	if o, err := parseGrant(nil); err != nil || o.count != 0 || o.uid != noUID {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestTheHelpFitsATerminal(t *testing.T) {
	for line := range strings.Lines(usage + grantUsage) {
		if len(line) > len("\n")+80 {
			t.Errorf("over 80 columns: %q", line)
		}
	}
}

// described says what cre.yaml does while the keychain is locked.
type described struct {
	helper.Accounts
	all []helper.Account
	err error
}

func (d described) Describe(context.Context, helper.Origin) (helper.Description, error) {
	return helper.Description{Credentials: d.all}, d.err
}

func TestAGrantBeforeTheUnlockIsForTheDefaultAccount(t *testing.T) {
	all := []helper.Account{
		{Username: "apikey", AuthType: helper.AuthAPIKey, Default: true},
		{Username: "other@domain.com", AuthType: helper.AuthBearer},
		{Username: "email@domain.com", AuthType: helper.AuthBearer, Default: true},
	}
	for name, c := range map[string]struct {
		says  described
		named string
		want  string
	}{
		"the default one":  {described{all: all}, "", "email@domain.com"},
		"the one named":    {described{all: all}, "other@domain.com", "other@domain.com"},
		"nobody":           {described{}, "", ""},
		"nothing is known": {described{err: errors.New("no")}, "", ""},
	} {
		if got := expected(t.Context(), c.says, c.named, helper.Origin{}); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
