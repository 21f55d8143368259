package doctor

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFindingsComeInTheOrderOfTheChecks(t *testing.T) {
	first := make(chan struct{})
	found := Examine(t.Context(), []Check{
		{Name: "late", Timeout: time.Minute, Run: func(context.Context) []Finding { <-first; return []Finding{ok("one"), ok("two")} }},
		{Name: "early", Timeout: time.Minute, Run: func(context.Context) []Finding {
			close(first)
			f := ok("three")
			f.Check = "another"
			return []Finding{f}
		}},
	})
	want := []Finding{{Check: "late", Level: OK, What: "one"}, {Check: "late", Level: OK, What: "two"}, {Check: "another", Level: OK, What: "three"}}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("%+v", found)
	}
}

func TestACheckThatNeverEndsIsLeftBehind(t *testing.T) {
	never := make(chan struct{})
	defer close(never)
	found := Examine(t.Context(), []Check{
		{Name: "deaf", Timeout: time.Millisecond, Run: func(context.Context) []Finding { <-never; return nil }},
		{Name: "hears", Timeout: time.Millisecond, Run: func(ctx context.Context) []Finding { <-ctx.Done(); return []Finding{ok("heard")} }},
	})
	if len(found) != 2 || found[0].Level != Problem || found[1].What != "heard" {
		t.Errorf("%+v", found)
	}
}

func TestLocalChecksAskNoOtherMachine(t *testing.T) {
	all := Checks(Machine{Getenv: func(string) string { return "" }, Home: t.TempDir()})
	local := Local(all)
	if len(local) != len(all)-3 || slices.ContainsFunc(local, func(c Check) bool { return c.Network || c.Name == "provider" }) {
		t.Errorf("%+v", local)
	}
}

func TestChecksAreChosenByTheirNames(t *testing.T) {
	all := []Check{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	for _, tt := range []struct {
		names []string
		want  int
		err   error
	}{{nil, 3, nil}, {[]string{"c", "a"}, 2, nil}, {[]string{"a", "d"}, 0, ErrNoCheck}} {
		if got, err := Named(all, tt.names...); len(got) != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%v: %v, %v", tt.names, got, err)
		}
	}
}

func TestACommandThatCannotBeShownWholeIsNotShown(t *testing.T) {
	for _, path := range []string{"a\nb", "a\x1b[31m", "a\u202eb", strings.Repeat("a", 3000)} {
		r := NewReport("", []Finding{problem("%s", path).run("chmod go-w -- '" + path + "'")})
		if f := r.Findings[0]; f.Remedy != "" || f.What == "" || strings.ContainsAny(f.What, "\n\x1b\u202e") {
			t.Errorf("%q: %+v", path, f)
		}
	}
}

func TestMarksAreForTerminalsThatShowThem(t *testing.T) {
	for _, tt := range []struct {
		environment map[string]string
		want        bool
	}{
		{map[string]string{"LANG": "en_US.UTF-8"}, true},
		{map[string]string{"LC_ALL": "C.utf8", "LANG": "C"}, true},
		{map[string]string{"LC_ALL": "C", "LANG": "en_US.UTF-8"}, false},
		{map[string]string{"LC_CTYPE": "UTF-8"}, true},
		{map[string]string{"LANG": "en_US.UTF-8", "TERM": "dumb"}, false},
		{nil, false},
	} {
		if got := ShowsMarks(func(name string) string { return tt.environment[name] }); got != tt.want {
			t.Errorf("%v: %v", tt.environment, got)
		}
	}
}

func TestTheTextHasALineForEachThing(t *testing.T) {
	r := NewReport("v", []Finding{
		{Check: "files", Level: OK, What: "well"},
		{Check: "port", Level: Warning, What: "so so", Advice: "wait"},
		{Check: "git", Level: Problem, What: "broken", Remedy: "mend it"},
	})
	for marks, want := range map[bool]string{
		true:  "✓ ok: files: well\n! warning: port: so so\n  wait\n✗ problem: git: broken\n    mend it\n",
		false: "ok: files: well\nwarning: port: so so\n  wait\nproblem: git: broken\n    mend it\n",
	} {
		var out strings.Builder
		if err := r.WriteText(&out, marks); err != nil || out.String() != want {
			t.Errorf("%v: %q", err, &out)
		}
	}
	if r.OK || r.Problems() != 1 {
		t.Errorf("%+v", r)
	}
}
