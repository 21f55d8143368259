package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"cre-credential-helper/cmd/internal/safetext"
)

// schema is the JSON's version. It changes when a field goes or means something
// else, not when one is added.
const schema = 1

// Report is what all checks have found out.
type Report struct {
	Schema   int       `json:"schema"`
	Version  string    `json:"version"` // of this program
	OK       bool      `json:"ok"`      // there is no problem
	Findings []Finding `json:"findings"`
}

// NewReport makes a report that is fit to be shown. A command with characters that
// aren't fit for that would do something else without them, and is left out.
func NewReport(version string, findings []Finding) Report {
	r := Report{Schema: schema, Version: version, Findings: findings}
	for i, f := range findings {
		if safetext.Line(f.Remedy) != f.Remedy {
			r.Findings[i].Remedy = ""
		}
	}
	r.edit(safetext.Line)
	r.OK = r.Problems() == 0
	return r
}

// Problems counts them.
func (r Report) Problems() (n int) {
	for _, f := range r.Findings {
		if f.Level == Problem {
			n++
		}
	}
	return n
}

// WithoutOK returns r with warnings and problems alone.
func (r Report) WithoutOK() Report {
	r.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Level == OK })
	return r
}

// edit puts every text of the findings through a function.
func (r Report) edit(text func(string) string) {
	for i := range r.Findings {
		f := &r.Findings[i]
		f.What, f.Advice, f.Remedy = text(f.What), text(f.Advice), text(f.Remedy)
	}
}

// WriteJSON writes the report as one JSON object.
func (r Report) WriteJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// WriteText writes a line for each finding and, below it, what to do. With marks,
// each line begins with a sign besides the word for its level.
func (r Report) WriteText(out io.Writer, marks bool) error {
	var text strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&text, "%s%s: %s: %s\n", f.Level.mark(marks), f.Level, f.Check, f.What)
		if f.Advice != "" {
			fmt.Fprintf(&text, "  %s\n", f.Advice)
		}
		if f.Remedy != "" {
			fmt.Fprintf(&text, "    %s\n", f.Remedy)
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func (l Level) mark(marks bool) string {
	switch {
	case !marks:
		return ""
	case l == OK:
		return "✓ "
	case l == Warning:
		return "! "
	}
	return "✗ "
}

// ShowsMarks reports whether a terminal can be expected to show the marks, by the
// variables that say so.
func ShowsMarks(getenv func(string) string) bool {
	if getenv("TERM") == "dumb" || runtime.GOOS == "windows" && getenv("WT_SESSION") == "" {
		return false
	}
	if runtime.GOOS == "windows" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} { // in this order, locale(7)
		if locale := strings.ToLower(getenv(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}
