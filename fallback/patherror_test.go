package fallback_test

import (
	"errors"
	"os"
	"testing"

	"cre-credential-helper/fallback"
)

func TestAnErrorSaysWhichPathItIsAbout(t *testing.T) {
	for name, content := range map[string]string{"damaged": "AccessToken: [", "twice": "a: 1\na: 2\n"} {
		t.Run(name, func(t *testing.T) {
			d := fallback.Open(t.TempDir())
			if err := os.WriteFile(d.SessionPath(), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := d.ReadSession()
			var about *fallback.PathError
			if !errors.Is(err, fallback.ErrDamaged) || !errors.As(err, &about) || about.Path != d.SessionPath() || about.Why == "" || about.Todo == "" {
				t.Errorf("%v: %+v", err, about)
			}
		})
	}
}
