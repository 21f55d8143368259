package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

const sumsFile = "SHA256SUMS"

// sums writes the checksums of all that is in the out folder, for sha256sum -c.
func (r release) sums() error {
	entries, err := os.ReadDir(r.out) // sorted
	if err != nil {
		return err
	}
	var list bytes.Buffer
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(r.out, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(data), entry.Name())
	}
	return r.write(sumsFile, list.Bytes())
}

// fillIn writes docs/packaging's Homebrew formula and Scoop manifest, with this
// version and its checksums, into a folder.
func (r release) fillIn(folder string) error {
	list, err := os.ReadFile(filepath.Join(r.out, sumsFile))
	if err != nil {
		return fmt.Errorf("read the release's checksums (run make dist first): %w", err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(list)) {
		if sum, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			sums[name] = sum
		}
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	for _, name := range []string{project + ".rb", project + ".json"} {
		text, err := os.ReadFile(filepath.Join(r.source, "docs/packaging", name+".tmpl"))
		if err != nil {
			return err
		}
		filled, err := r.fill(string(text), sums)
		if err != nil {
			return fmt.Errorf("fill in %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), filled, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// fill executes a template. Its function "file" names an archive, by platform
// and ending; "sum" is that archive's checksum, and one that isn't there an error.
func (r release) fill(text string, sums map[string]string) ([]byte, error) {
	file := func(os, arch, ending string) string { return r.name(project, target{os, arch}) + ending }
	functions := template.FuncMap{
		"file": file,
		"sum": func(os, arch, ending string) (string, error) {
			sum, ok := sums[file(os, arch, ending)]
			if !ok {
				return "", fmt.Errorf("%s has no line for %s", sumsFile, file(os, arch, ending))
			}
			return sum, nil
		},
	}
	t, err := template.New("").Funcs(functions).Parse(text)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]string{"Version": r.number(), "URL": r.url})
	return out.Bytes(), err
}
