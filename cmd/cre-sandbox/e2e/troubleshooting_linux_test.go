package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const troubleshootingHead = `# Troubleshooting

What you see, why you see it, and what to do. Begin with ` + "`cre doctor`" + `: it looks for what
is wrong on this machine, and prints the command that helps.

` + "`make docs`" + ` makes this page from the tables of the tests: each message and each finding
below is brought about by a test. HOST stands for the platform's or the provider's host.

## Messages
`

const findingsHead = `
## What cre doctor finds

A finding has a level (*problem* or *warning*) and a check. Here are a part of its text,
the reason, and what helps. Where a command stands, ` + "`cre doctor`" + ` prints the whole
command, with the right paths.
`

// TestTroubleshootingExplainsEveryMessage holds docs/troubleshooting.md to the
// messages and the doctor's findings that the tests bring about.
func TestTroubleshootingExplainsEveryMessage(t *testing.T) {
	var page strings.Builder
	page.WriteString(troubleshootingHead)
	explained, messages := map[string]bool{}, allMessages()
	for _, c := range messageChapters {
		fmt.Fprintf(&page, "\n### %s\n", c.heading)
		for _, e := range c.rows {
			said, found := messages[e.of]
			if !found || explained[e.of] {
				t.Errorf("%q is no message, or is explained twice", e.of)
			}
			explained[e.of] = true
			if e.why == "" {
				continue
			}
			fmt.Fprintf(&page, "\n```text\n%s\n```\n\n- *Why:* %s\n- *What to do:* %s\n", strings.Join(said.want, "\n"), e.why, e.todo)
		}
	}
	for name := range messages {
		if !explained[name] {
			t.Errorf("%q is not explained in messageChapters", name)
		}
	}
	page.WriteString(findingsHead)
	writeFindings(t, &page)
	mustBeInStep(t, "docs/troubleshooting.md", page.String())
}

// writeFindings writes a table for each chapter of the doctor's findings.
func writeFindings(t *testing.T, page *strings.Builder) {
	t.Helper()
	left := allFaults()
	for _, c := range findingChapters {
		fmt.Fprintf(page, "\n### %s\n\n| finding | why | what helps |\n| --- | --- | --- |\n", strings.ToUpper(c.heading[:1])+c.heading[1:])
		for _, e := range c.rows {
			i := slices.IndexFunc(left, func(f fault) bool { return f.name == e.of })
			if i < 0 {
				t.Errorf("%q is no fault, or is explained twice", e.of)
				continue
			}
			f, todo := left[i], e.todo
			left = slices.Delete(left, i, i+1)
			if e.why == "" {
				continue
			}
			if todo == "" && f.command == "" {
				t.Errorf("%q: no command is printed, so it has to be said what to do", e.of)
			}
			if todo == "" {
				todo = "`" + f.command + "`"
			}
			fmt.Fprintf(page, "| %s: %s: … %s … | %s | %s |\n", f.level, f.check, strings.TrimSpace(f.says), e.why, strings.ReplaceAll(todo, "|", `\|`))
		}
	}
	for _, f := range left {
		t.Errorf("%q is not explained in findingChapters", f.name)
	}
}
