// Command cre-sandbox runs a CRE platform on loopback, for demonstrations and
// tests: no account, no network, nothing of worth to steal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"cre-credential-helper/cmd/cre-sandbox/internal/agent"
	"cre-credential-helper/cmd/cre-sandbox/internal/official"

	"github.com/urfave/cli/v2"
)

func main() {
	if official.IsName(os.Args[0]) {
		os.Exit(runOfficial(context.Background(), os.Args[1:]))
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the OpenID library logs every refusal
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newApp(os.Stdin, os.Stdout, os.Stderr).RunContext(ctx, os.Args)
	stop()
	var exit exitError
	switch {
	case errors.As(err, &exit):
		os.Exit(int(exit))
	case err != nil:
		fmt.Fprintf(os.Stderr, "cre-sandbox: %v\n", err)
		os.Exit(1)
	}
}

// exitError is an exit code of which everything has been said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

var errUsage = errors.New("usage")

func newApp(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:           "cre-sandbox",
		Usage:          "a CRE platform on loopback, for trying out and for tests",
		Version:        version(),
		Reader:         stdin,
		Writer:         stdout,
		ErrWriter:      stderr,
		ExitErrHandler: func(*cli.Context, error) {}, // only main exits
		OnUsageError:   usageError,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return fmt.Errorf("%w: no command %q: see cre-sandbox --help", errUsage, c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{{
			Name:        "serve",
			Usage:       "print the variables that lead here, and serve until interrupted",
			Description: "cre-sandbox serve > env.sh &\n. ./env.sh; cre login",
			Flags:       sandboxFlags(),
			Action:      serve,
		}, {
			Name:        "run",
			Usage:       "serve while a command runs, with the variables set for it",
			ArgsUsage:   "-- COMMAND [ARGUMENT...]",
			Description: "cre-sandbox run --token-lifetime 30s -- sh -c 'cre login && cre whoami'",
			Flags: append(sandboxFlags(), &cli.BoolFlag{
				Name: flagNewHome, Usage: "give it an empty home, for as long as it runs, and no variable that leads to your own settings",
			}),
			Action: run,
		}, {
			Name:        "browse",
			Usage:       "log in as a person with a browser would, from an authorize URL",
			ArgsUsage:   "URL",
			Description: "cre-sandbox browse 'http://127.0.0.1:4711/authorize?…', the URL that cre login prints",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "email", Usage: "type this `ADDRESS` instead of the form's own"},
				&cli.StringFlag{Name: "password", Value: "any", Usage: "type this `PASSWORD`"},
				&cli.BoolFlag{Name: "deny", Usage: "press the form's Deny button"},
			},
			Action: browse,
		}},
	}
	app.Commands = append(app.Commands, testCommands()...)
	for _, c := range app.Commands {
		c.OnUsageError = usageError
	}
	return app
}

func usageError(_ *cli.Context, err error, _ bool) error {
	return fmt.Errorf("%w: %w: see --help", errUsage, err)
}

func serve(c *cli.Context) error {
	s, err := start(c)
	if err != nil {
		return err
	}
	defer s.Close()
	var b strings.Builder
	fmt.Fprintf(&b, "# A CRE platform on loopback. Type these lines into a shell, then: cre login\n")
	for _, variable := range s.Env() {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(value))
	}
	fmt.Fprintf(&b, "# Instead of a login: export CRE_API_KEY=%s\n", quote(s.APIKey()))
	fmt.Fprintf(&b, "# What happened so far: %s/stats. Ctrl-C ends it.\n", s.URL)
	if _, err := io.WriteString(c.App.Writer, b.String()); err != nil {
		return err
	}
	<-c.Context.Done()
	return nil
}

// quote makes one word of s for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func browse(c *cli.Context) error {
	if c.NArg() != 1 {
		return fmt.Errorf("%w: browse takes one URL", errUsage)
	}
	page, err := agent.Browse(c.Context, c.Args().First(), agent.Options{
		Email:    c.String("email"),
		Password: c.String("password"),
		Deny:     c.Bool("deny"),
	})
	if err != nil {
		return fmt.Errorf("browsing: %w", err)
	}
	fmt.Fprintln(c.App.Writer, page.Title)
	if page.Status >= 400 {
		return exitError(1)
	}
	return nil
}
