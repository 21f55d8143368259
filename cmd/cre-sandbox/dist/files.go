package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The names by which git and docker find the helper.
var links = []string{"git-credential-cre", "docker-credential-cre"}

// common are the files that are the same on every platform, by the names that
// they have in an archive.
type common map[string][]byte

// completions are the scripts' names in an archive.
var completions = map[string]string{"bash": "cre.bash", "zsh": "_cre", "fish": "cre.fish", "powershell": "cre.ps1"}

func (r release) commonFiles(ctx context.Context, g goTool, work string) (common, error) {
	files, names := common{}, []string{"LICENSE", "README.md", "CHANGELOG.md"}
	for _, page := range append([]string{"cre", project}, links...) {
		names = append(names, "docs/man/"+page+".1")
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(r.source, name))
		if err != nil {
			return nil, fmt.Errorf("read the source: %w", err)
		}
		files[strings.Replace(name, "docs/man/", "man/man1/", 1)] = data
	}
	var err error
	if files["NOTICE"], err = notice(ctx, g); err != nil {
		return nil, err
	}
	cre := filepath.Join(work, "cre")
	if _, err := g.output(ctx, []string{"GOOS=", "GOARCH="}, "build", "-o", cre, "./cmd/cre"); err != nil {
		return nil, err
	}
	for shell, name := range completions {
		script, err := output(ctx, work, nil, cre, "completion", shell)
		if err != nil {
			return nil, err
		}
		files["completions/"+name] = script
	}
	return files, nil
}

// compressed is data as gzip -9n writes it.
func compressed(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
