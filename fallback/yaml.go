package fallback

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"cre-credential-helper/fallback/internal/guarded"
)

// The ways in which a file can be damaged. The YAML library's own errors may
// quote the file, and a token with it, so that none of them is passed on.
var (
	errNotYAML   = errors.New("is not valid YAML")
	errDocuments = errors.New("holds more than one document")
	errNoMapping = errors.New("is not a mapping")
	errKey       = errors.New("has a key that is not text, or twice the same")
	errAnchor    = errors.New("uses anchors or aliases")
	errType      = errors.New("has a value of the wrong type")
	errStandIn   = errors.New("has a stand-in in a token's place, or a token in a stand-in's")
)

// parseMapping returns the one mapping that data holds: an empty one for an
// empty document. Comments are left out.
func parseMapping(data []byte) (*yaml.Node, error) {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return newMapping(), nil
	case err != nil:
		return nil, errNotYAML
	}
	switch err := dec.Decode(new(yaml.Node)); {
	case err == nil:
		return nil, errDocuments
	case !errors.Is(err, io.EOF):
		return nil, errNotYAML
	}
	root := doc.Content[0]
	if isNull(root) {
		return newMapping(), nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, errNoMapping
	}
	if err := checkKeys(root); err != nil {
		return nil, err
	}
	return root, tidy(root)
}

func checkKeys(mapping *yaml.Node) error {
	seen := make(map[string]bool)
	for key := range pairs(mapping) {
		if !isText(key) || seen[key.Value] {
			return errKey
		}
		seen[key.Value] = true
	}
	return nil
}

// tidy makes of node and all below it what is sure to be read back as the same
// once the library has written it: that isn't so of comments, of text in
// blocks, and of values that are left out.
func tidy(node *yaml.Node) error {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		return errAnchor
	}
	node.HeadComment, node.LineComment, node.FootComment = "", "", ""
	switch {
	case isNull(node):
		node.Value, node.Style = "null", 0
	case node.Kind == yaml.ScalarNode && (node.Style&^yaml.TaggedStyle != 0 || strings.Contains(node.Value, "\n")):
		node.Style = node.Style&yaml.TaggedStyle | yaml.DoubleQuotedStyle
	}
	for _, child := range node.Content {
		if err := tidy(child); err != nil {
			return err
		}
	}
	return nil
}

// pairs ranges over a mapping's keys and values.
func pairs(mapping *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			if !yield(mapping.Content[i], mapping.Content[i+1]) {
				return
			}
		}
	}
}

func newMapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"} }

func isText(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str"
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// toNode returns what v becomes in YAML.
func toNode(v any) (*yaml.Node, error) {
	node := new(yaml.Node)
	return node, node.Encode(v)
}

func marshal(root *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := cmp.Or(enc.Encode(root), enc.Close()); err != nil {
		return nil, err
	}
	if out.Len() > guarded.MaxSize {
		return nil, guarded.ErrTooLarge
	}
	return out.Bytes(), nil
}
