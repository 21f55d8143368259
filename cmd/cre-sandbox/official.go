package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"cre-credential-helper/cmd/cre-sandbox/internal/official"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// testCommands are what scripts need beside a sandbox that runs.
func testCommands() []*cli.Command {
	return []*cli.Command{{
		Name:      "faults",
		Usage:     "order faults at the sandbox that the variables lead to, in place of those before",
		ArgsUsage: " ",
		Flags:     faultFlags(),
		Action:    orderFaults,
	}, {
		Name:  "official",
		Usage: "stand in for the official CLI, as this program does under the names cre and cre-official",
		Description: "It has one command more, sandbox request, and variables that tests steer it by:\n" +
			official.VarStartup + "=DURATION  starting takes so long\n" +
			official.VarPause + "=FILE        it writes its process's id there, and waits until the file is gone\n" +
			official.VarSession + "=FILE      a cre.yaml whose tokens its login takes\n" +
			official.VarUpdate + "=FILE       what update puts in the program's place\n" +
			official.VarGitHub + "=DURATION   asking for a newer release takes so long",
		ArgsUsage:       "ARGUMENT...",
		SkipFlagParsing: true,
		HideHelp:        true, // the stand-in has its own
		Action:          standIn,
	}, {
		Name:  "official-installer",
		Usage: "install the stand-in as the official installer does: to ${CRE_INSTALL:-$HOME/.cre}/bin/cre",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "program", Usage: "install this `FILE` instead of the stand-in"},
			&cli.BoolFlag{Name: "script", Usage: "install a script that runs the stand-in: it is small, and can't update itself"},
		},
		Action: install,
	}}
}

// standIn leaves signals to the system, as the official CLI does.
func standIn(c *cli.Context) error {
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	if status := runOfficial(context.WithoutCancel(c.Context), c.Args().Slice()); status != 0 {
		return exitError(status)
	}
	return nil
}

// runOfficial hands this process's surroundings to the stand-in.
func runOfficial(ctx context.Context, args []string) (status int) {
	exe, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.Getwd()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	self := []string{exe}
	if !official.IsName(exe) { // by a link, or by our own command
		self = append(self, "official")
	}
	return official.Run(ctx, official.Config{
		Args:     args,
		Env:      os.Environ(),
		Dir:      dir,
		Stdin:    os.Stdin,
		Stdout:   os.Stdout,
		Stderr:   os.Stderr,
		Terminal: term.IsTerminal(int(os.Stdin.Fd())),
		Self:     self,
	})
}

func install(c *cli.Context) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return err
	}
	program := exe
	switch {
	case c.String("program") != "":
		program = c.String("program")
	case c.Bool("script"):
		folder, err := os.MkdirTemp("", "cre-sandbox-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		program = filepath.Join(folder, "cre")
		if err := os.WriteFile(program, []byte("#!/bin/sh\nexec "+quote(exe)+" official \"$@\"\n"), 0o755); err != nil {
			return err
		}
	}
	return official.Install(official.Installation{
		Program: program,
		Home:    home,
		Folder:  os.Getenv("CRE_INSTALL"),
		Shell:   os.Getenv("SHELL"),
		Stdout:  c.App.Writer,
	})
}

// orderFaults tells the sandbox; without a flag, everything is mended.
func orderFaults(c *cli.Context) error {
	base := os.Getenv("CRE_CLI_AUTH_BASE")
	if base == "" {
		return fmt.Errorf("%w: faults needs CRE_CLI_AUTH_BASE, which cre-sandbox serve prints", errUsage)
	}
	form := url.Values{"latency": c.StringSlice("latency"), "fail": c.StringSlice("fail"), "odd": c.StringSlice("odd")}
	if _, err := sandbox.ParseFaults(form["latency"], form["fail"], form["odd"]); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(c.Context, http.MethodPost, base+"/faults", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the sandbox doesn't take these faults: %s", resp.Status)
	}
	return nil
}
