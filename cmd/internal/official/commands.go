package official

import (
	"slices"
	"strings"

	"cre-credential-helper/cmd/internal/near"
)

// Entry is a command of the official CLI.
type Entry struct {
	Name    string // as it is typed, without "cre"
	Short   string // one line for help and completion; empty for those nobody types
	Session bool   // it asks for a session, and logs in by itself if there is none
	Flags   string // its own flags' names, with spaces between; the global ones go without saying

	Group bool // it has commands below it, and does nothing but show them
}

// Commands returns the commands of the official CLI, groups before their
// members. The list is fixed, as of version 1.27 and what is documented of 1.32:
// to ask the program that is installed takes half a second and understands its
// help's layout, and the answer would have to be kept in one more file. A
// command that isn't listed is started all the same.
func Commands() []Entry {
	return []Entry{
		{Name: "account", Short: "manage the account", Group: true},
		{Name: "account access", Short: "check or ask for deploy access", Session: true},
		{Name: "account link-key", Short: "link a public key to the account", Session: true, Flags: "owner-label unsigned yes"},
		{Name: "account list-key", Short: "list the linked keys", Session: true},
		{Name: "account unlink-key", Short: "unlink a public key", Session: true, Flags: "unsigned yes"},
		{Name: "execution", Short: "look at workflow executions", Session: true, Group: true},
		{Name: "execution events", Short: "show the events of an execution", Session: true, Flags: "capability json output status"},
		{Name: "execution list", Short: "list recent executions", Session: true, Flags: "end json limit output start status"},
		{Name: "execution logs", Short: "show what an execution logged", Session: true, Flags: "json node output"},
		{Name: "execution status", Short: "show the state of an execution", Session: true, Flags: "json output"},
		{Name: "generate-bindings", Short: "generate bindings for contracts", Group: true},
		{Name: "generate-bindings evm", Short: "generate bindings from an ABI", Flags: "abi include-function-selector language pkg"},
		{Name: "generate-bindings solana", Short: "generate bindings from an IDL", Flags: "idl language out"},
		{Name: "init", Short: "create a project or a workflow", Session: true, Flags: "project-name refresh rpc-url template workflow-name"},
		{Name: "registry", Short: "look at workflow registries", Session: true, Group: true},
		{Name: "registry list", Short: "list the registries", Session: true},
		{Name: "secrets", Short: "manage secrets", Group: true},
		{Name: "secrets create", Short: "create secrets from a file", Session: true, Flags: "secrets-auth timeout unsigned yes"},
		{Name: "secrets delete", Short: "delete secrets", Session: true, Flags: "secrets-auth timeout unsigned yes"},
		{Name: "secrets execute", Short: "carry out a prepared change", Session: true, Flags: "timeout unsigned"},
		{Name: "secrets list", Short: "list the secrets' names", Session: true, Flags: "namespace secrets-auth timeout unsigned yes"},
		{Name: "secrets update", Short: "update secrets from a file", Session: true, Flags: "secrets-auth timeout unsigned yes"},
		{Name: "templates", Short: "manage sources of templates", Group: true},
		{Name: "templates add", Short: "add a source"},
		{Name: "templates list", Short: "list the templates", Flags: "refresh"},
		{Name: "templates remove", Short: "remove a source"},
		{Name: "update", Short: "update the official CLI"},
		{Name: "workflow", Short: "manage workflows", Group: true},
		{Name: "workflow activate", Short: "activate a workflow", Session: true, Flags: "unsigned yes"},
		{Name: "workflow build", Short: "compile a workflow", Flags: "output skip-type-checks"},
		{Name: "workflow custom-build", Short: "turn a workflow into a self-compiled one", Session: true, Flags: "force"},
		{Name: "workflow delete", Short: "delete a workflow", Session: true, Flags: "unsigned yes"},
		{Name: "workflow deploy", Short: "deploy a workflow", Session: true, Flags: "output owner-label unsigned yes"},
		{Name: "workflow get", Short: "show a workflow", Session: true, Flags: "all-registries"},
		{Name: "workflow hash", Short: "compute a workflow's hashes", Flags: "config default-config no-config public_key skip-type-checks wasm"},
		{Name: "workflow limits", Short: "manage the limits of simulations", Group: true},
		{Name: "workflow limits export", Short: "print the default limits"},
		{Name: "workflow list", Short: "list workflows", Session: true, Flags: "include-deleted output registry"},
		{Name: "workflow pause", Short: "pause a workflow", Session: true, Flags: "unsigned yes"},
		{Name: "workflow simulate", Short: "simulate a workflow", Session: true, Flags: "broadcast config default-config engine-logs evm-event-index evm-tx-hash http-payload limits no-config trigger-index wasm"},
		{Name: "workflow supported-chains", Short: "list the chains", Session: true, Flags: "output"},
		{Name: "workflow test", Short: "test a workflow", Session: true},
		{Name: helpCommand},
	}
}

const helpCommand = "help"

// What completion scripts ask, those of the official CLI, too. It is ours: the
// official CLI's own answer takes a session, half a second and the network, and
// without a session it would log in.
const (
	Complete       = "__complete"
	CompleteNoDesc = "__completeNoDesc" // without what each candidate does
)

func isCompletion(word string) bool { return word == Complete || word == CompleteNoDesc }

// ours are the commands that this project's cre answers.
func ours() []string {
	return []string{"login", "logout", "whoami", "session", "completion", "setup", "doctor", "version", helpCommand}
}

func entry(path []string) (Entry, bool) {
	name := strings.Join(path, " ")
	all := Commands()
	i := slices.IndexFunc(all, func(e Entry) bool { return e.Name == name })
	if i < 0 || slices.Contains(path, "") {
		return Entry{}, false
	}
	return all[i], true
}

// Near returns the command of ours that somebody may have meant by a word that
// is no command. It is no near miss if it is as near to one of the official
// CLI's.
func Near(word string) (command string, ok bool) {
	command = near.Best(word, ours())
	theirs := near.Best(word, groups())
	if command == "" || theirs != "" && slips(word, theirs) <= slips(word, command) {
		return "", false
	}
	return command, true
}

// NearAny is Near for the commands of both. Where one of the official CLI's is
// meant, a newer one may have the very word, so that this is only for who can't
// ask it.
func NearAny(word string) (command string, ok bool) {
	command = near.Best(word, slices.Concat(ours(), groups()))
	return command, command != ""
}

func slips(word, command string) int { return near.Distance(strings.ToLower(word), command) }

// groups are the official CLI's commands that come first.
func groups() (names []string) {
	for _, e := range Commands() {
		if !strings.Contains(e.Name, " ") && e.Name != helpCommand {
			names = append(names, e.Name)
		}
	}
	return names
}

// Habit returns what answers here to the words of other programs' users, gh's for
// one: the command line of ours.
func Habit(line Line, operands []string) (command string, ok bool) {
	if len(line.Command) > 0 {
		return "", false
	}
	word := line.Word
	if word == "auth" && len(operands) > 1 {
		word = operands[1]
	}
	command, ok = map[string]string{
		"auth": "session", "signin": "login", "signout": "logout", "status": "session", "accounts": "session list",
		"switch": "session use", "token": "session token", "grants": "session grants", "revoke": "session grants revoke", "login": "login", "logout": "logout", "whoami": "whoami",
	}[word]
	switch {
	case line.Word == "grant": // as the helper has it
		return "cre-credential-helper grant", true
	case !ok || line.Word == "":
		return "", false
	}
	return "cre " + command, true
}
