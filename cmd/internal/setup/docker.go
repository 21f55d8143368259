package setup

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// maxConfig is the most that is read of docker's configuration, in bytes.
const maxConfig = 4 << 20

// Docker is the entry in docker's configuration by which docker asks the helper
// for one registry: in config.json, under "credHelpers". The zero value is of no
// use.
type Docker struct {
	Config     string   // the path of config.json: see [DockerConfig]
	Registries []string // host or host:port; docker.io for docker's own
	Helper     string   // what docker puts "docker-credential-" before; "": cre

	// Folder is what this program was installed into; "": not known.
	Folder string

	// Find looks for a program on PATH; nil: [exec.LookPath].
	Find func(name string) (string, error)
}

// DockerConfig is the path of docker's configuration. folder is DOCKER_CONFIG,
// "" where that isn't set.
func DockerConfig(home, folder string) string {
	return filepath.Join(cmp.Or(folder, filepath.Join(home, ".docker")), "config.json")
}

// Do adds the entry of each registry. All else in the file stays as it is, byte
// by byte; so do its mode and its owner. A symbolic link is followed, and said.
// Where there is no file, one is made, of mode 0600.
//
// Errors are [ErrName], [ErrNotJSON], [ErrUnsafe], [ErrMoved], the operating
// system's, and [ErrInTheWay] where a registry has another helper. After each,
// the file is as it was.
func (d Docker) Do(ctx context.Context) ([]string, error) {
	r, err := d.edit(ctx, d.named, func(r *report, doc []byte, registry string) ([]byte, error) {
		changed, err := addHelper(doc, registry, d.helper())
		if err == nil && bytes.Equal(changed, doc) {
			r.sayf("nothing to change: credHelpers in %s has %q: %q", d.Config, registry, d.helper())
		} else if err == nil {
			r.sayf("added %q: %q to credHelpers in %s", registry, d.helper(), d.Config)
		}
		return changed, err
	})
	if err == nil {
		r.missing(d.find, "docker-credential-"+d.helper(), "docker", d.Folder)
	}
	return r, err
}

// Undo removes the entry of each registry, if it says what Do writes, and
// credHelpers, if nothing is left in it. Without a registry, it does so for each that
// has such an entry. The file has its old bytes then, as far
// as nobody else has written to it; one that Do made is removed. The errors are
// Do's.
func (d Docker) Undo(ctx context.Context) ([]string, error) {
	which := d.named
	if len(d.Registries) == 0 {
		which = d.ours
	}
	r, err := d.edit(ctx, which, func(r *report, doc []byte, registry string) ([]byte, error) {
		changed, err := removeHelper(doc, registry, d.helper())
		if err == nil && bytes.Equal(changed, doc) {
			r.sayf("nothing to take back: credHelpers in %s has no %q: %q", d.Config, registry, d.helper())
		} else if err == nil {
			r.sayf("removed %q: %q from credHelpers in %s", registry, d.helper(), d.Config)
		}
		return changed, err
	})
	if err == nil && len(r) == 0 {
		r.sayf("nothing to take back: credHelpers in %s has %q for no registry", d.Config, d.helper())
	}
	return r, err
}

// named are the registries by name, as docker looks for them.
func (d Docker) named([]byte) ([]string, error) { return dockerNames(d.Registries) }

// ours are the registries that have the entry that Do writes.
func (d Docker) ours(doc []byte) (names []string, err error) {
	_, helpers, err := parseConfig(doc)
	if err != nil || helpers == nil {
		return nil, err
	}
	for _, m := range helpers.members {
		if m.is(d.helper()) {
			names = append(names, m.key)
		}
	}
	return names, nil
}

func (d Docker) helper() string { return cmp.Or(d.Helper, defaultHelper) }

func (d Docker) find(name string) (string, error) {
	if d.Find != nil {
		return d.Find(name)
	}
	return exec.LookPath(name)
}

// edit changes the file for each registry of which, in one write.
func (d Docker) edit(ctx context.Context, which func(doc []byte) ([]string, error), change func(r *report, doc []byte, registry string) ([]byte, error)) (report, error) {
	was, err := readConfig(d.Config)
	if err != nil {
		return nil, err
	}
	doc := was.document()
	registries, err := which(doc)
	if errors.Is(err, ErrNotJSON) {
		err = fmt.Errorf("%s %w", was.path, err)
	}
	if err != nil {
		return nil, err
	}
	var r report
	if was.path != d.Config && was.linked && len(registries) > 0 {
		r.sayf("%s is a link: what is changed is %s", d.Config, was.path)
	}
	for _, registry := range registries {
		if doc, err = change(&r, doc, registry); err != nil {
			return nil, fmt.Errorf("%s %w", was.path, err)
		}
	}
	if bytes.Equal(doc, was.document()) {
		return r, nil
	}
	if err := cmp.Or(ctx.Err(), was.replace(doc)); err != nil {
		return nil, err
	}
	return r, nil
}

// hub is what docker calls its own registry.
const hub = "https://index.docker.io/v1/"

// dockerNames are the names by which docker looks for registries.
func dockerNames(registries []string) ([]string, error) {
	if len(registries) == 0 {
		return nil, faultf(ErrName, "name a registry: --registry registry.example.com")
	}
	registryName := regexp.MustCompile(`^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$`)
	names := make([]string, len(registries))
	for i, registry := range registries {
		switch {
		case registry == "docker.io", registry == "index.docker.io", registry == hub:
			registry = hub
		case !registryName.MatchString(registry):
			return nil, faultf(ErrName, "%q is not a registry: name its host, such as registry.example.com or registry.example.com:5000", registry)
		}
		names[i] = registry
	}
	return names, nil
}

// config is docker's configuration as it was read.
type config struct {
	path   string // behind links
	linked bool
	info   fs.FileInfo // nil: there is no file
	data   []byte
}

// made is a file of which Do has written everything. It has no line end, by
// which it differs from what people write.
const made = "{}"

func (c config) document() []byte {
	if c.info == nil {
		return []byte(made)
	}
	return c.data
}

func readConfig(path string) (config, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return config{path: path}, nil
	}
	if err != nil {
		return config{}, err
	}
	c := config{path: path, linked: info.Mode()&fs.ModeSymlink != 0}
	if c.linked {
		if c.path, err = filepath.EvalSymlinks(path); err != nil {
			return config{}, fmt.Errorf("%w: mend the link, or remove it", err)
		}
	}
	if c.info, err = os.Stat(c.path); err != nil {
		return config{}, err
	}
	if !c.info.Mode().IsRegular() {
		return config{}, faultf(ErrInTheWay, "%s is not a file: move it away", c.path)
	}
	c.data, err = c.read()
	return c, err
}

func (c config) read() ([]byte, error) {
	f, err := os.Open(c.path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(data) > maxConfig {
		err = fmt.Errorf("%s is larger than 4 MiB: %w", c.path, ErrNotJSON)
	}
	return data, err
}

// replace puts doc in the file's place by a rename, and removes the file
// when doc is all that Do begins one with.
func (c config) replace(doc []byte) error {
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return err
	}
	c.sweep()
	f, err := os.CreateTemp(filepath.Dir(c.path), configTemp)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone after a rename
	if c.info != nil {
		if err = keepOwner(f, c.info); err != nil {
			err = fmt.Errorf("%w: %s belongs to another user or group: edit it as its owner (%w)", ErrUnsafe, c.path, err)
		} else {
			err = f.Chmod(c.info.Mode().Perm())
		}
	}
	if err == nil {
		_, err = f.Write(doc)
	}
	if err = cmp.Or(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if !c.isUnchanged() {
		return moved(c.path)
	}
	if string(doc) == made && !c.linked {
		return os.Remove(c.path)
	}
	return os.Rename(f.Name(), c.path)
}

// configTemp begins the name of what takes the file's place.
const configTemp = ".cre-setup-config.json-"

// sweep removes what was left by a process that was killed: an hour old, because
// another one may be at work.
func (c config) sweep() {
	folder := filepath.Dir(c.path)
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), configTemp) && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(filepath.Join(folder, e.Name())) // passwords may be in it
		}
	}
}

func (c config) isUnchanged() bool {
	if c.info == nil {
		_, err := os.Lstat(c.path)
		return errors.Is(err, fs.ErrNotExist)
	}
	now, err := c.read()
	return err == nil && bytes.Equal(now, c.data)
}
