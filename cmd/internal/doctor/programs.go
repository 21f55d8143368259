package doctor

import (
	"context"
	"debug/buildinfo"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/onpath"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/version"
)

// What Go's build information calls the programs.
const (
	mainCre    = "cre-credential-helper/cmd/cre"
	mainHelper = "cre-credential-helper/cmd/cre-credential-helper"
)

// build is what Go writes into a program; zero: another language's, or no program.
type build struct{ main, version string }

func buildOf(path string) build {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return build{}
	}
	return build{info.Path, info.Main.Version}
}

// programs looks at who answers to the names of ours, and whether the parts are of
// one version.
func (d desk) programs(context.Context) []Finding {
	found := []Finding{d.creOnPath()}
	helper, err := d.Helper()
	if err != nil {
		f := problem("%v", err)
		if d.Getenv(platform.VarHelper) != "" {
			f = f.run(d.shell.unset(platform.VarHelper))
		}
		return append(found, f)
	}
	net, err := errand.Find(helper)
	if err != nil {
		f := problem("%v", err).advise("install all three programs again, from one version")
		if d.Getenv(platform.VarHelper) != "" {
			f = f.run(d.shell.unset(platform.VarHelper))
		}
		return append(found, f)
	}
	return append(found, d.versions(helper, net))
}

// creOnPath says which program a shell starts as cre.
func (d desk) creOnPath() Finding {
	first := d.onPath("cre")
	switch {
	case first == "":
		return warning("there is no cre on PATH: this one is %s", d.Self).run(d.shell.prependPath(filepath.Dir(d.Self)))
	case sameFile(first, d.Self):
		return ok("cre on PATH is this program, %s", first)
	case buildOf(first).main == mainCre:
		return warning("cre on PATH is %s, another version or copy of this program, which is %s", first, d.Self).
			run(d.shell.prependPath(filepath.Dir(d.Self)))
	case d.isInstalled(first):
		return warning("cre on PATH is %s: the official CLI, not this program", first).
			run(d.shell.command(d.Self, "setup", "official"))
	}
	return warning("cre on PATH is %s: not this program, which is %s", first, d.Self).
		run(d.shell.prependPath(filepath.Dir(d.Self)))
}

// isInstalled reports whether a program is where the official installer puts it,
// and so where setup puts it in order.
func (d desk) isInstalled(path string) bool {
	folder := official.InstallDir(d.Home, d.Getenv(official.VariableInstall), d.Getenv("LOCALAPPDATA"))
	return filepath.Dir(path) == folder
}

// versions compares what was built into the programs.
func (d desk) versions(helper, net string) Finding {
	us, its, nets := buildOf(d.Self), buildOf(helper), buildOf(net)
	switch {
	case its.main != mainHelper:
		f := warning("the helper that commands ask is %s, another program than cre-credential-helper", helper)
		if d.Getenv(platform.VarHelper) != "" {
			f = f.run(d.shell.unset(platform.VarHelper))
		}
		return f
	case its.version != nets.version:
		return problem("%s is of version %s, and %s of version %s", helper, its.version, net, nets.version).
			advise("install all three programs again, from one version")
	case its.version != us.version:
		f := warning("cre is of version %s, and %s of version %s", us.version, helper, its.version)
		if d.Getenv(platform.VarHelper) != "" {
			return f.run(d.shell.unset(platform.VarHelper))
		}
		return f.advise("install all three programs again, from one version")
	}
	return ok("cre, %s and %s are of one version, %s", filepath.Base(helper), errand.ProgramName, version.Number())
}

// official looks for the official CLI as commands that are handed on do.
func (d desk) official(context.Context) []Finding {
	path, err := official.NewSearch(d.Getenv, d.Home, d.Self).Find()
	switch {
	case err == nil:
		return []Finding{ok("it is %s", path)}
	case d.Getenv(official.VariableProgram) != "":
		return []Finding{problem("%v", err).run(d.shell.unset(official.VariableProgram))}
	case errors.Is(err, official.ErrMissing):
		return []Finding{warning("%v", err)}
	}
	return []Finding{problem("%v", err)}
}

// answering judges whether a client of ours finds the helper by a name: what is
// missing and the command that puts it there.
func (d desk) answering(name, client string) (Finding, bool) {
	helper, err := d.Helper()
	if err != nil {
		return Finding{}, false // the programs' own finding
	}
	folder := filepath.Dir(helper)
	switch found := d.onPath(name); {
	case found != "" && buildOf(found).main == mainHelper:
		return ok("%s asks %s", client, found), true
	case found != "":
		return warning("%s asks %s, which is another program than cre-credential-helper", client, found), true
	}
	f := problem("%s is configured to ask %s, which is not on PATH", client, name)
	beside := filepath.Join(folder, onpath.File(name))
	switch _, err := os.Stat(beside); {
	case err == nil:
		return f.run(d.shell.prependPath(folder)), true
	case d.isOnPath(folder) && runtime.GOOS != "windows":
		return f.run(d.shell.command("ln", "-s", "--", filepath.Base(helper), beside)), true
	case runtime.GOOS != "windows":
		return f.run(d.shell.command("ln", "-s", "--", filepath.Base(helper), beside) + " && " + d.shell.prependPath(folder)), true
	}
	return f.run(d.shell.command("Copy-Item", helper, beside)), true
}

// onPath returns the first program of that name that a shell would start, without
// looking into relative entries; "" for none.
func (d desk) onPath(name string) string {
	for path := range onpath.Programs(d.Getenv("PATH"), name) {
		return path
	}
	return ""
}

func (d desk) isOnPath(folder string) bool {
	return slices.ContainsFunc(onpath.Dirs(d.Getenv("PATH")), func(dir string) bool { return sameFile(dir, folder) })
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}
