package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// frontend is the package with cre. The helper's package is called project.
const frontend = project + "-frontend"

// contents says which programs are in a package.
var contents = map[string][]string{
	project:  {"cre-credential-helper", "cre-credential-net"},
	frontend: {"cre"},
}

// packages writes what Linux' package managers install, by docs/packaging's
// files for nfpm. Their paths are relative to the folder with the programs.
func (r release) packages(ctx context.Context, tools string, t target, folder string, files common) error {
	base, _, _ := strings.Cut(r.number(), "-") // what every pre-release of it satisfies, too
	for name := range contents {
		if err := r.stage(folder, name, files); err != nil {
			return err
		}
		config, err := filepath.Abs(filepath.Join(r.source, "docs/packaging", name+".yaml"))
		if err != nil {
			return err
		}
		for _, format := range r.formats {
			target, err := filepath.Abs(filepath.Join(r.out, r.name(name, t)+"."+format))
			if err != nil {
				return err
			}
			env := []string{
				"VERSION=" + r.number(), "BASE=" + base, "ARCH=" + t.arch, "MAINTAINER=" + r.maintainer, "HOMEPAGE=" + r.url,
				"SOURCE_DATE_EPOCH=" + strconv.FormatInt(r.date.Unix(), 10),
			}
			args := []string{"package", "--config", config, "--packager", format, "--target", target}
			if _, err := output(ctx, folder, env, filepath.Join(tools, "nfpm"), args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// stage puts the files that a package has besides the programs beside them.
func (r release) stage(folder, name string, files common) error {
	changelog := fmt.Sprintf("%s (%s) unstable; urgency=medium\n\n  * See %s.\n\n -- %s  %s\n",
		name, debVersion(r.number()), r.url, r.maintainer, r.date.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	overrides, err := os.ReadFile(filepath.Join(r.source, "docs/packaging/lintian-overrides"))
	if err != nil {
		return err
	}
	staged := map[string][]byte{
		"lintian-overrides":    overrides,
		"copyright":            slices.Concat([]byte(fmt.Sprintf(copyrightHead, r.url)), files["LICENSE"], []byte("\n"), files["NOTICE"]),
		"LICENSE":              files["LICENSE"],
		"NOTICE":               files["NOTICE"],
		name + ".changelog.gz": []byte(changelog),
	}
	for path, data := range files {
		switch base := filepath.Base(path); filepath.Dir(path) {
		case "man/man1":
			staged[base+".gz"] = data
		case "completions":
			staged[base] = data
		}
	}
	for path, data := range staged {
		if strings.HasSuffix(path, ".gz") {
			var err error
			if data, err = compressed(data); err != nil {
				return err
			}
		}
		path = filepath.Join(folder, path)
		if err := errors.Join(os.WriteFile(path, data, 0o644), os.Chmod(path, 0o644)); err != nil { // whatever the umask
			return err
		}
	}
	return nil
}

const copyrightHead = `Source: %s

On Debian systems the text of the Apache License 2.0, which some of the parts
named below are under, is also in /usr/share/common-licenses/Apache-2.0.

`

// debVersion puts a pre-release before its release, as dpkg sorts.
func debVersion(number string) string { return strings.Replace(number, "-", "~", 1) }
