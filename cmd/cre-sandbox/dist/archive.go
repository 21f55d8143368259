package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// entry is a file in an archive, or a symbolic link.
type entry struct {
	name string
	mode fs.FileMode
	data []byte
	link string // what a link leads to
}

// archive writes what is unpacked by hand: a tar.gz, for Windows a zip.
func (r release) archive(t target, folder string, files common) error {
	entries, err := r.entries(t, folder, files)
	if err != nil {
		return err
	}
	name, pack := r.name(project, t)+".tar.gz", tarGz
	if t.os == "windows" {
		name, pack = r.name(project, t)+".zip", zipped
	}
	data, err := pack(entries, r.date)
	if err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	return r.write(name, data)
}

// entries are sorted by name. On Windows, where links need a right of their
// own, they are copies.
func (r release) entries(t target, folder string, files common) (entries []entry, err error) {
	for name, data := range files {
		entries = append(entries, entry{name: name, mode: 0o644, data: data})
	}
	for _, program := range programs {
		data, err := os.ReadFile(filepath.Join(folder, t.exe(program)))
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{name: t.exe(program), mode: 0o755, data: data})
		for _, link := range links {
			switch {
			case program != project:
			case t.os == "windows":
				entries = append(entries, entry{name: t.exe(link), mode: 0o755, data: data})
			default:
				entries = append(entries, entry{name: link, mode: 0o777, link: program})
			}
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return entries, nil
}

func tarGz(entries []entry, date time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: e.name, Mode: int64(e.mode), Size: int64(len(e.data)), Linkname: e.link,
			ModTime: date, Format: tar.FormatUSTAR,
		}
		if e.link != "" {
			header.Typeflag = tar.TypeSymlink
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return compressed(out.Bytes())
}

// zipped knows no links.
func zipped(entries []entry, date time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: date}
		header.SetMode(e.mode)
		file, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := file.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
