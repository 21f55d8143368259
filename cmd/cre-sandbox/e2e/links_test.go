//go:build unix

package e2e

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	mdLink     = regexp.MustCompile(`\]\(([^)\s:]*)\)`)
	mdHeading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	mdFence    = regexp.MustCompile("(?ms)^```.*?^```$")
	notInAPart = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinksOfTheDocumentsLeadSomewhere follows the links among the documents, to
// the heading where one is named.
func TestLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	pages := documents(t)
	followed := 0
	for _, page := range pages {
		for _, link := range mdLink.FindAllStringSubmatch(mdFence.ReplaceAllString(readFile(t, page), ""), -1) {
			followed++
			path, part, _ := strings.Cut(link[1], "#")
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			if found, err := filepath.Glob(target); err != nil || len(found) == 0 {
				t.Errorf("%s: there is no %s", page, link[1])
			} else if part != "" && !slices.Contains(headings(t, target), part) {
				t.Errorf("%s: there is no heading %s", page, link[1])
			}
		}
	}
	if len(pages) < 12 || followed < 60 {
		t.Errorf("only %d pages and %d links were found", len(pages), followed)
	}
}

// documents are the paths of all that people read in the repository.
func documents(t *testing.T) (pages []string) {
	t.Helper()
	for _, folder := range []string{"", "docs/"} {
		found, err := filepath.Glob(repository + "/" + folder + "*.md")
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	return pages
}

// headings are a page's headings in the form in which a link names them, by GitHub's
// rule.
func headings(t *testing.T, page string) (names []string) {
	t.Helper()
	for _, heading := range mdHeading.FindAllStringSubmatch(mdFence.ReplaceAllString(readFile(t, page), ""), -1) {
		names = append(names, strings.ReplaceAll(notInAPart.ReplaceAllString(strings.ToLower(heading[1]), ""), " ", "-"))
	}
	return names
}

var (
	mdocVariable = regexp.MustCompile(`[A-Z][A-Z_]{3,}`)
	manVariables = regexp.MustCompile(`(?s)\n\.Sh ENVIRONMENT\n(.*?)\n\.Sh `)
	mdVariables  = regexp.MustCompile(`(?s)\n## Environment variables\n(.*?)\n## `)
	mdFirstCell  = regexp.MustCompile("(?m)^\\| (`[^|]*) \\|")
	mdocItem     = regexp.MustCompile(`(?m)^\.(?:It )?Ev .*`)
)

// TestTheReferenceAndTheManPagesHaveTheSameVariables: those that head a row of
// docs/reference.md are those of the man pages.
func TestTheReferenceAndTheManPagesHaveTheSameVariables(t *testing.T) {
	manual := ""
	for _, page := range []string{"cre.1", "cre-credential-helper.1"} {
		manual += manVariables.FindStringSubmatch(readFile(t, repository+"/docs/man/"+page))[1]
	}
	reference := mdVariables.FindStringSubmatch(readFile(t, repository+"/docs/reference.md"))[1]
	rows := strings.Join(mdFirstCell.FindAllString(reference, -1), "\n")
	for _, name := range mdocVariable.FindAllString(strings.Join(mdocItem.FindAllString(manual, -1), "\n"), -1) {
		if !strings.Contains(reference, "`"+name+"`") {
			t.Errorf("%s is in the man pages, but not in docs/reference.md", name)
		}
	}
	named := mdocVariable.FindAllString(rows, -1)
	for _, name := range named {
		if !strings.Contains(manual, name) {
			t.Errorf("%s is in docs/reference.md, but not in the man pages", name)
		}
	}
	if len(named) < 25 {
		t.Errorf("only %d variables were found", len(named))
	}
}
