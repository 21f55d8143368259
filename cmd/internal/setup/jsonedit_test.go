package setup_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/setup"
)

const registry = "registry.example.com"

func TestAnEntryIsAddedInTheFilesOwnLayout(t *testing.T) {
	tests := []struct{ name, before, after string }{
		{"nothing", `{}`, "{\n\t\"credHelpers\": {\n\t\t\"registry.example.com\": \"cre\"\n\t}\n}"},
		{"docker's own layout", "{\n\t\"auths\": {\n\t\t\"a\": {}\n\t}\n}", "{\n\t\"auths\": {\n\t\t\"a\": {}\n\t},\n\t\"credHelpers\": {\n\t\t\"registry.example.com\": \"cre\"\n\t}\n}"},
		{"two spaces", "{\n  \"a\": 1,\n  \"credHelpers\": {\n    \"b\": \"c\"\n  },\n  \"d\": 2\n}\n", "{\n  \"a\": 1,\n  \"credHelpers\": {\n    \"b\": \"c\",\n    \"registry.example.com\": \"cre\"\n  },\n  \"d\": 2\n}\n"},
		{"two spaces, none there", "{\n  \"a\": 1\n}\n", "{\n  \"a\": 1,\n  \"credHelpers\": {\n    \"registry.example.com\": \"cre\"\n  }\n}\n"},
		{"carriage returns", "{\r\n  \"a\": 1\r\n}\r\n", "{\r\n  \"a\": 1,\r\n  \"credHelpers\": {\r\n    \"registry.example.com\": \"cre\"\r\n  }\r\n}\r\n"},
		{"one line", `{"a":1}`, `{"a":1,"credHelpers":{"registry.example.com":"cre"}}`},
		{"one line with spaces", `{ "a": 1 }`, `{ "a": 1, "credHelpers": { "registry.example.com": "cre" } }`},
		{"numbers and odd keys", `{"n":1.50e+400,"big":123456789012345678901234567890,"\u0061":"\ud800","z":null}`, `{"n":1.50e+400,"big":123456789012345678901234567890,"\u0061":"\ud800","z":null,"credHelpers":{"registry.example.com":"cre"}}`},
		{"another case", `{"CREDHELPERS":{"b":"c"}}`, `{"CREDHELPERS":{"b":"c","registry.example.com":"cre"}}`},
		{"an escaped key", `{"cred\u0048elpers":{"b":"c"}}`, `{"cred\u0048elpers":{"b":"c","registry.example.com":"cre"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := setup.AddHelper([]byte(tt.before), registry, "cre")
			if err != nil || string(got) != tt.after {
				t.Fatalf("got %s, %v\nwant %s", got, err, tt.after)
			}
			again, err := setup.AddHelper(got, registry, "cre")
			if err != nil || !bytes.Equal(again, got) {
				t.Errorf("again: %s, %v", again, err)
			}
			back, err := setup.RemoveHelper(got, registry, "cre")
			if err != nil || string(back) != tt.before {
				t.Errorf("taken back: %q, %v\nwant %q", back, err, tt.before)
			}
		})
	}
}

func TestAnEntryIsTakenOutWhereverItStands(t *testing.T) {
	tests := []struct{ name, before, after string }{
		{"first of two", `{"credHelpers": { "registry.example.com": "cre", "b": "c" }}`, `{"credHelpers": { "b": "c" }}`},
		{"last of two", `{"credHelpers": { "b": "c", "registry.example.com": "cre" }}`, `{"credHelpers": { "b": "c" }}`},
		{"the only one, in the middle", `{"a": 1, "credHelpers": {"registry.example.com": "cre"}, "d": 2}`, `{"a": 1, "d": 2}`},
		{"the only one, first", `{ "credHelpers": {"registry.example.com": "cre"}, "d": 2}`, `{ "d": 2}`},
		{"an escaped value", `{"credHelpers": {"registry.example.com": "\u0063re", "b": "c"}}`, `{"credHelpers": {"b": "c"}}`},
		{"another helper's", `{"credHelpers": {"registry.example.com": "ecr-login"}}`, `{"credHelpers": {"registry.example.com": "ecr-login"}}`},
		{"another registry's", `{"credHelpers": {"Registry.example.com": "cre"}}`, `{"credHelpers": {"Registry.example.com": "cre"}}`},
		{"no helpers", `{"credHelpers": {}}`, `{"credHelpers": {}}`},
		{"nothing", ` {} `, ` {} `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := setup.RemoveHelper([]byte(tt.before), registry, "cre")
			if err != nil || string(got) != tt.after {
				t.Errorf("got %s, %v\nwant %s", got, err, tt.after)
			}
		})
	}
}

func TestWhatCannotBeEditedIsRefused(t *testing.T) {
	tests := []struct {
		name, doc string
		want      error
	}{
		{"nothing", "", setup.ErrNotJSON},
		{"white space", " \n", setup.ErrNotJSON},
		{"cut off", `{"auths": {`, setup.ErrNotJSON},
		{"a list", `[]`, setup.ErrNotJSON},
		{"a string", `"credHelpers"`, setup.ErrNotJSON},
		{"two documents", `{}{}`, setup.ErrNotJSON},
		{"a comment", "{} // mine", setup.ErrNotJSON},
		{"a trailing comma", `{"a":1,}`, setup.ErrNotJSON},
		{"a byte order mark", "\ufeff{}", setup.ErrNotJSON},
		{"nested deeply", strings.Repeat(`{"a":`, 1e5), setup.ErrNotJSON},
		{"helpers that are a list", `{"credHelpers": []}`, setup.ErrNotJSON},
		{"helpers that are null", `{"credHelpers": null}`, setup.ErrNotJSON},
		{"helpers twice", `{"credHelpers": {}, "credhelpers": {}}`, setup.ErrInTheWay},
		{"the registry twice", `{"credHelpers": {"registry.example.com": "cre", "registry.example.com": "cre"}}`, setup.ErrInTheWay},
		{"another helper", `{"credHelpers": {"registry.example.com": "ecr-login"}}`, setup.ErrInTheWay},
		{"no helper", `{"credHelpers": {"registry.example.com": null}}`, setup.ErrInTheWay},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := setup.AddHelper([]byte(tt.doc), registry, "cre")
			if !errors.Is(err, tt.want) || got != nil {
				t.Errorf("got %s, %v; want %v", got, err, tt.want)
			}
		})
	}
}

// FuzzDockerConfiguration holds that whatever is in the file stays, that what
// comes of it is JSON, and that the old bytes come back.
func FuzzDockerConfiguration(f *testing.F) {
	for _, seed := range []string{
		`{}`, "{\n\t\"auths\": {}\n}", `{"credHelpers":{}}`, `{"credHelpers":{"a":"b"},"c":[1,{"d":null}]}`,
		"{ \r\n \"a\" \t:\n1e9 , \"b\":{} }", `{"CredHelpers":{"registry.example.com":"cre"}}`, `{"a":1,"a":2,"":""}`, "{\"\xff\":\"\xfe\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		added, err := setup.AddHelper(bytes.Clone(doc), registry, "cre")
		if err != nil {
			return
		}
		before, after := decode(t, doc), decode(t, added)
		had := helpersOf(before)
		want := maps.Clone(had)
		if want == nil {
			want = map[string]any{}
		}
		want[registry] = "cre"
		if !reflect.DeepEqual(helpersOf(after), want) {
			t.Errorf("the helpers of %q are those of %q", added, doc)
		}
		dropHelpers(before)
		dropHelpers(after)
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%q became %q", doc, added)
		}
		if bytes.Equal(added, doc) {
			return // it was there
		}
		back, err := setup.RemoveHelper(bytes.Clone(added), registry, "cre")
		if err != nil || !json.Valid(back) {
			t.Fatalf("%q, taken back: %q, %v", added, back, err)
		}
		top := bytes.TrimSpace(doc)
		wasEmpty := had != nil && len(had) == 0 || len(bytes.TrimSpace(top[1:len(top)-1])) == 0
		if !wasEmpty && !bytes.Equal(back, doc) {
			t.Errorf("%q came back as %q", doc, back)
		}
	})
}

func decode(t *testing.T, doc []byte) map[string]any {
	t.Helper()
	var value map[string]any
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	if err := dec.Decode(&value); err != nil {
		t.Fatalf("%q: %v", doc, err)
	}
	return value
}

// helpersOf returns what is under credHelpers, nil if there is no such key.
func helpersOf(doc map[string]any) map[string]any {
	for key, value := range doc {
		if strings.EqualFold(key, "credHelpers") {
			helpers, _ := value.(map[string]any)
			return helpers
		}
	}
	return nil
}

func dropHelpers(doc map[string]any) {
	maps.DeleteFunc(doc, func(key string, _ any) bool { return strings.EqualFold(key, "credHelpers") })
}
