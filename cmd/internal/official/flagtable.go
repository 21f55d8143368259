package official

// Flag is one of the official CLI's flags.
type Flag struct {
	Name   string // the long one, without dashes; empty: it has a short one alone
	Short  string // one letter; empty: none
	Usage  string // one line
	Value  string // what its value is, as in package completion; empty: it takes none
	Global bool   // every command has it
}

const (
	flagEnv            = "env"
	flagPublicEnv      = "public-env"
	flagNonInteractive = "non-interactive"
	flagHelp           = "help"
)

// Flags returns all flags of the official CLI; which of its own each command has
// is in [Commands]. No two commands give one name different meanings, so that one
// table does for all; what some short ones mean depends on the command.
func Flags() []Flag {
	return []Flag{
		{Name: flagEnv, Short: "e", Value: "FILE", Global: true, Usage: "the .env file, with secrets"},
		{Name: flagPublicEnv, Short: "E", Value: "FILE", Global: true, Usage: "the .env.public file, without secrets"},
		{Name: "project-root", Short: "R", Value: "DIR", Global: true, Usage: "the project's folder"},
		{Name: "target", Short: "T", Value: "NAME", Global: true, Usage: "the target whose settings are used"},
		{Name: "verbose", Short: "v", Global: true, Usage: "say more"},
		{Name: flagNonInteractive, Global: true, Usage: "fail instead of asking"},
		{Name: "allow-insecure-rpc", Global: true, Usage: "take RPC URLs over plain HTTP"},
		{Name: "allow-unknown-chains", Global: true, Usage: "don't check the chains' names"},
		{Name: flagHelp, Short: "h", Usage: "show help"},
		{Name: "abi", Value: "DIR", Usage: "the ABI files' folder"},
		{Name: "all-registries", Usage: "look in every registry"},
		{Name: "auto-start", Short: "r", Usage: "activate the workflow, too"},
		{Name: "broadcast", Usage: "send the transactions"},
		{Name: "capability", Value: "ID", Usage: "this capability's events only"},
		{Name: "config", Value: "FILE", Usage: "the configuration, instead of workflow.yaml's"},
		{Name: "default-config", Usage: "the configuration that workflow.yaml names"},
		{Name: "end", Value: "TIME", Usage: "up to this time (ISO 8601)"},
		{Name: "engine-logs", Short: "g", Usage: "show the engine's log"},
		{Name: "evm-event-index", Value: "NUMBER", Usage: "the event's index in the transaction's log"},
		{Name: "evm-tx-hash", Value: "HASH", Usage: "the transaction that triggers"},
		{Name: "force", Short: "f", Usage: "don't ask"},
		{Name: "http-payload", Value: "FILE", Usage: "the request's body: JSON, or a file of it"},
		{Name: "idl", Value: "DIR", Usage: "the IDL files' folder"},
		{Name: "include-deleted", Usage: "deleted workflows, too"},
		{Name: "include-function-selector", Usage: "put the function selector into reports"},
		{Name: "json", Usage: "print JSON"},
		{Name: "language", Value: "go|typescript", Usage: "the bindings' language"},
		{Name: "limit", Value: "NUMBER", Usage: "at most this many"},
		{Name: "limits", Value: "FILE", Usage: "the limits' file, default or none"},
		{Name: "namespace", Value: "NAME", Usage: "the secrets' namespace"},
		{Name: "no-config", Usage: "without a configuration"},
		{Name: "node", Value: "ID", Usage: "this node's log only"},
		{Name: "out", Value: "DIR", Usage: "the folder to write to"},
		{Name: "output", Value: "FILE", Usage: "the file to write, or json for that format"},
		{Name: "owner-label", Value: "TEXT", Usage: "what to call the owner"},
		{Name: "pkg", Value: "NAME", Usage: "the package's name"},
		{Name: "project-name", Value: "NAME", Usage: "the new project's name"},
		{Name: "public_key", Value: "ADDRESS", Usage: "the owner's address"},
		{Name: "refresh", Usage: "fetch anew, past the cache"},
		{Name: "registry", Value: "ID", Usage: "this registry only"},
		{Name: "rpc-url", Value: "CHAIN=URL", Usage: "a chain's RPC URL"},
		{Name: "secrets-auth", Value: "owner-key-signing|browser", Usage: "how the owner is known"},
		{Name: "skip-type-checks", Usage: "don't check TypeScript's types"},
		{Name: "start", Value: "TIME", Usage: "from this time on (ISO 8601)"},
		{Name: "status", Value: "TRIGGERED|IN_PROGRESS|SUCCESS|FAILURE", Usage: "those of this status only"},
		{Name: "template", Value: "NAME", Usage: "the template to begin with"},
		{Name: "timeout", Value: "DURATION", Usage: "how long the operation stays valid"},
		{Name: "trigger-index", Value: "NUMBER", Usage: "the trigger to run"},
		{Name: "unsigned", Usage: "return the transaction instead of sending it"},
		{Name: "wasm", Value: "FILE", Usage: "a compiled workflow, or its URL"},
		{Name: "workflow-name", Value: "NAME", Usage: "the new workflow's name"},
		{Name: "yes", Usage: "don't ask"},
		{Short: "p", Value: "NAME"}, // project-name, and project-root of generate-bindings
		{Short: "l", Value: "NAME"}, // owner-label, language
		{Short: "o", Value: "FILE"}, // output, out
		{Short: "t", Value: "NAME"}, // template
		{Short: "w", Value: "NAME"}, // workflow-name
		{Short: "a", Value: "DIR"},  // abi
		{Short: "i", Value: "DIR"},  // idl
		{Short: "k", Value: "NAME"}, // pkg
	}
}
