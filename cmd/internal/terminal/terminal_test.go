package terminal

import (
	"os"
	"strings"
	"testing"
)

func TestWhatIsNoTerminalIsNoInput(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	in := New(file)
	if in != nil || in.InForeground() {
		t.Errorf("%v", in)
	}
}

func TestATextEndsWithALineEnd(t *testing.T) {
	for of, want := range map[string]bool{"": false, "a": false, "a\n": true, "a\r": true, "\r": true, "a\nb": false, "a\n ": false} {
		if got := text(of).isComplete(); got != want {
			t.Errorf("%q: %v", of, got)
		}
	}
}

func TestOfALongTextItsEndIsKept(t *testing.T) {
	var got text
	for range 3 {
		got.add([]byte(strings.Repeat("x", maxText/2)))
	}
	got.add([]byte("end\n"))
	if len(got) != maxText || !strings.HasSuffix(string(got), "xend\n") {
		t.Errorf("%d bytes, which end with %q", len(got), got[len(got)-8:])
	}
}
