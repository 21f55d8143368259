package fallback

import (
	"errors"
	"fmt"

	"gopkg.in/yaml.v3"

	"cre-credential-helper/fallback/internal/guarded"
)

// ReadTenant reads one environment's entry of context.yaml. ok is false when
// there is no file or no such entry. What other environments' entries look
// like doesn't matter. Errors are [ErrDamaged], [ErrUnsafe] or the operating
// system's.
func (d Dir) ReadTenant(env string) (t Tenant, ok bool, err error) {
	root, err := d.readContext()
	if err != nil {
		return Tenant{}, false, err
	}
	entry := lookup(root, env)
	if entry == nil || isNull(entry) {
		return Tenant{}, false, nil
	}
	if entry.Decode(&t) != nil {
		return Tenant{}, false, guarded.Damaged(d.ContextPath(), errType)
	}
	return t, true, nil
}

// WriteTenant makes t the environment's entry of context.yaml and keeps what
// other environments have there, whatever it looks like. A damaged file, which
// nobody can read, is replaced. The caller holds the lock.
func (d Dir) WriteTenant(env string, t Tenant) error {
	root, err := d.readContext()
	switch {
	case errors.Is(err, ErrDamaged):
		root = newMapping()
	case err != nil:
		return err
	}
	data, err := encodeContext(root, env, t)
	if err != nil {
		return fmt.Errorf("write %s: the tenant context can't be put into it: it %w", d.ContextPath(), err)
	}
	return d.write(contextName, data)
}

// RemoveContext removes context.yaml, damaged or not, with every environment's
// entry. No file is no error. The caller holds the lock.
func (d Dir) RemoveContext() error { return d.remove(contextName) }

func (d Dir) readContext() (*yaml.Node, error) {
	now, err := d.look(contextName)
	if err != nil {
		return nil, fmt.Errorf("read the tenant context: %w", err)
	}
	root, err := parseMapping([]byte(now.data.Reveal()))
	if err != nil {
		return nil, guarded.Damaged(d.ContextPath(), err)
	}
	return root, nil
}

// encodeContext gives nothing that couldn't be read back.
func encodeContext(root *yaml.Node, env string, t Tenant) ([]byte, error) {
	entry, err := toNode(map[string]Tenant{env: t})
	if err != nil {
		return nil, errType
	}
	if old := lookup(root, env); old != nil {
		*old = *entry.Content[1]
	} else {
		root.Content = append(root.Content, entry.Content...)
	}
	data, err := marshal(root)
	if err != nil {
		return nil, err
	}
	_, err = parseMapping(data)
	return data, err
}

func lookup(mapping *yaml.Node, name string) *yaml.Node {
	for key, value := range pairs(mapping) {
		if key.Value == name {
			return value
		}
	}
	return nil
}
