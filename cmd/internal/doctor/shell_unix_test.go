//go:build unix

package doctor

import (
	"os/exec"
	"testing"
)

// FuzzQuote has a real shell read what was quoted.
func FuzzQuote(f *testing.F) {
	for _, word := range []string{"plain/path.txt", "", "it's", "$HOME `id` \\ \"", "a;b&c|d", "-n", "~", "~root", "é\u202e", "*", "a=b", "!x", "#"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		for _, r := range word {
			if r == 0 || r == '\n' {
				return
			}
		}
		out, err := exec.Command("sh", "-c", "printf %s "+shell{}.quote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q came out as %q, %v", word, out, err)
		}
		out, err = exec.Command("sh", "-c", shell{}.export("A", word)+`; printf %s "$A"`).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q came out as %q, %v", word, out, err)
		}
	})
}
