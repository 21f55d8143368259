package helper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// parseObject reads exactly one JSON object. Unlike encoding/json it takes a
// key for what its very letters say, and once only: two readers of the same
// request must not understand two different hosts.
func parseObject(data []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%w: not a JSON object", ErrRequest)
	}
	fields := make(map[string]json.RawMessage)
	for dec.More() {
		t, err := dec.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, fmt.Errorf("%w: not valid JSON", ErrRequest)
		}
		if _, doubled := fields[key]; doubled {
			return nil, fmt.Errorf("%w: %q is given twice", ErrRequest, key)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, fmt.Errorf("%w: not valid JSON", ErrRequest)
		}
		fields[key] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("%w: not valid JSON", ErrRequest)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows the JSON object", ErrRequest)
	}
	return fields, nil
}

// textField returns the string at key, and whether there is one.
func textField(fields map[string]json.RawMessage, key string) (string, bool, error) {
	raw, ok := fields[key]
	if !ok {
		return "", false, nil
	}
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil || text == nil {
		return "", false, fmt.Errorf("%w: %q is not a string", ErrRequest, key)
	}
	return *text, true, checkValue(key, *text)
}

// writeJSON writes v on one line. Nothing is escaped for HTML: tokens and URLs
// come out letter by letter.
func writeJSON(out io.Writer, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := out.Write(buf.Bytes())
	return err
}
