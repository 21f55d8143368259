//go:build unix

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"gopkg.in/yaml.v2"
)

// recipeCheck reads the file of a recipe for a program that isn't run, and runs
// what that program would.
type recipeCheck func(cook)

const itsOrganization = `{"organizationId":"org_mEMRknbVURM9DWsB",…}`

// noHome is what a service or a container may have.
const noHome = "/nonexistent"

// bazelRecipe holds that .bazelrc names the platform's host and a program that is
// installed. TestBazelSchema has the request.
func bazelRecipe(c cook) {
	option := regexp.MustCompile(`^common --credential_helper=api\.cre\.chain\.link=(\S+)\n$`).FindSubmatch(c.file(".bazelrc"))
	if option == nil {
		c.Fatalf(".bazelrc holds %q", c.file(".bazelrc"))
	}
	if _, err := os.Stat(filepath.Join(c.bin, string(option[1]))); err != nil {
		c.Error(err)
	}
}

// actionsRecipe parses the workflow, and runs each step that isn't an action's and
// doesn't install.
func actionsRecipe(c cook) {
	files, err := filepath.Glob(filepath.Join(c.dir, ".github/workflows/*.yml"))
	if err != nil || len(files) != 1 {
		c.Fatalf("%q, %v", files, err)
	}
	var workflow struct {
		Name        string
		On          any
		Permissions map[string]string
		Jobs        map[string]struct {
			RunsOn string `yaml:"runs-on"`
			Env    map[string]string
			Steps  []struct {
				Name, Uses, Run string
				With            map[string]any
				Env             map[string]string
			}
		}
	}
	parseStrictly(c, []byte(readFile(c.T, files[0])), &workflow)
	ran := 0
	for _, job := range workflow.Jobs {
		for _, step := range job.Steps {
			if pinned := regexp.MustCompile(`@[0-9a-f]{40}$`); step.Uses != "" && !pinned.MatchString(step.Uses) {
				c.Errorf("%s is not pinned", step.Uses)
			}
			if step.Run == "" || step.Name == "install" {
				continue
			}
			ran++
			if step.Env["CRE_API_KEY"] != "${{ secrets.CRE_API_KEY }}" {
				c.Errorf("the key of %s is %q", step.Name, step.Env["CRE_API_KEY"])
			}
			c.sh(step.Run, "", "CRE_API_KEY="+c.platform.APIKey())
		}
	}
	if workflow.Name == "" || workflow.On == nil || workflow.Permissions == nil || ran != 1 {
		c.Errorf("%+v: %d steps were run", workflow, ran)
	}
}

// containerRecipe holds that the variable names the file that is mounted.
func containerRecipe(c cook) {
	var container struct {
		Image        string
		Mounts       []string
		ContainerEnv map[string]string
		ForwardPorts []int
	}
	parseJSON(c, ".devcontainer/devcontainer.json", &container)
	target := ",target=" + container.ContainerEnv["CRE_API_KEY_FILE"] + ","
	if len(container.Mounts) != 1 || !strings.Contains(container.Mounts[0], target) || len(container.ForwardPorts) != 1 {
		c.Errorf("%+v", container)
	}
}

// systemdRecipe has systemd-analyze verify the unit with either line, and runs its
// command with the credential as systemd hands it over.
func systemdRecipe(c cook) {
	unit := string(c.file("organization.service"))
	command := regexp.MustCompile(`(?m)^ExecStart=/usr/bin/(.*)$`).FindStringSubmatch(unit)
	if command == nil {
		c.Fatalf("no command in %s", unit)
	}
	unit = strings.ReplaceAll(unit, "/usr/bin/", c.bin+"/")
	encrypted := strings.Replace(unit, "LoadCredential=cre-api-key:/etc/cre/api-key", "LoadCredentialEncrypted=cre-api-key:/etc/cre/api-key.cred", 1)
	for name, text := range map[string]string{"plain.service": unit, "encrypted.service": encrypted, "wrong.service": unit + "LoadCredential=a/b\n"} {
		path := filepath.Join(c.dir, name)
		c.write(path, 0o644, text)
		out, err := exec.CommandContext(c.Context(), "systemd-analyze", "verify", "--recursive-errors=no", path).CombinedOutput()
		if said := err != nil || strings.Contains(string(out), name); said != (name == "wrong.service") {
			c.Errorf("%s: %v: %s", name, err, out)
		}
	}
	c.sh("CREDENTIALS_DIRECTORY=$PWD/credentials "+command[1], itsOrganization, "HOME="+noHome)
}

// kubernetesRecipe mounts the secret as Kubernetes does, and runs the command.
func kubernetesRecipe(c cook) {
	var pod struct {
		Spec struct {
			Containers []struct {
				Command      []string
				Env          []struct{ Name, Value string }
				VolumeMounts []map[string]any `yaml:"volumeMounts"`
			}
			Volumes []struct {
				Name   string
				Secret struct {
					SecretName  string `yaml:"secretName"`
					DefaultMode int    `yaml:"defaultMode"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(c.file("pod.yaml"), &pod); err != nil {
		c.Fatal(err)
	}
	container, volume := pod.Spec.Containers[0], pod.Spec.Volumes[0]
	variable, mounted := container.Env[0], container.VolumeMounts[0]
	path, err := filepath.Rel(mounted["mountPath"].(string), variable.Value)
	if err != nil || path != "api-key" || mounted["name"] != volume.Name || volume.Secret.DefaultMode != 0o400 {
		c.Errorf("%+v: %v", pod, err)
	}
	c.write(filepath.Join(c.dir, "etc/..2026_11_26/api-key"), 0o400, c.platform.APIKey())
	if err := os.Chmod(filepath.Join(c.dir, "etc"), 0o777|os.ModeSticky); err != nil {
		c.Fatal(err)
	}
	for link, target := range map[string]string{"etc/..data": "..2026_11_26", "etc/api-key": "..data/api-key"} {
		if err := os.Symlink(target, filepath.Join(c.dir, link)); err != nil {
			c.Fatal(err)
		}
	}
	c.sh(strings.Join(container.Command, " "), itsOrganization, "HOME="+noHome, variable.Name+"="+filepath.Join(c.dir, "etc", path))
}

// taskRecipe runs the task's command.
func taskRecipe(c cook) {
	var file struct {
		Version string
		Tasks   []struct {
			Label, Type, Command string
			Args                 []string
			ProblemMatcher       []string
		}
	}
	parseJSON(c, ".vscode/tasks.json", &file)
	if file.Version != "2.0.0" || len(file.Tasks) != 1 || file.Tasks[0].Type != "process" {
		c.Fatalf("%+v", file)
	}
	c.sh(file.Tasks[0].Command+" "+strings.Join(file.Tasks[0].Args, " "), "")
	if c.platform.Stats().GraphQL["deployWorkflow"] == 0 {
		c.Error("the task deploys nothing")
	}
}

// parseJSON and parseStrictly refuse what the recipe's type doesn't have.
func parseJSON(c cook, name string, to any) {
	c.Helper()
	d := json.NewDecoder(strings.NewReader(string(c.file(name))))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		c.Fatalf("%s: %v", name, err)
	}
}

func parseStrictly(c cook, data []byte, to any) {
	c.Helper()
	if err := yaml.UnmarshalStrict(data, to); err != nil {
		c.Fatal(err)
	}
}
