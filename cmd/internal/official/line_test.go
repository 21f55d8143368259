package official

import (
	"slices"
	"strings"
	"testing"
)

// TestTheCommandIsTheOneThatCobraFinds: the expected values are what Cobra
// v1.10 finds with the official CLI's flags.
func TestTheCommandIsTheOneThatCobraFinds(t *testing.T) {
	for line, want := range map[string]struct {
		command, word string
		ours          bool
	}{
		"":                               {ours: true},
		"-v":                             {ours: true},
		"--help":                         {ours: true},
		"--version":                      {ours: true},
		"--help workflow":                {ours: true},
		"login":                          {command: "login", ours: true},
		"-v login":                       {command: "login", ours: true},
		"-R . logout":                    {command: "logout", ours: true},
		"--env=x whoami":                 {command: "whoami", ours: true},
		"--env x whoami":                 {command: "whoami", ours: true},
		"--non-interactive login":        {command: "login", ours: true},
		"login --help":                   {command: "login", ours: true},
		"login workflow list":            {command: "login", ours: true},
		"-T login workflow list":         {command: "workflow list"},
		"-T login":                       {ours: true}, // no command
		"-T=x login":                     {command: "login", ours: true},
		"-Tx login":                      {command: "login", ours: true},
		"-v -- login":                    {ours: true}, // what comes after -- is no command
		"workflow":                       {command: "workflow"},
		"workflow deploy login":          {command: "workflow deploy"},
		"workflow -v deploy x":           {command: "workflow deploy"},
		"workflow -T deploy list":        {command: "workflow list"},
		"workflow login":                 {command: "workflow", word: "login"},
		"workflow limits export":         {command: "workflow limits export"},
		"secrets --timeout 5m create":    {command: "secrets create"},
		"-ve file workflow":              {word: "file"}, // flags in one word take no other here
		"--unknown login workflow list":  {command: "workflow list"},
		"frobnicate":                     {word: "frobnicate"},
		"Login":                          {word: "Login"},
		"help":                           {command: "help", ours: true},
		"help login":                     {command: "help", ours: true},
		"help workflow deploy":           {command: "help"},
		"help -v workflow":               {command: "help"},
		"help nonsense":                  {command: "help", ours: true},
		"setup official --undo":          {command: "setup", ours: true},
		"version":                        {command: "version", ours: true},
		"completion bash":                {command: "completion", ours: true},
		"__complete workflow --env x ''": {command: "__complete", ours: true},
		"-v __completeNoDesc":            {command: "__completeNoDesc", ours: true},
		"workflow __complete":            {command: "workflow", word: "__complete"},
	} {
		l := Parse(strings.Fields(line))
		if strings.Join(l.Command, " ") != want.command || l.Word != want.word || l.IsOurs() != want.ours {
			t.Errorf("cre %s: command %q, word %q, ours %v", line, l.Command, l.Word, l.IsOurs())
		}
	}
}

func TestTheLastEnvironmentFileCounts(t *testing.T) {
	for line, want := range map[string][2]string{
		"workflow list":                            {},
		"workflow list -e a":                       {"a"},
		"-e a workflow list -e b":                  {"b"},
		"workflow list -eb":                        {"b"},
		"workflow list -e=b":                       {"b"},
		"workflow list -ve b":                      {"b"},
		"workflow list -veb":                       {"b"},
		"workflow list --env=b":                    {"b"},
		"workflow list --env b -E c":               {"b", "c"},
		"workflow list --env b --public-env=c":     {"b", "c"},
		"workflow list --env b --env=":             {},
		"workflow list -T -e b":                    {},
		"workflow list -- -e b":                    {},
		"workflow deploy -o -e b":                  {},
		"workflow deploy -re b":                    {"b"},
		"workflow deploy -oe b":                    {},
		"workflow list --unknown -e b":             {"b"},
		"workflow list -xe b":                      {},
		"workflow list -e":                         {},
		"-e workflow workflow list":                {"workflow"},
		"__complete -e b":                          {},
		"whoami -e b":                              {"b"},
		"workflow simulate --env b=c --output -e=": {"b=c"},
	} {
		l := Parse(strings.Fields(line))
		if got := [2]string{l.EnvFile, l.PublicEnvFile}; got != want {
			t.Errorf("cre %s: %q", line, got)
		}
	}
}

func TestOurCommandsGetTheirArgumentsWithoutGlobalFlags(t *testing.T) {
	for line, want := range map[string]string{
		"-v login --no-browser":                  "login --no-browser",
		"-R . --env x logout":                    "logout",
		"--non-interactive login":                "login --non-interactive",
		"login --non-interactive=false":          "login --non-interactive=false",
		"-vh whoami":                             "whoami -h",
		"whoami --json -T x -ve y":               "whoami --json",
		"setup git --host h -v --host i":         "setup git --host h --host i",
		"setup docker -- -v":                     "setup docker -- -v",
		"completion bash":                        "completion bash",
		"__complete -e f workflow -T":            "__complete -e f workflow -T",
		"__complete -- login --help":             "__complete -- login --help",
		"--version":                              "--version",
		"-v --help":                              "--help",
		"whoami extra":                           "whoami extra",
		"--allow-unknown-chains -E f login -x=1": "login -x=1",
	} {
		l := Parse(strings.Fields(line))
		if got := strings.Join(l.Own, " "); got != want || !l.IsOurs() {
			t.Errorf("cre %s: %q, ours %v", line, got, l.IsOurs())
		}
	}
}

func TestWhichCommandsNeedASession(t *testing.T) {
	for line, want := range map[string][2]bool{ // yes, known
		"workflow":                      {false, true},
		"workflow build x":              {false, true},
		"workflow hash x":               {false, true},
		"workflow limits export":        {false, true},
		"workflow deploy x":             {true, true},
		"workflow deploy --help":        {false, true},
		"workflow deploy -vh":           {false, true},
		"workflow deploy --help=false":  {true, true},
		"workflow deploy -- --help":     {true, true},
		"workflow deploy -o --help":     {true, true},
		"workflow deploy --new --help":  {true, true}, // may be the value of --new
		"workflow frobnicate":           {true, false},
		"frobnicate":                    {true, false},
		"frobnicate workflow":           {true, false},
		"account":                       {false, true},
		"account access":                {true, true},
		"registry":                      {true, true},
		"init":                          {true, true},
		"templates list":                {false, true},
		"generate-bindings evm --abi x": {false, true},
		"update":                        {false, true},
		"help workflow":                 {false, true},
		"secrets create x":              {true, true},
		"execution logs x":              {true, true},
	} {
		yes, known := Parse(strings.Fields(line)).NeedsSession()
		if got := [2]bool{yes, known}; got != want {
			t.Errorf("cre %s: needs a session %v, known %v", line, yes, known)
		}
	}
}

func TestNearMisses(t *testing.T) {
	for word, want := range map[string]string{
		"whomai": "whoami", "whoiam": "whoami", "Whoami": "whoami", "lgoin": "login", "loign": "login",
		"logn": "login", "logout1": "logout", "logot": "logout", "setpu": "setup", "complete": "",
		"completions": "completion", "versoin": "version", "hlep": "help",
		"workflw": "", "updat": "", "logs": "", "frobnicate": "", "": "", "x": "", "secret": "", "ini": "",
		strings.Repeat("login", 100000): "",
	} {
		if got, ok := Near(word); got != want || ok != (want != "") {
			t.Errorf("%.20s: %q", word, got)
		}
	}
}

func TestEveryCommandHasItsGroupBeforeIt(t *testing.T) {
	seen := map[string]Entry{}
	for _, e := range Commands() {
		if i := strings.LastIndex(e.Name, " "); i >= 0 && !seen[e.Name[:i]].Group {
			t.Errorf("%s has no group", e.Name)
		}
		if _, twice := seen[e.Name]; twice {
			t.Errorf("%s is there twice", e.Name)
		}
		seen[e.Name] = e
		for _, name := range strings.Fields(e.Flags) {
			if f, known := longFlag(name); !known || f.Global {
				t.Errorf("%s has no flag --%s of its own", e.Name, name)
			}
		}
	}
}

// FuzzParse: whatever the arguments, no command of theirs that is ours is
// handed on, and our own commands see none of their global flags.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "-v\x00login", "-ve\x00f\x00workflow\x00list", "--env=x\x00--\x00-e", "-T\x00login", "help\x00-h\x00workflow"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args := strings.Split(text, "\x00")
		before := slices.Clone(args)
		l := Parse(args)
		if !slices.Equal(args, before) {
			t.Fatalf("%q became %q", before, args)
		}
		if len(l.Command) > 0 && l.Command[0] != helpCommand && (slices.Contains(ours(), l.Command[0]) || l.IsCompletion()) != l.IsOurs() {
			t.Fatalf("%q: command %q, ours %v", args, l.Command, l.IsOurs())
		}
		if yes, known := l.NeedsSession(); !yes && !known && !l.Help {
			t.Fatalf("%q isn't known, and needs no session", args)
		}
		if !l.IsOurs() && len(l.Own) > 0 {
			t.Fatalf("%q: %q for us", args, l.Own)
		}
		if again := parse(l.Own); !l.IsCompletion() && slices.ContainsFunc(again.sets, func(s set) bool { return !s.kept() }) {
			t.Fatalf("%q: %q for us", args, l.Own)
		}
		Near(l.Word)
	})
}
