//go:build unix

package e2e

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestHelpAndVersionAreOfBoth programs: ours first, and what belongs to one of the
// official CLI's commands is its own to say.
func TestHelpAndVersionAreOfBoth(t *testing.T) {
	t.Parallel()
	d := newDesk(newMachine(t, fileMode, withAccess))
	for line, c := range map[string]struct {
		started bool
		says    []string // in this order
	}{
		"version":             {true, []string{"cre version ", "CRE CLI version v1.27.0-sandbox"}},
		"--version":           {false, []string{"cre version "}},
		"--help":              {false, []string{"login", "logout", "whoami", "setup", "official CLI's", "account", "workflow"}},
		"-h":                  {false, []string{"login", "official CLI's", "workflow"}},
		"":                    {false, []string{"login", "official CLI's", "workflow"}},
		"help":                {false, []string{"login", "official CLI's", "workflow"}},
		"-v help":             {false, []string{"login", "official CLI's", "workflow"}},
		"help login":          {false, []string{"no-browser"}},
		"help setup":          {false, []string{"official", "git", "docker"}},
		"login --help":        {false, []string{"no-browser"}},
		"setup --help":        {false, []string{"official", "git", "docker"}},
		"setup git --help":    {false, []string{"host", "undo"}},
		"help workflow":       {true, []string{"build and deploy a workflow"}},
		"workflow --help":     {true, []string{"build and deploy a workflow"}},
		"workflow list -h":    {true, []string{"list the workflows", "--json"}},
		"workflow -h deploy":  {true, []string{"build and deploy a workflow"}},
		"help secrets create": {true, []string{"create secrets"}},
	} {
		o := d.cre(strings.Fields(line)...)
		rest, found := o.stdout, true
		for _, text := range c.says {
			if _, rest, found = strings.Cut(rest, text); !found {
				t.Errorf("cre %s: no %q where it belongs: %v", line, text, o)
				break
			}
		}
		if got := d.started(); o.status != 0 || strings.Contains(o.stderr, "Error") || (len(got) > 0) != c.started {
			t.Errorf("cre %s: %v; the official CLI was started with %q", line, o, got)
		}
	}
	if d.sessionText() != "" {
		t.Error("there is a cre.yaml")
	}
}

// TestOurCompletionKnowsBoth programs' commands, in a real bash. The official CLI
// isn't started for it.
func TestOurCompletionKnowsBoth(t *testing.T) {
	t.Parallel()
	d := newDesk(newMachine(t, fileMode, withAccess))
	const script = `eval "$(cre completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cre; printf '%s\n' "${COMPREPLY[@]}"`
	for line, want := range map[string][]string{
		"cre w":              {"whoami", "workflow"},
		"cre l":              {"login", "logout"},
		"cre s":              {"secrets", "session", "setup"},
		"cre h":              {"help"},
		"cre workflow ":      {"activate", "build", "custom-build", "delete", "deploy", "get", "hash", "limits", "list", "pause", "simulate", "supported-chains", "test"},
		"cre -v workflow l":  {"limits", "list"},
		"cre workflow limi":  {"limits"},
		"cre workflow lim x": {""},
		"cre setup ":         {"docker", "git", "official"},
		"cre setup git --h":  {"--help", "--host"},
		"cre completion z":   {"zsh"},
	} {
		cmd := exec.CommandContext(t.Context(), "bash", append([]string{"--norc", "-c", script, "bash"}, strings.Split(line, " ")...)...)
		cmd.Dir, cmd.Env = d.dir, d.environ()
		o := d.finish(cmd, "")
		got := strings.Split(strings.TrimSuffix(o.stdout, "\n"), "\n")
		slices.Sort(got)
		if !slices.Equal(got, want) || o.stderr != "" {
			t.Errorf("%q: %q, want %q; %v", line, got, want, o)
		}
	}
	if got := d.started(); len(got) > 0 {
		t.Errorf("the official CLI was started with %q", got)
	}
	if o := d.cre("completion", "zsh"); !strings.Contains(o.stdout, "compdef _cre cre") {
		t.Errorf("zsh: %v", o)
	}
}
