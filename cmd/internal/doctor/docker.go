package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"cre-credential-helper/cmd/internal/setup"
)

// maxDockerConfig is the most that is read of docker's configuration, in bytes.
const maxDockerConfig = 4 << 20

// docker finds the entries of docker's configuration that name the helper.
func (d desk) docker(context.Context) []Finding {
	path := setup.DockerConfig(d.Home, d.Getenv("DOCKER_CONFIG"))
	config, err := readDockerConfig(path)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{ok("docker does not ask the helper")}
	case errors.As(err, &syntax), errors.As(err, &kind), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return []Finding{warning("%s can't be read as docker's configuration: it is not a JSON object of the expected form", path).
			advise("correct it, or move it away and log in to your registries again").run(d.shell.moveAside(path))}
	case err != nil:
		return []Finding{warning("docker's configuration can't be read: %v", err)}
	}
	registries := config.registries()
	if len(registries) == 0 {
		return []Finding{ok("docker does not ask the helper")}
	}
	found := []Finding{ok("docker asks the helper for %s", strings.Join(registries, ", "))}
	if f, known := d.answering(dockerHelperName, "docker"); known {
		found = append(found, f)
	}
	return found
}

// dockerConfig is of docker's configuration what names helpers. Other fields may
// hold passwords.
type dockerConfig struct {
	CredHelpers map[string]string `json:"credHelpers"`
	CredsStore  string            `json:"credsStore"`
}

func readDockerConfig(path string) (config dockerConfig, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return config, err
	}
	if !info.Mode().IsRegular() {
		return config, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a file")}
	}
	f, err := os.Open(path)
	if err != nil {
		return config, err
	}
	defer f.Close() //nolint:errcheck // only read
	err = json.NewDecoder(io.LimitReader(f, maxDockerConfig)).Decode(&config)
	return config, err
}

func (c dockerConfig) registries() []string {
	var names []string
	if c.CredsStore == ownHelperName {
		names = append(names, "every registry")
	}
	for _, registry := range slices.Sorted(maps.Keys(c.CredHelpers)) {
		if c.CredHelpers[registry] == ownHelperName {
			names = append(names, registry)
		}
	}
	return names
}
