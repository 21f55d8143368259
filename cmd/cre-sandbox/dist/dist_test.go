package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOnlyAVersionThatPackagesTakeIsReleased(t *testing.T) {
	for version, good := range map[string]bool{
		"v0.3.0": true, "v1.20.3": true, "v0.3.0-rc.1": true,
		"": false, "0.3.0": false, "v0.3": false, "3a69ce3": false, "v0.3.0-2-g3a69ce3-dirty": false,
		"v0.3.0'": false, "v0.3.0-": false, "v0.3.0 -out /": false,
	} {
		err := run(context.Background(), []string{"-version", version}, "no date", io.Discard)
		if err == nil {
			t.Fatalf("%q was released without a date", version)
		}
		if refused := strings.Contains(err.Error(), "make dist VERSION="); refused == good {
			t.Errorf("%q: %v", version, err)
		}
	}
}

func TestTheNoticeHasEachLicenseWhole(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"LICENSE": "Copyright A\r\nDo.\n", "NOTICE.txt": "B helped.", "licenses.go": "package x"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var text bytes.Buffer
	if err := appendLicenses(&text, "example.com/m v1.0.0", folder); err != nil {
		t.Fatal(err)
	}
	rule := strings.Repeat("-", 72)
	want := "\n" + rule + "\nexample.com/m v1.0.0 (LICENSE)\n" + rule + "\n\nCopyright A\nDo.\n" +
		"\n" + rule + "\nexample.com/m v1.0.0 (NOTICE.txt)\n" + rule + "\n\nB helped.\n"
	if text.String() != want {
		t.Errorf("got %q, want %q", text.String(), want)
	}
}

func TestAModuleWithoutALicenseIsAnError(t *testing.T) {
	if err := appendLicenses(new(bytes.Buffer), "example.com/m v1.0.0", t.TempDir()); !errors.Is(err, errNoLicense) {
		t.Errorf("got %v", err)
	}
}

func TestArchivesOfTheSameAreTheSame(t *testing.T) {
	entries := []entry{{name: "a", mode: 0o755, data: []byte("program")}, {name: "b", mode: 0o644, data: []byte("text")}}
	date := time.Unix(1_800_000_000, 0)
	for name, pack := range map[string]func([]entry, time.Time) ([]byte, error){"tar.gz": tarGz, "zip": zipped} {
		one, err := pack(entries, date.UTC())
		if err != nil {
			t.Fatal(err)
		}
		if two, err := pack(entries, date.UTC()); err != nil || !bytes.Equal(one, two) {
			t.Errorf("%s: two archives of the same differ: %v", name, err)
		}
	}
}

func TestAnSBOMNamesEachComponentOnce(t *testing.T) {
	module := component{Ref: "module", Name: "module"}
	part := func(program string) bom {
		b := bom{Components: []component{module}, Dependencies: []dependency{{Ref: program, On: []string{"module"}}, {Ref: "module"}}}
		b.Metadata.Component = component{Ref: program, Name: program}
		return b
	}
	text, err := merge("x.tar.gz", "v1.0.0", []bom{part("cre"), part("net")}).encode()
	if err != nil {
		t.Fatal(err)
	}
	var got bom
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, c := range got.Components {
		refs = append(refs, c.Ref)
	}
	if all := strings.Join(refs, " "); all != "cre module net" {
		t.Errorf("components: %s", all)
	}
	refs = nil
	for _, d := range got.Dependencies {
		refs = append(refs, d.Ref+"("+strings.Join(d.On, " ")+")")
	}
	if all := strings.Join(refs, " "); all != "x.tar.gz(cre net) cre(module) module() net(module)" {
		t.Errorf("dependencies: %s", all)
	}
}

func TestRecipesAreFilledInFromTheChecksums(t *testing.T) {
	folder := t.TempDir()
	r := release{version: "v1.2.3", url: "https://example.com/x", source: filepath.Join("..", "..", ".."), out: folder}
	if err := r.fillIn(folder); err == nil {
		t.Error("recipes were filled in without checksums")
	}
	for _, target := range targets {
		for artifact := range r.artifacts(target) {
			if err := r.write(artifact, []byte(artifact)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := r.sums(); err != nil {
		t.Fatal(err)
	}
	recipes := t.TempDir()
	if err := r.fillIn(recipes); err != nil {
		t.Fatal(err)
	}
	formula, err := os.ReadFile(filepath.Join(recipes, project+".rb"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(formula), "sha256 "); n != 4 {
		t.Errorf("the formula has %d checksums:\n%s", n, formula)
	}
	manifest, err := os.ReadFile(filepath.Join(recipes, project+".json"))
	if err != nil || !json.Valid(manifest) {
		t.Errorf("the manifest is no JSON: %v\n%s", err, manifest)
	}
	if !strings.Contains(string(manifest), "https://example.com/x/releases/download/v1.2.3/cre-credential-helper_1.2.3_windows_amd64.zip") {
		t.Errorf("the manifest leads elsewhere:\n%s", manifest)
	}
}

func TestNoRecipeIsMadeForAFileThatIsMissing(t *testing.T) {
	r := release{version: "v1.2.3"}
	if out, err := r.fill(`{{sum "linux" "amd64" ".tar.gz"}}`, nil); err == nil {
		t.Errorf("got %q", out)
	}
}

func TestAPreReleaseComesBeforeItsRelease(t *testing.T) {
	if got := debVersion("0.3.0-rc.1"); got != "0.3.0~rc.1" {
		t.Errorf("got %s", got)
	}
}
