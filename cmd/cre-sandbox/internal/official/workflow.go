package official

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (p *program) workflowCommands() []entry {
	return []entry{
		{path: "workflow", short: "workflows"},
		{path: "workflow deploy", short: "build and deploy a workflow", run: p.runDeploy, flags: deployFlags},
		{path: "workflow activate", short: "activate a workflow", run: p.change("ACTIVATE")},
		{path: "workflow pause", short: "pause a workflow", run: p.change("PAUSE")},
		{path: "workflow delete", short: "delete a workflow", run: p.change("DELETE")},
		{path: "workflow list", short: "list the workflows", run: p.runWorkflowList, flags: outputFlags},
		{path: "workflow get", short: "show a workflow", run: p.runWorkflowGet, flags: outputFlags},
		{path: "workflow simulate", short: "simulate a workflow", run: p.runSimulate},
		{path: "workflow supported-chains", short: "list the chains", run: p.runChains},
		{path: "workflow custom-build", short: "make the build a custom one", run: p.prints("The build is a custom one.")},
		{path: "workflow test", short: "run a workflow's tests", run: p.runBuild},
		{path: "workflow build", short: "build a workflow", run: p.runBuild},
		{path: "workflow hash", short: "print a workflow's hashes", run: p.runHash},
		{path: "workflow limits", short: "limits of a simulation"},
		{path: "workflow limits export", short: "print the default limits", run: p.prints(`{"limits":{}}`)},
	}
}

func deployFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Duration("takes", 0, "let so much time pass between the two requests")
	f.String("build", "", "a shell's command in the build step's place")
	f.String("upload", "0", "a GraphQL request of so many bytes, as in 100MB")
	f.String("download", "0", "an answer to it of so many bytes")
	f.String("artifact", "1KB", "an artifact of so many bytes for the presigned URL")
	f.Bool("yes", false, "don't ask")
}

func outputFlags(cmd *cobra.Command) { cmd.Flags().Bool("json", false, "print JSON") }

// name is the workflow's folder, the one argument.
func name(args []string) string {
	if len(args) == 0 {
		return "my-workflow"
	}
	return strings.Trim(args[0], "./")
}

// prints returns a command that prints a text.
func (p *program) prints(text string) func(context.Context, *cobra.Command, []string) error {
	return func(context.Context, *cobra.Command, []string) error {
		p.say("%s", text)
		return nil
	}
}

// runDeploy asks where the artifact goes, builds it in a child process, takes its
// time, uploads it without a credential, and deploys.
func (p *program) runDeploy(ctx context.Context, cmd *cobra.Command, args []string) error {
	if err := p.needDeployAccess(); err != nil {
		return err
	}
	size := map[string]int64{}
	for _, flag := range []string{"upload", "download", "artifact"} {
		n, err := parseSize(flagValue(cmd, flag))
		if err != nil {
			return fmt.Errorf("--%s: %w", flag, err)
		}
		size[flag] = n
	}
	var first struct{ CreateArtifactURL struct{ URL string } }
	err := p.ask(ctx, "mutation ($name: String!) { createArtifactUrl(name: $name) { url } }", map[string]any{"name": name(args)}, &first)
	if err != nil {
		return err
	}
	if err := p.build(ctx, flagValue(cmd, "build")); err != nil {
		return err
	}
	takes, err := cmd.Flags().GetDuration("takes")
	if err != nil {
		return err
	}
	if err := sleep(ctx, takes); err != nil {
		return err
	}
	if err := p.pause(ctx); err != nil {
		return err
	}
	if err := p.uploadArtifact(ctx, first.CreateArtifactURL.URL, size["artifact"]); err != nil {
		return err
	}
	return p.finishDeploy(ctx, name(args), size["upload"], size["download"])
}

func (p *program) finishDeploy(ctx context.Context, name string, upload, download int64) error {
	var second struct{ DeployWorkflow struct{ ID, Receipt string } }
	err := p.ask(ctx, `mutation ($name: String!, $artifact: String, $receipt: Int) {
		deployWorkflow(name: $name, artifact: $artifact, receiptBytes: $receipt) { id receipt } }`,
		map[string]any{"name": name, "artifact": strings.Repeat("a", int(upload)), "receipt": download}, &second)
	if err != nil {
		return err
	}
	if got := int64(len(second.DeployWorkflow.Receipt)); got != download {
		return fmt.Errorf("a receipt of %d bytes came, not of %d", got, download)
	}
	p.say("Workflow deployed: %s", second.DeployWorkflow.ID)
	return nil
}

// uploadArtifact sends zeros to a presigned URL.
func (p *program) uploadArtifact(ctx context.Context, url string, size int64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, io.LimitReader(zeros{}, size))
	if err != nil {
		return err
	}
	req.ContentLength = size
	if size == 0 {
		req.Body = http.NoBody
	}
	answer, err := p.client.do(req)
	if err == nil && answer.status != http.StatusOK {
		err = fmt.Errorf("uploading the artifact: status %d", answer.status)
	}
	return err
}

type zeros struct{}

// Read implements [io.Reader].
func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// build starts the build step: a child with this run's environment and streams.
func (p *program) build(ctx context.Context, command string) error {
	args := slices.Concat(p.Self, []string{"sandbox", "build"})
	if command != "" {
		args = []string{"sh", "-c", command}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Dir = p.childEnv(), p.Dir
	cmd.Stdout, cmd.Stderr = p.Stdout, p.Stderr
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the build failed: %w", err)
	}
	return nil
}

func (p *program) runBuild(ctx context.Context, _ *cobra.Command, _ []string) error {
	return p.build(ctx, "")
}

func (p *program) change(action string) func(context.Context, *cobra.Command, []string) error {
	return func(ctx context.Context, _ *cobra.Command, args []string) error {
		var data struct{ ChangeWorkflow workflow }
		err := p.ask(ctx, "mutation ($name: String!, $action: WorkflowAction!) { changeWorkflow(name: $name, action: $action) { name status } }",
			map[string]any{"name": name(args), "action": action}, &data)
		if err == nil {
			p.say("%s: %s", data.ChangeWorkflow.Name, data.ChangeWorkflow.Status)
		}
		return err
	}
}

type workflow struct {
	Name   string `json:"name"`
	Status string `json:"status"`
}

func (p *program) workflows(ctx context.Context) ([]workflow, error) {
	var data struct{ Workflows []workflow }
	err := p.ask(ctx, "query ListWorkflows { workflows { name status } }", nil, &data)
	return data.Workflows, err
}

func (p *program) runWorkflowList(ctx context.Context, cmd *cobra.Command, _ []string) error {
	all, err := p.workflows(ctx)
	if err != nil {
		return err
	}
	return p.show(cmd, all, func() {
		p.say("%d workflows", len(all))
		for _, w := range all {
			p.say("%s\t%s", w.Name, w.Status)
		}
	})
}

func (p *program) runWorkflowGet(ctx context.Context, cmd *cobra.Command, args []string) error {
	all, err := p.workflows(ctx)
	if err != nil {
		return err
	}
	for _, w := range all {
		if w.Name == name(args) {
			return p.show(cmd, w, func() { p.say("%s\t%s", w.Name, w.Status) })
		}
	}
	return fmt.Errorf("workflow %q not found", name(args))
}

// runSimulate holds back what needs deploy access, and runs.
func (p *program) runSimulate(context.Context, *cobra.Command, []string) error {
	enabled, err := p.session.deployAccess()
	if err != nil {
		return err
	}
	p.say("Workflow simulated.")
	if !enabled {
		p.say("Deploying is in early access: run cre account access to request it.")
	}
	return nil
}

func (p *program) runChains(ctx context.Context, _ *cobra.Command, _ []string) error {
	if err := p.fetchTenant(ctx); err != nil {
		return err
	}
	t, _ := p.tenant()
	for _, f := range t.Forwarders {
		p.say("%d\t%s", f.ChainSelector, f.Address)
	}
	return nil
}

// runHash tries for private registries, and only warns when there is no session.
func (p *program) runHash(ctx context.Context, _ *cobra.Command, _ []string) error {
	session, err := p.loadCredentials()
	if err == nil {
		p.session = session
		err = p.attachTenant(ctx)
	}
	if err != nil {
		p.warn("private registries are left out: %v", err)
	}
	p.say("Workflow hash: 0x%064x", 1)
	return nil
}
