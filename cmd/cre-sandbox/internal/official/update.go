package official

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
)

var errNotItself = errors.New("update replaces the program itself, and this one is the sandbox: install it as cre")

// runUpdate replaces the program's own file, wherever that is by now: the old one
// goes to .bak, the new one comes in its place, is tried, and the old one goes.
// Without VarUpdate, the new one is a copy with a line more at its end.
func (p *program) runUpdate(ctx context.Context, _ *cobra.Command, _ []string) error {
	self := p.Self[0]
	if len(p.Self) > 1 || !IsName(self) {
		return errNotItself
	}
	if runtime.GOOS == "windows" {
		p.warn("replace the program yourself: %s", self)
		return errors.New("automatic replacement not supported on Windows")
	}
	source := newEnviron(p.Env).get(VarUpdate)
	if source == "" {
		source = self
	}
	program, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	if source == self {
		program = append(program, "updated\n"...)
	}
	downloaded := self + ".new"
	if err := os.WriteFile(downloaded, program, 0o755); err != nil {
		return err
	}
	if err := replaceProgram(ctx, self, downloaded); err != nil {
		return err
	}
	p.say("CRE CLI updated: %s", self)
	return nil
}

func replaceProgram(ctx context.Context, self, downloaded string) error {
	backup := self + ".bak"
	if err := os.Rename(self, backup); err != nil {
		return fmt.Errorf("failed to back the program up: %w", err)
	}
	err := os.Rename(downloaded, self)
	if err == nil {
		err = exec.CommandContext(ctx, self, "version").Run()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("the old program stays: %w", err), os.Rename(backup, self))
	}
	return os.Remove(backup)
}

// IsName is whether a program's path ends in a name that the official CLI goes by.
func IsName(path string) bool {
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(path)), ".exe")
	return name == "cre" || name == "cre-official"
}
