package recording

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// Sizes in pixels.
const (
	fontSize  = 14
	charWidth = 8.4
	lineStep  = 20
	margin    = 20
	titleBar  = 38
)

// style has two palettes, by the reader's setting. Who wants no movement sees
// everything at once.
const style = `
    .window { fill: #ffffff; stroke: #d0d7de }
    .bar { fill: #f6f8fa }
    text { fill: #1f2328; white-space: pre; font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace }
    .title { fill: #59636e; font-family: system-ui, sans-serif; font-size: 13px }
    .typed { font-weight: bold }
    .bold { font-weight: bold }
    .dim { fill: #59636e }
    .red { fill: #cf222e }
    .green { fill: #1a7f37 }
    .yellow { fill: #9a6700 }
    .blue { fill: #0969da }
    @media (prefers-color-scheme: dark) {
      .window { fill: #0d1117; stroke: #3d444d }
      .bar { fill: #161b22 }
      text { fill: #e6edf3 }
      .title, .dim { fill: #9198a1 }
      .red { fill: #ff7b72 }
      .green { fill: #3fb950 }
      .yellow { fill: #d29922 }
      .blue { fill: #58a6ff }
    }
    @media (prefers-reduced-motion: no-preference) {
      .typed { animation: type 1s both }
      .shown { animation: show 1ms both }
    }
    @keyframes type { from { clip-path: inset(0 100% 0 0) } to { clip-path: inset(0) } }
    @keyframes show { from { opacity: 0 } to { opacity: 1 } }
`

// SVG draws c: each text appears at its time, and in the end everything stands
// there. It is an error if c holds what can't be drawn, or does not fit.
func (c *Cast) SVG() (string, error) {
	s := &screen{width: c.Width, height: c.Height}
	for _, e := range c.Events {
		if err := s.show(e); err != nil {
			return "", err
		}
	}
	width := int(float64(c.Width)*charWidth) + 2*margin
	height := titleBar + c.Height*lineStep + margin
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-label="%s">
  <style>%s  </style>
  <rect class="window" x="0.5" y="0.5" width="%d" height="%d" rx="9"/>
  <path class="bar" d="M1 %d V10 a9 9 0 0 1 9 -9 H%d a9 9 0 0 1 9 9 V%d z"/>
`, width, height, html.EscapeString(c.Title), style, width-1, height-1, titleBar-8, width-10, titleBar-8)
	for i, fill := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(&out, "  <circle cx=\"%d\" cy=\"15\" r=\"5.5\" fill=\"%s\"/>\n", margin+i*18, fill)
	}
	fmt.Fprintf(&out, "  <text class=\"title\" x=\"%d\" y=\"20\" text-anchor=\"middle\">%s</text>\n", width/2, html.EscapeString(c.Title))
	for _, r := range s.runs {
		r.draw(&out)
	}
	out.WriteString("</svg>\n")
	return out.String(), nil
}

// draw sets the width of the text, because fonts differ in it.
func (r run) draw(out *strings.Builder) {
	text := strings.TrimRight(r.text, " ")
	letters := utf8.RuneCountInString(text)
	if letters == 0 {
		return
	}
	class, timing := "shown", fmt.Sprintf("animation-delay: %.2fs", r.at.Seconds())
	if r.typing > 0 {
		class = "typed"
		timing += fmt.Sprintf("; animation-duration: %.2fs; animation-timing-function: steps(%d)", r.typing.Seconds(), letters)
	}
	if r.class != "" {
		class += " " + r.class
	}
	fmt.Fprintf(out, "  <text class=\"%s\" x=\"%.1f\" y=\"%d\" textLength=\"%.1f\" lengthAdjust=\"spacingAndGlyphs\" style=\"%s\">%s</text>\n",
		class, margin+float64(r.column)*charWidth, titleBar+r.line*lineStep+fontSize, float64(letters)*charWidth, timing, html.EscapeString(text))
}
