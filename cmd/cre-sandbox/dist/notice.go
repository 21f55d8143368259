package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// licenseFile is what modules call the files that have to come along.
var licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([-.].*)?$`)

// notice returns the licenses of Go and of each module that is in one of the
// programs on one of the platforms. A module without a license is an error.
func notice(ctx context.Context, g goTool) ([]byte, error) {
	folders := map[string]string{} // by "path version"
	for _, t := range targets {
		args := []string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}"}
		for _, program := range programs {
			args = append(args, "./cmd/"+program)
		}
		out, err := g.output(ctx, t.env(), args...)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(out)) {
			if module, folder, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
				folders[module] = folder
			}
		}
	}
	root, err := g.output(ctx, nil, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	text := bytes.NewBufferString("The programs contain parts of the following, under these licenses.\n")
	const standard = "Go, its standard library and its runtime"
	if err := appendLicenses(text, standard, strings.TrimSpace(string(root))); err != nil {
		return nil, err
	}
	for _, module := range slices.Sorted(maps.Keys(folders)) {
		if err := appendLicenses(text, module, folders[module]); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

var errNoLicense = errors.New("no license file")

func appendLicenses(text *bytes.Buffer, module, folder string) error {
	entries, err := os.ReadDir(folder) // sorted
	if err != nil {
		return fmt.Errorf("the license of %s: %w", module, err)
	}
	found := false
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !licenseFile.MatchString(entry.Name()) {
			continue
		}
		license, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return fmt.Errorf("the license of %s: %w", module, err)
		}
		license = bytes.ReplaceAll(license, []byte("\r\n"), []byte("\n"))
		rule := strings.Repeat("-", 72)
		fmt.Fprintf(text, "\n%s\n%s (%s)\n%s\n\n%s\n", rule, module, entry.Name(), rule, bytes.TrimSpace(license))
		found = true
	}
	if !found {
		return fmt.Errorf("%s in %s: %w", module, folder, errNoLicense)
	}
	return nil
}
