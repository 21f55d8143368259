package recording

import (
	"strings"
	"testing"
)

func TestACastIsAnAsciicastOfTextAndTimes(t *testing.T) {
	c := Cast{Width: 20, Height: 4, Title: "a <title>"}
	c.Command("ls", "one\ntwo\r\n")
	want := `{"version":2,"width":20,"height":4,"title":"a <title>"}
[0.7,"o","\u001b[32m$\u001b[0m "]
[0.745,"o","l"]
[0.79,"o","s"]
[1.49,"o","\r\n"]
[1.89,"o","one\r\ntwo\r\n"]
`
	if got := string(c.Marshal()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestThePictureHasEachTextAtItsPlaceAndTime(t *testing.T) {
	c := Cast{Width: 8, Height: 3, Title: "a & b"}
	c.Command("ls", "\x1b[31mred\x1b[0m <12345678\n")
	picture, err := c.SVG()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`aria-label="a &amp; b"`,
		`<text class="shown green" x="20.0" y="52"`,
		`<text class="typed" x="28.4" y="52" textLength="25.2" lengthAdjust="spacingAndGlyphs" style="animation-delay: 0.70s; animation-duration: 0.09s; animation-timing-function: steps(3)"> ls</text>`,
		`<text class="shown red" x="20.0" y="72"`,
		`> &lt;123</text>`, // the rest of a full line is in the next one
		`y="92" textLength="42.0" lengthAdjust="spacingAndGlyphs" style="animation-delay: 1.89s">45678</text>`,
	} {
		if !strings.Contains(picture, want) {
			t.Errorf("without %s:\n%s", want, picture)
		}
	}
}

func TestWhatCannotBeDrawnIsAnError(t *testing.T) {
	for what, printed := range map[string]string{
		"a movement":       "\x1b[2Kgone",
		"an unknown color": "\x1b[38;5;1mred",
		"a half sequence":  "\x1b[3",
		"a return":         "one\rtwo",
		"a tab":            "one\ttwo",
		"too many lines":   "1\n2\n3\n4\n5",
	} {
		c := Cast{Width: 20, Height: 4}
		c.Command("ls", printed)
		if picture, err := c.SVG(); err == nil {
			t.Errorf("%s is drawn:\n%s", what, picture)
		}
	}
}
