//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cre-credential-helper/keyring/keyringtest"
)

var (
	recipeHeading = regexp.MustCompile(`(?m)^## `)
	fence         = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```\n")
	fileName      = regexp.MustCompile("^In `([^`]+)`:$")
	notRun        = "Not run by the tests:"
)

// recipe is a section of docs/integrations.md.
type recipe struct {
	title, text string
	blocks      []recipeBlock
}

// recipeBlock is a file, commands, what the commands before it print, or, without
// any of these, an example that isn't run.
type recipeBlock struct {
	file, commands, output string
	text                   string
}

func readRecipes(t *testing.T) (recipes []recipe) {
	for _, section := range split(readFile(t, repository+"/docs/integrations.md"), recipeHeading) {
		r := recipe{title: strings.TrimPrefix(firstLine(section), "## "), text: section}
		end := 0
		for _, at := range fence.FindAllStringSubmatchIndex(section, -1) {
			language, text := section[at[2]:at[3]], section[at[4]:at[5]]
			between := strings.TrimSpace(section[end:at[0]])
			named := fileName.FindStringSubmatch(between[strings.LastIndexByte(between, '\n')+1:])
			block := recipeBlock{text: text}
			switch {
			case named != nil:
				block.file = named[1]
			case language == "sh":
				block.commands = text
			case between == "":
				block.output = text
			case language != "text":
				t.Errorf("%s: a block of %s that belongs to no file", r.title, language)
			}
			r.blocks, end = append(r.blocks, block), at[1]
		}
		recipes = append(recipes, r)
	}
	return recipes
}

// TestRecipesRunAsTheyStand writes the files of docs/integrations.md and runs its
// commands, a recipe in a folder of its own: with a gnome-keyring, two accounts, a
// registry and a sandbox in place of the platform. What is written for a program
// that can't run here is read, and the commands in it are run.
func TestRecipesRunAsTheyStand(t *testing.T) {
	kitchen := newKitchen(t)
	recipes := readRecipes(t)
	checks := map[string]recipeCheck{
		"Bazel":                           bazelRecipe,
		"GitHub Actions, with an API key": actionsRecipe,
		"GitHub Actions, with cre":        actionsRecipe,
		"Dev container":                   containerRecipe,
		"systemd":                         systemdRecipe,
		"Kubernetes":                      kubernetesRecipe,
		"VS Code":                         taskRecipe,
	}
	needs := map[string][]string{
		"curl": {"curl"}, "A shell function": {"curl"}, "docker": {"docker"}, "podman": {"podman"}, "Python": {"python3"},
		"Node": {"node"}, "GitHub Actions, with an API key": {"curl"}, "direnv": {"direnv"}, "systemd": {"systemd-analyze"},
	}
	prelude, before := "", recipes[0]
	for _, b := range before.blocks {
		prelude += b.commands
	}
	kitchen.setenv("CHECKOUT=" + kitchen.checkout)
	prelude = strings.ReplaceAll(prelude, "CHECKOUT=$PWD", "CHECKOUT=$CHECKOUT")
	for _, r := range recipes[1:] {
		t.Run(r.title, func(t *testing.T) {
			keyringtest.Need(t, needs[r.title]...)
			c := cook{machine: kitchen.in(t), dir: t.TempDir(), prelude: prelude}
			c.write(filepath.Join(c.dir, "password.txt"), 0o600, registryToken)
			c.write(filepath.Join(c.dir, "api-key.txt"), 0o600, c.platform.APIKey()+"\n")
			c.cook(r)
			check := checks[r.title]
			if check != nil {
				check(c)
			}
			if strings.Contains(r.text, notRun) != (check != nil) {
				t.Errorf("%q must stand there exactly where a test reads a file and doesn't run it", notRun)
			}
			delete(checks, r.title)
		})
	}
	if deployed := kitchen.platform.Stats().GraphQL["deployWorkflow"]; deployed != 4 { // Actions, VS Code, and make twice
		t.Errorf("the recipes deployed %d times", deployed)
	}
	if len(checks) != 0 || len(recipes) < 15 {
		t.Errorf("%d recipes were found, and none for %v", len(recipes), checks)
	}
}

// TestNoRecipeIsMissing holds the list of recipes, so that none is
// lost without a decision.
func TestNoRecipeIsMissing(t *testing.T) {
	var titles []string
	for _, r := range readRecipes(t) {
		titles = append(titles, r.title)
	}
	want := "Before you start, curl, A shell function, git, docker, podman, Bazel, Go, Python, Node, GitHub Actions, with an API key, " +
		"GitHub Actions, with cre, direnv, Dev container, systemd, Kubernetes, VS Code, make"
	if got := strings.Join(titles, ", "); got != want {
		t.Errorf("the recipes are %s", got)
	}
}

// kitchen is a machine with all that the recipes use.
type kitchen struct {
	*machine
	checkout string
}

func newKitchen(t *testing.T) kitchen {
	t.Helper()
	k := kitchen{machine: newMachine(t, keychainMode, withAccess)}
	checkout, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	k.checkout = checkout
	registries := filepath.Join(t.TempDir(), "registries.conf")
	r := startRegistry(t, false)
	k.write(registries, 0o600, "[[registry]]\nlocation = \""+r.host+"\"\ninsecure = true\n")
	k.setenv("REGISTRY="+r.host, "CONTAINERS_REGISTRIES_CONF="+registries, "DOCKER_CONFIG=", "REGISTRY_AUTH_FILE=", "CRE_ACCOUNT=",
		"XDG_DATA_HOME=", "XDG_CONFIG_HOME=", "GIT_CONFIG_NOSYSTEM=1", "GOFLAGS=", "MAKEFLAGS=", "NODE_OPTIONS=",
		"GOPATH="+goEnv(t, "GOPATH"), "GOCACHE="+goEnv(t, "GOCACHE"))
	if o := k.run("", "cre-sandbox", "official-installer", "--script"); o.status != 0 {
		t.Fatal(o)
	}
	for _, username := range []string{"work@domain.com", "email@domain.com"} { // the last one is the default
		session := strings.Replace(strings.Join(k.attributes(k.newSession()), "\n"), "email@domain.com", username, 1)
		if o := k.helper("store", session); o.status != 0 {
			t.Fatal(o)
		}
	}
	return k
}

// cook follows a recipe in a folder.
type cook struct {
	*machine
	dir, prelude string
}

func (c cook) cook(r recipe) {
	c.Helper()
	for i, b := range r.blocks {
		switch {
		case b.file != "":
			c.write(filepath.Join(c.dir, b.file), 0o600, b.text)
		case b.commands != "":
			want := ""
			if i+1 < len(r.blocks) {
				want = r.blocks[i+1].output
			}
			c.sh(b.commands, want)
		}
	}
}

// sh runs commands, and compares what they print, unless nothing is wanted.
func (c cook) sh(commands, want string, variables ...string) {
	c.Helper()
	cmd := exec.CommandContext(c.Context(), "sh", "-euc", c.prelude+commands)
	cmd.Dir, cmd.Env = c.dir, append(c.environ(), variables...)
	o := c.finish(cmd, "")
	expected := ""
	for line := range strings.Lines(want) {
		expected += pattern(strings.TrimSuffix(line, "\n"))
	}
	printed := strings.TrimSuffix(o.stdout, "\n") + "\n" // an answer of the platform ends without one
	if o.status != 0 || want != "" && !matches(expected, printed) {
		c.Errorf("%v of\n%s\nwant\n%s", o, commands, want)
	}
}

// file reads a file of the recipe.
func (c cook) file(name string) []byte {
	c.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		c.Fatal(err)
	}
	return data
}
