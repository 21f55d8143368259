//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// The lines of the document between which the figures are put.
const (
	beginMark = "<!-- figures: begin (make bench writes them) -->\n"
	endMark   = "<!-- figures: end -->\n"
)

var errMarks = errors.New("the document has no place for the figures")

// table is one of Markdown's.
type table struct{ text strings.Builder }

func newTable(columns ...string) *table {
	t := &table{}
	t.add(columns...)
	t.add(strings.Split(strings.Repeat("---,", len(columns)-1)+"---", ",")...)
	return t
}

func (t *table) add(cells ...string) {
	fmt.Fprintf(&t.text, "| %s |\n", strings.Join(cells, " | "))
}

// section is a heading, a table and what it needs to be read.
type section struct {
	heading, note string
	table         *table
}

func (s section) String() string {
	return fmt.Sprintf("### %s\n\n%s\n\n%s\n", s.heading, s.note, &s.table.text)
}

// putInto replaces the figures in the document at path.
func putInto(path, figures string) error {
	return change(path, func(string) string { return "\n" + figures })
}

// replaceSections replaces some sections of the figures, or adds them at the end.
func replaceSections(path string, sections []section) error {
	return change(path, func(figures string) string {
		for _, s := range sections {
			before, rest, found := strings.Cut(figures, "### "+s.heading+"\n")
			figures = before + s.String()
			if _, after, more := strings.Cut(rest, "\n### "); found && more {
				figures += "### " + after
			}
		}
		return figures
	})
}

// change rewrites the figures in the document at path.
func change(path string, rewrite func(figures string) string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), beginMark)
	figures, after, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return fmt.Errorf("%s: %w", path, errMarks)
	}
	return os.WriteFile(path, []byte(before+beginMark+rewrite(figures)+endMark+after), 0o644)
}
