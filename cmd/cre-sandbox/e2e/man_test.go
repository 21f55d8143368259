//go:build unix

package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/doctor"
	"cre-credential-helper/cmd/internal/reading"
)

var (
	mdocHead     = regexp.MustCompile(`(?m)^\.It Cm (\S+)`)
	helpOfHelper = regexp.MustCompile(`(?m)^  ([a-z-]+)  +\S`)
)

// manPage is a man page's source, with each word in one piece.
func manPage(t *testing.T, name string) string {
	t.Helper()
	return strings.ReplaceAll(readFile(t, repository+"/docs/man/"+name), " Ns Ar ", "")
}

// between is what a text has after one line and before the next other one.
func between(t *testing.T, text, after, before string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n"+after+"\n")
	part, _, ends := strings.Cut(rest, "\n"+before)
	if !ok || !ends {
		t.Fatalf("there is no part from %q to %q", after, before)
	}
	return part
}

// TestEveryManPageIsOneOfItsOwn: it can be read where it is, and not only where all
// of them are installed.
func TestEveryManPageIsOneOfItsOwn(t *testing.T) {
	pages := globbed(t, repository+"/docs/man/*.1")
	for _, page := range pages {
		if name := strings.TrimSuffix(filepath.Base(page), ".1"); !strings.Contains(readFile(t, page), "\n.Sh NAME\n.Nm "+name+"\n") {
			t.Errorf("%s does not say that it is about %s", page, name)
		}
	}
	if len(pages) != 4 {
		t.Errorf("%d pages were found", len(pages))
	}
}

// TestTheManPagesNameEveryStore: those that the programs know, wherever one is taken
// or shown.
func TestTheManPagesNameEveryStore(t *testing.T) {
	cre, helper := manPage(t, "cre.1"), manPage(t, "cre-credential-helper.1")
	for where, text := range map[string]string{
		"cre.1, --to":                   between(t, cre, ".It Fl Fl to Ar store", ".It "),
		"cre.1, place":                  between(t, cre, ".Cm place", ".Cm variable"),
		"cre-credential-helper.1, move": between(t, helper, ".It Cm move", ".It "),
	} {
		words := strings.Fields(text)
		for _, store := range reading.Words() {
			if !slices.Contains(words, store) {
				t.Errorf("%s doesn't name %s", where, store)
			}
		}
	}
	var listed []string
	for _, head := range mdocHead.FindAllStringSubmatch("\n"+between(t, helper, `.Bl -tag -width "keychain, keyring"`, ".El")+"\n", -1) {
		listed = append(listed, head[1])
	}
	if want := append([]string{string(reading.Auto)}, reading.Words()...); !slices.Equal(listed, want) {
		t.Errorf("CRE_CREDENTIAL_STORE has the stores %q, want the default first: %q", listed, want)
	}
}

// TestTheManPageNamesEveryCheckOfTheDoctor, in the doctor's order, and the guide every
// one, too.
func TestTheManPageNamesEveryCheckOfTheDoctor(t *testing.T) {
	part := between(t, manPage(t, "cre.1"), "runs these checks, or the ones that are named:", "With\n.Fl Fl offline")
	var named []string
	for _, word := range strings.Fields(part) {
		if slices.Contains(doctor.Names(), word) {
			named = append(named, word)
		}
	}
	if !slices.Equal(named, doctor.Names()) {
		t.Errorf("the page has the checks %q, want %q", named, doctor.Names())
	}
	guide := between(t, readFile(t, repository+"/docs/guide.md"), "## If something doesn't work", "## ")
	for _, name := range doctor.Names() {
		if !strings.Contains(guide, "`"+name+"`") {
			t.Errorf("docs/guide.md doesn't name the check %s", name)
		}
	}
}

// TestTheHelpersManPageHasEveryOperation that its help lists, in the synopsis, too.
func TestTheHelpersManPageHasEveryOperation(t *testing.T) {
	page := manPage(t, "cre-credential-helper.1")
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "cre-credential-helper"), "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	help := between(t, string(out), "operations", "\n")
	synopsis := strings.Fields(between(t, page, ".Sh SYNOPSIS", ".Sh "))
	operations := helpOfHelper.FindAllStringSubmatch(help, -1)
	for _, operation := range operations {
		if !slices.Contains(synopsis, operation[1]) {
			t.Errorf("%s is not in the synopsis", operation[1])
		}
		if !strings.Contains(page, "\n.It Cm "+operation[1]+"\n") && !strings.Contains(page, "\n.It Cm "+operation[1]+" ,") {
			t.Errorf("%s is not described", operation[1])
		}
	}
	if len(operations) < 10 {
		t.Errorf("only %d operations were found", len(operations))
	}
}
