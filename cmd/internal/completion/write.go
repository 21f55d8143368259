package completion

import (
	"fmt"
	"io"
	"strings"
)

// The directives by which Cobra's scripts tell what to do besides.
const (
	directiveDefault = 0 // files, if there is no candidate
	directiveNoFiles = 4
)

// Write writes an answer as Cobra's __complete does: a line for each candidate,
// with a tab before what it does if withUsage is set, and the directive after a
// colon. An error is w's.
func (a Answer) Write(w io.Writer, withUsage bool) error {
	var text strings.Builder
	for _, c := range a.Candidates {
		text.WriteString(c.Text)
		if withUsage && c.Usage != "" {
			text.WriteString("\t" + oneLine(c.Usage))
		}
		text.WriteByte('\n')
	}
	directive := directiveNoFiles
	if a.Files {
		directive = directiveDefault
	}
	fmt.Fprintf(&text, ":%d\n", directive)
	_, err := io.WriteString(w, text.String())
	return err
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
