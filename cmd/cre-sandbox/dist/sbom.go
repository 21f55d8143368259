package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
)

// bom is a CycloneDX document, as much as is merged here. What cyclonedx-gomod
// says of a component is passed on.
type bom struct {
	Schema       string       `json:"$schema"`
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Tools     []tool    `json:"tools"`
	Component component `json:"component"`
	// Where the checksums of a program are, in what cyclonedx-gomod writes.
	Properties []property `json:"properties,omitempty"`
}

type tool struct {
	Vendor  string `json:"vendor"`
	Name    string `json:"name"`
	Version string `json:"version"`
}

type component struct {
	Ref        string          `json:"bom-ref"`
	Type       string          `json:"type"`
	Name       string          `json:"name"`
	Version    string          `json:"version"`
	Scope      string          `json:"scope,omitempty"`
	Hashes     json.RawMessage `json:"hashes,omitempty"`
	PURL       string          `json:"purl,omitempty"`
	References json.RawMessage `json:"externalReferences,omitempty"`
	Properties []property      `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn,omitempty"`
}

// sboms writes one document for each artifact of a target.
func (r release) sboms(ctx context.Context, tools string, t target, folder string) error {
	documents := map[string]bom{}
	for _, program := range programs {
		var err error
		if documents[program], err = describe(ctx, tools, filepath.Join(folder, t.exe(program)), r.version); err != nil {
			return err
		}
	}
	for artifact, inside := range r.artifacts(t) {
		var parts []bom
		for _, program := range inside {
			parts = append(parts, documents[program])
		}
		text, err := merge(artifact, r.version, parts).encode()
		if err != nil {
			return err
		}
		if err := r.write(artifact+".cdx.json", text); err != nil {
			return err
		}
	}
	return nil
}

// artifacts are a target's files, with the programs in each.
func (r release) artifacts(t target) map[string][]string {
	if t.os == "windows" {
		return map[string][]string{r.name(project, t) + ".zip": programs}
	}
	all := map[string][]string{r.name(project, t) + ".tar.gz": programs}
	if t.os == "linux" {
		for _, format := range r.formats {
			for name, inside := range contents {
				all[r.name(name, t)+"."+format] = inside
			}
		}
	}
	return all
}

// describe has cyclonedx-gomod read what the linker left in a program.
func describe(ctx context.Context, tools, program, version string) (b bom, err error) {
	args := []string{"bin", "-json", "-noserial", "-notimestamp", "-std", "-version", version, program}
	text, err := output(ctx, "", nil, filepath.Join(tools, "cyclonedx-gomod"), args...)
	if err != nil {
		return b, err
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return b, fmt.Errorf("what cyclonedx-gomod says of %s: %w", filepath.Base(program), err)
	}
	return b, nil
}

// merge makes one document of an artifact's programs: the artifact depends on
// them, and they on their modules.
func merge(artifact, version string, parts []bom) bom {
	whole := bom{Schema: parts[0].Schema, Format: parts[0].Format, Spec: parts[0].Spec, Version: parts[0].Version}
	whole.Metadata.Tools = parts[0].Metadata.Tools
	whole.Metadata.Component = component{Ref: artifact, Type: "application", Name: artifact, Version: version}
	known := map[string]bool{}
	root := dependency{Ref: artifact}
	for _, part := range parts {
		program := part.Metadata.Component
		program.Properties = part.Metadata.Properties
		root.On = append(root.On, program.Ref)
		for _, c := range append([]component{program}, part.Components...) {
			if !known[c.Ref] {
				known[c.Ref] = true
				whole.Components = append(whole.Components, c)
			}
		}
		whole.Dependencies = append(whole.Dependencies, part.Dependencies...)
	}
	whole.Dependencies = united(append([]dependency{root}, whole.Dependencies...))
	return whole
}

// united joins what is said of one component, which CycloneDX wants said once.
func united(all []dependency) (once []dependency) {
	at := map[string]int{}
	for _, d := range all {
		i, seen := at[d.Ref]
		if !seen {
			i = len(once)
			at[d.Ref] = i
			once = append(once, dependency{Ref: d.Ref})
		}
		on := slices.Concat(once[i].On, d.On)
		slices.Sort(on)
		once[i].On = slices.Compact(on)
	}
	return once
}

func (b bom) encode() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(b)
	return out.Bytes(), err
}
