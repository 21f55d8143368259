package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestFlagsMayStandAnywhere(t *testing.T) {
	account, asJSON := &cli.StringFlag{Name: "account"}, &cli.BoolFlag{Name: "json"}
	commands := []*cli.Command{
		{Name: "whoami", Flags: []cli.Flag{asJSON}},
		{Name: "session", Flags: []cli.Flag{account, asJSON}, Subcommands: []*cli.Command{{Name: "use", Flags: []cli.Flag{account}}, {Name: "token"}}},
	}
	for in, want := range map[string]string{
		"":                                      "",
		"whoami --json":                         "whoami --json",
		"session use a --account b":             "session use --account b a",
		"session use a --account=b c":           "session use --account=b a c",
		"session use a --account":               "session use --account a",
		"session --account use use token --x y": "session --account use use --x token y", // the first is a value, and the third an operand
		"session --json use a -h":               "session --json use -h a",
		"session use a -- --account b":          "session use a -- --account b",
		"session use - --account b":             "session use --account b -",
		"nothing a --json":                      "--json nothing a",
	} {
		if got := strings.Join(flagsFirst(nil, commands, strings.Fields(in)), " "); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := flagsFirst(nil, commands, []string{"session", "use", "", "--account", ""}); !slices.Equal(got, []string{"session", "use", "--account", "", ""}) {
		t.Errorf("%q", got)
	}
}
