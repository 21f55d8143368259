package setup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The edit of config.json works on its bytes, so that whatever is in it stays
// as somebody wrote it. tidwall/sjson was weighed: it takes what is no JSON for
// JSON, doesn't indent what it adds, and can't take it out again without a trace.

const credHelpers = "credHelpers"

// object is a JSON object in a document, by offsets.
type object struct {
	open, close int // of the braces
	members     []member
}

type member struct {
	key           string
	start, keyEnd int // of the key, with its quotes
	value, end    int
	raw           json.RawMessage
}

// addHelper returns doc with the registry's helper. Where it is there already,
// that is doc itself. All else in doc stays.
func addHelper(doc []byte, registry, helper string) ([]byte, error) {
	top, helpers, err := parseConfig(doc)
	if err != nil {
		return nil, err
	}
	entry := quote(registry)
	if helpers == nil {
		inner := top.layout(doc).inner()
		value := "{" + inner.before + entry + inner.colon + quote(helper) + inner.after + "}"
		return top.insert(doc, quote(credHelpers), value, topLayout), nil
	}
	switch i, err := helpers.find(registry, false); {
	case err != nil:
		return nil, err
	case i < 0:
		return helpers.insert(doc, entry, quote(helper), top.layout(doc).inner()), nil
	case !helpers.members[i].is(helper):
		return nil, faultf(ErrInTheWay, "has another helper for %s in credHelpers: remove that entry first", registry)
	}
	return doc, nil
}

// removeHelper returns doc without the registry's helper, and without an empty
// credHelpers. Where the helper isn't there, or is another one, that is doc itself.
func removeHelper(doc []byte, registry, helper string) ([]byte, error) {
	top, helpers, err := parseConfig(doc)
	if err != nil || helpers == nil {
		return doc, err
	}
	i, err := helpers.find(registry, false)
	switch {
	case err != nil:
		return nil, err
	case i < 0 || !helpers.members[i].is(helper):
		return doc, nil
	case len(helpers.members) > 1:
		return helpers.remove(doc, i), nil
	}
	i, err = top.find(credHelpers, true)
	return top.remove(doc, i), err
}

// parseConfig finds the whole document's object and that of credHelpers, nil
// where there is none. Its errors quote nothing: passwords may be in there.
func parseConfig(doc []byte) (top object, helpers *object, err error) {
	start := skip(doc, 0, "")
	if !json.Valid(doc) || doc[start] != '{' {
		return object{}, nil, fmt.Errorf("is %w: repair or remove it", ErrNotJSON)
	}
	if top, err = parseObject(doc, start); err != nil {
		return object{}, nil, err
	}
	i, err := top.find(credHelpers, true)
	if err != nil || i < 0 {
		return top, nil, err
	}
	at := top.members[i].value
	if doc[at] != '{' {
		return object{}, nil, fmt.Errorf("holds a credHelpers that is %w: correct or remove that", ErrNotJSON)
	}
	inner, err := parseObject(doc, at)
	return top, &inner, err
}

// parseObject reads the object that begins at an offset of a valid document.
func parseObject(doc []byte, at int) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(doc[at:]))
	offset := func() int { return at + int(dec.InputOffset()) }
	if _, err := dec.Token(); err != nil {
		return object{}, err
	}
	o := object{open: at}
	for dec.More() {
		m := member{start: skip(doc, offset(), ",")}
		key, err := dec.Token()
		if err != nil {
			return object{}, err
		}
		m.key, _ = key.(string)
		m.keyEnd = offset()
		m.value = skip(doc, m.keyEnd, ":")
		if err := dec.Decode(&m.raw); err != nil {
			return object{}, err
		}
		m.end = offset()
		o.members = append(o.members, m)
	}
	if _, err := dec.Token(); err != nil {
		return object{}, err
	}
	o.close = offset() - 1
	return o, nil
}

// skip returns the offset of what follows white space and the characters of
// also, at most the length of doc.
func skip(doc []byte, at int, also string) int {
	for at < len(doc) && strings.IndexByte(" \t\r\n"+also, doc[at]) >= 0 {
		at++
	}
	return at
}

// find returns the number of the member with a key, -1 where there is none.
// Docker's decoder takes a field of its configuration in any case (fold). A key
// that is there twice is an error, because programs differ in which one counts.
func (o object) find(key string, fold bool) (int, error) {
	is := func(m member) bool { return m.key == key || fold && strings.EqualFold(m.key, key) }
	i := slices.IndexFunc(o.members, is)
	if i >= 0 && slices.ContainsFunc(o.members[i+1:], is) {
		return -1, faultf(ErrInTheWay, "has %s twice: remove one of them", key)
	}
	return i, nil
}

func (m member) is(helper string) bool {
	var value string
	return json.Unmarshal(m.raw, &value) == nil && value == helper
}

// layout is how an object's members are set.
type layout struct{ before, colon, after string }

// topLayout is that of docker's own files.
var topLayout = layout{before: "\n\t", colon: ": ", after: "\n"}

// layout is the first member's, or docker's own.
func (o object) layout(doc []byte) layout {
	if len(o.members) == 0 {
		return topLayout
	}
	first, last := o.members[0], o.members[len(o.members)-1]
	return layout{
		before: string(doc[o.open+1 : first.start]),
		colon:  string(doc[first.keyEnd:first.value]),
		after:  string(doc[last.end:o.close]),
	}
}

// inner is the layout of an object within, one step further in.
func (l layout) inner() layout {
	line := strings.LastIndexByte(l.before, '\n') + 1
	if line == 0 {
		return l
	}
	end := "\n"
	if strings.Contains(l.before, "\r\n") {
		end = "\r\n"
	}
	indent := l.before[line:]
	step, found := strings.CutPrefix(indent, l.after[strings.LastIndexByte(l.after, '\n')+1:])
	if !found || step == "" {
		step = "\t"
	}
	return layout{before: end + indent + step, colon: l.colon, after: end + indent}
}

// insert puts a member at the end of the object; empty is the layout of one
// that has none yet.
func (o object) insert(doc []byte, key, value string, empty layout) []byte {
	if len(o.members) == 0 {
		return slices.Concat(doc[:o.open+1], []byte(empty.before+key+empty.colon+value+empty.after), doc[o.close:])
	}
	l, end := o.layout(doc), o.members[len(o.members)-1].end
	return slices.Concat(doc[:end], []byte(","+l.before+key+l.colon+value), doc[end:])
}

// remove takes a member out, with one comma.
func (o object) remove(doc []byte, i int) []byte {
	from, to := o.open+1, o.close
	switch {
	case i > 0:
		from, to = o.members[i-1].end, o.members[i].end
	case len(o.members) > 1:
		from, to = o.members[0].start, o.members[1].start
	}
	return slices.Concat(doc[:from], doc[to:])
}

// quote makes a JSON string.
func quote(s string) string {
	text, _ := json.Marshal(s) // a string can always be one
	return string(text)
}
