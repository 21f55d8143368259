package helper_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"cre-credential-helper/helper"
)

const text = "s3cr3t-t0ken"

// carrier has the secret where printers that skip methods look for it.
type carrier struct {
	Exported helper.Secret
	hidden   helper.Secret
	pointer  *helper.Secret
}

func carriers() []any {
	s := helper.NewSecret(text)
	c := carrier{Exported: s, hidden: s, pointer: &s}
	return []any{s, &s, c, &c, []helper.Secret{s}, map[string]helper.Secret{"k": s}, helper.Credential{Secret: s, RefreshToken: s}}
}

func TestSecretDoesNotPrintItself(t *testing.T) {
	if got := helper.NewSecret(text).String(); strings.Contains(got, text) {
		t.Errorf("String shows the secret: %s", got)
	}
	for _, v := range carriers() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%U"} {
			out := fmt.Sprintf(verb, v)
			if strings.Contains(out, text) || strings.Contains(out, fmt.Sprintf("%x", text)) {
				t.Errorf("%s of %T shows the secret: %s", verb, v, out)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		if strings.Contains(log.String(), text) {
			t.Errorf("the log shows the secret of %T: %s", v, log.String())
		}
		if err := fmt.Errorf("oh: %v", v); strings.Contains(err.Error(), text) {
			t.Errorf("an error shows the secret of %T", v)
		}
	}
}

func TestSecretDoesNotMarshalItself(t *testing.T) {
	encoders := map[string]func(any) ([]byte, error){
		"json": json.Marshal,
		"yaml": func(v any) ([]byte, error) { return yaml.Marshal(v) },
		"xml":  xml.Marshal,
		"gob": func(v any) ([]byte, error) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(v)
			return b.Bytes(), err
		},
	}
	for name, encode := range encoders {
		out, err := encode(struct{ S helper.Secret }{helper.NewSecret(text)})
		if err == nil || bytes.Contains(out, []byte(text)) {
			t.Errorf("%s marshals a secret: %q, %v", name, out, err)
		}
	}
	if _, err := json.Marshal(helper.NewSecret(text)); !errors.Is(err, helper.ErrSecretMarshal) {
		t.Errorf("json.Marshal: %v, want ErrSecretMarshal", err)
	}
}

func TestSecretEquality(t *testing.T) {
	none, empty, a, b := helper.Secret{}, helper.NewSecret(""), helper.NewSecret("a"), helper.NewSecret("b")
	for i, s := range []helper.Secret{none, empty, a, b} {
		for j, o := range []helper.Secret{none, empty, a, b} {
			if got := s.Equal(o); got != (i == j) {
				t.Errorf("secret %d Equal secret %d is %v", i, j, got)
			}
		}
	}
	if none.IsSet() || !empty.IsSet() || a.Reveal() != "a" || none.Reveal() != "" {
		t.Error("the zero value must be no secret, and the empty secret one")
	}
}
