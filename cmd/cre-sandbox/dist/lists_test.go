//go:build linux

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var writeFlag = flag.Bool("write", false, "write testdata's lists anew")

// testLists compares what is in each artifact, with its mode and its owner, with
// testdata. That is the same on every machine type.
func testLists(t *testing.T, folder string) {
	r := release{version: version, formats: formats}
	for _, target := range targets {
		for artifact := range r.artifacts(target) {
			list := strings.NewReplacer("_"+r.number(), "", "_"+target.arch, "").Replace(artifact) + ".txt"
			t.Run(artifact, func(t *testing.T) {
				got := strings.Join(listed(t, filepath.Join(folder, artifact)), "\n") + "\n"
				path := filepath.Join("testdata", list)
				if *writeFlag {
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("in %s is\n%s\nand wanted is\n%s", artifact, got, want)
				}
			})
		}
	}
}

func listed(t *testing.T, path string) []string {
	t.Helper()
	var lines []string
	var err error
	switch filepath.Ext(path) {
	case ".deb":
		lines, err = listTar(strings.NewReader(command(t, "/", nil, "dpkg-deb", "--fsys-tarfile", path)))
	case ".rpm":
		const format = `[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES} %{FILELINKTOS}\n]`
		for line := range strings.Lines(command(t, "/", nil, "rpm", "-qp", "--qf", format, path)) {
			lines = append(lines, strings.TrimSpace(line))
		}
	case ".zip":
		lines, err = listZip(path)
	default:
		var data []byte
		if data, err = os.ReadFile(path); err == nil {
			var unzipped io.Reader // an apk is three streams, one after the other
			if unzipped, err = gzip.NewReader(bytes.NewReader(data)); err == nil {
				lines, err = listTar(unzipped)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

func listTar(r io.Reader) (lines []string, err error) {
	archive := tar.NewReader(r)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		if header.Uid != 0 || header.Gid != 0 {
			return nil, fmt.Errorf("%s belongs to %d:%d", header.Name, header.Uid, header.Gid)
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%v %s/%s %s %s", header.FileInfo().Mode(), header.Uname, header.Gname, header.Name, header.Linkname)))
	}
}

func listZip(path string) (lines []string, err error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	for _, file := range archive.File {
		lines = append(lines, fmt.Sprintf("%v %s", file.Mode(), file.Name))
	}
	return lines, nil
}
