package official

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// reportTime is how long the report may take. The official CLI leaves after 200
// ms; here it is waited for, so that a loaded machine loses none.
const reportTime = 10 * time.Second

// report sends one event for each command that had credentials, through the same
// URL, unless CRE_TELEMETRY_DISABLED is set. Nothing is said if that fails.
func (p *program) report(ctx context.Context, status int) {
	if p.session == nil || p.running == "" || strings.EqualFold(p.env.get("CRE_TELEMETRY_DISABLED"), "true") {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	_ = p.ask(ctx, "mutation ($command: String!, $status: Int!, $machine: ID!) { reportUserEvent(command: $command, exitCode: $status, machineId: $machine) }",
		map[string]any{"command": p.running, "status": status, "machine": p.machineID()}, nil)
}

// machineID is made once and kept.
func (p *program) machineID() string {
	if id, err := os.ReadFile(filepath.Join(p.folder(), "machine_id")); err == nil {
		return string(id)
	}
	id := rand.Text()
	_ = p.keep("machine_id", []byte(id))
	return id
}

// askForNews stands for the question to GitHub whether there is a newer release,
// which is asked while update.json is missing. It sends nothing and takes as long
// as VarGitHub says.
func (p *program) askForNews(cmd *cobra.Command) {
	if cmd.Name() == "update" || strings.HasPrefix(cmd.CommandPath(), "cre completion") {
		return
	}
	if _, err := os.Stat(filepath.Join(p.folder(), "update.json")); err == nil {
		return
	}
	if err := sleepVar(cmd.Context(), newEnviron(p.Env), VarGitHub); err != nil {
		return
	}
	_ = p.keep("update.json", []byte(`{"last_check":"`+time.Now().UTC().Format(time.RFC3339)+`"}`))
}
