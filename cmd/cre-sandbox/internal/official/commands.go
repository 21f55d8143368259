package official

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// entry is one command of the tree.
type entry struct {
	path  string // below cre
	short string
	run   func(context.Context, *cobra.Command, []string) error // nil: shows its help
	flags func(*cobra.Command)
}

// root builds the tree as Cobra wants it: the flags and the command are found
// exactly as the official CLI finds them.
func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:               "cre",
		Short:             "CRE CLI tool",
		SilenceErrors:     true,
		RunE:              showHelp,
		PersistentPreRunE: p.prepare,
		PersistentPostRun: func(cmd *cobra.Command, _ []string) { p.askForNews(cmd) },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	flags := root.PersistentFlags()
	flags.StringP("env", "e", "", "path to the .env file, which contains secrets")
	flags.StringP("public-env", "E", "", "path to the .env.public file")
	flags.StringP("project-root", "R", "", "path to the project's root")
	flags.StringP("target", "T", "", "use this target's settings")
	flags.BoolP("verbose", "v", false, "say more")
	flags.Bool("non-interactive", false, "fail instead of asking")
	flags.Bool("allow-insecure-rpc", false, "take RPC URLs without TLS")
	flags.Bool("allow-unknown-chains", false, "take chains that are not known")
	for _, e := range slices.Concat(p.accountCommands(), p.workflowCommands(), p.otherCommands(), p.testCommands()) {
		add(root, e)
	}
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		help(cmd, args)
		p.helpOnAccess()
	})
	return root
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// add hangs an entry into the tree, below groups that came before it.
func add(root *cobra.Command, e entry) {
	parent := root
	words := strings.Fields(e.path)
	for _, word := range words[:len(words)-1] {
		i := slices.IndexFunc(parent.Commands(), func(c *cobra.Command) bool { return c.Name() == word })
		parent = parent.Commands()[i]
	}
	cmd := &cobra.Command{Use: words[len(words)-1], Short: e.short, RunE: showHelp, Hidden: strings.HasPrefix(e.path, "sandbox")}
	if e.run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error { return e.run(cmd.Context(), cmd, args) }
	}
	if e.flags != nil {
		e.flags(cmd)
	}
	parent.AddCommand(cmd)
}

// sessionFree is whether a command loads no credentials. All that isn't named
// here does: also Cobra's own __complete, and a group such as registry.
func sessionFree(cmd *cobra.Command) bool {
	path := strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "cre"), " ")
	return strings.HasPrefix(path, "sandbox") || slices.Contains([]string{
		"", "version", "login", "logout", "help", "update", "generate-bindings",
		"completion bash", "completion fish", "completion powershell", "completion zsh",
		"workflow", "workflow limits", "workflow limits export", "workflow build", "workflow hash",
		"account", "secrets", "templates", "templates list", "templates add", "templates remove",
	}, path)
}

// helpOnAccess looks at the session's claims, as the official help does.
func (p *program) helpOnAccess() {
	session, err := p.loadCredentials()
	if err != nil {
		return
	}
	if enabled, err := session.deployAccess(); err == nil && !enabled {
		p.say("\nDeploying is in early access: run cre account access to request it.")
	}
}
