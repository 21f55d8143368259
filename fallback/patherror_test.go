package fallback

import (
	"errors"
	"testing"
)

func TestAnErrorSaysWhichPathItIsAbout(t *testing.T) {
	for name, content := range map[string]string{"damaged": "AccessToken: [", "twice": "a: 1\na: 2\n"} {
		t.Run(name, func(t *testing.T) {
			d := newDir(t)
			plant(t, d, sessionName, content)
			_, err := d.ReadSession()
			var about *PathError
			if !errors.Is(err, ErrDamaged) || !errors.As(err, &about) || about.Path != d.SessionPath() || about.Why == "" || about.Todo == "" {
				t.Errorf("%v: %+v", err, about)
			}
		})
	}
}
