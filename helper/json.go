package helper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// errNotUTF8 keeps JSON from putting U+FFFD in the place of what it can't carry.
var errNotUTF8 = errors.New("the credential holds bytes that are not UTF-8, which JSON can't carry")

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

// textField returns the string at key, "" when there is none. Any string will
// do, but one that Go would change: half a surrogate pair stands for no letter.
func textField(fields map[string]json.RawMessage, key string) (string, error) {
	raw, ok := fields[key]
	if !ok {
		return "", nil
	}
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil || text == nil {
		return "", fmt.Errorf("%w: %q is not a string", ErrRequest, key)
	}
	if hasLoneSurrogate(string(raw)) {
		return "", fmt.Errorf("%w: %q holds half a surrogate pair", ErrRequest, key)
	}
	return *text, nil
}

// lineField returns the string at key, which must fit on a line.
func lineField(fields map[string]json.RawMessage, key string) (string, error) {
	text, err := textField(fields, key)
	if err == nil && checkLine(key, text) != nil {
		err = fmt.Errorf("%w: %w", ErrRequest, checkLine(key, text))
	}
	return text, err
}

// hasLoneSurrogate looks into a valid JSON string for an escape that stands for
// half a letter.
func hasLoneSurrogate(quoted string) bool {
	unit := func(s string) rune {
		if len(s) < 6 || s[:2] != `\u` {
			return 0
		}
		n, _ := strconv.ParseUint(s[2:6], 16, 16) // valid JSON: it is a number
		return rune(n)
	}
	for i := strings.IndexByte(quoted, '\\'); i >= 0 && i < len(quoted); i++ {
		if quoted[i] != '\\' {
			continue
		}
		switch first := unit(quoted[i:]); {
		case !utf16.IsSurrogate(first):
			i++ // what is escaped may be a backslash
		case utf16.DecodeRune(first, unit(quoted[i+6:])) == utf8.RuneError:
			return true
		default:
			i += 11
		}
	}
	return false
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

// parseDescription reads what a helper answers to describe.
func parseDescription(data []byte) (d Description, err error) {
	if err := json.Unmarshal(data, &d); err != nil || d.Schema != DescriptionSchema {
		return Description{}, errors.New("the credential helper doesn't describe what it keeps as it should: it is another version; install both again")
	}
	return d, nil
}
