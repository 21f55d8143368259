//go:build unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	"cre-credential-helper/keyring/keyringtest"
)

var (
	sectionHeading = regexp.MustCompile(`(?m)^## \d+\. `)
	ruleHeading    = regexp.MustCompile(`(?m)^### (\d+\.\d+) `)
	exampleBlock   = regexp.MustCompile("(?ms)^```example\n(.*?)^```$")
	keyWord        = regexp.MustCompile(`\b(MUST|SHOULD|MAY|REQUIRED)\b`)
	notShown       = regexp.MustCompile(`\bNot\s+shown:`)
	repetition     = regexp.MustCompile(`(.)×(\d+)`)
	moment         = regexp.MustCompile(`\bnow([+-]\d+)\b`)
	citation       = regexp.MustCompile(`docs/specification\.md, (\d+\.\d+)(?: (?:and|to) (\d+\.\d+))?`)
)

// example is a command in a document, and what it must do.
type example struct {
	rule          string // its heading
	command, in   string
	out, messages string // regular expressions
	status        int
}

// TestSpecification holds docs/specification.md to its own form, and the programs to
// its examples: a section at a time, in a fresh HOME with an empty gnome-keyring,
// and with a sandbox in place of the platform.
func TestSpecification(t *testing.T) {
	keyringtest.Need(t, keyringtest.Programs()...)
	s := startPlatform(t, sandbox.Options{TokenLifetime: time.Minute})
	document := readAtSandbox(t, "specification.md", s)
	found := 0
	for _, section := range split(document, sectionHeading) {
		examples := readSection(t, section)
		found += len(examples)
		t.Run(firstLine(section), func(t *testing.T) { runExamples(t, examples, s.Env()) })
	}
	if all := strings.Count(document, "\n$ "); found != all || all < 200 {
		t.Errorf("%d examples were found of %d", found, all)
	}
}

// TestProtocol runs the examples of docs/protocol.md, in one HOME.
func TestProtocol(t *testing.T) {
	keyringtest.Need(t, keyringtest.Programs()...)
	s := startPlatform(t, sandbox.Options{})
	document := readAtSandbox(t, "protocol.md", s)
	examples := readExamples(t, document)
	if all := strings.Count(document, "\n$ "); len(examples) != all || all < 15 {
		t.Errorf("%d examples were found of %d", len(examples), all)
	}
	runExamples(t, examples, s.Env())
}

// readAtSandbox reads a page with the sandbox in the platform's place.
func readAtSandbox(t *testing.T, page string, s *sandbox.Server) string {
	return strings.NewReplacer(
		"< protocol=https\n< host=api.cre.chain.link\n", "< protocol=http\n< host="+strings.TrimPrefix(s.URL, "http://")+"\n",
		"https://api.cre.chain.link", s.URL,
		"https://login.chain.link", s.URL,
	).Replace(readFile(t, repository+"/docs/"+page))
}

// TestCitedRulesExist follows the doc comments of package helper.
func TestCitedRulesExist(t *testing.T) {
	rules := map[string]bool{"": true} // a citation's second rule may be missing
	for _, heading := range ruleHeading.FindAllStringSubmatch(readFile(t, repository+"/docs/specification.md"), -1) {
		if rules[heading[1]] {
			t.Errorf("there are two rules %s", heading[1])
		}
		rules[heading[1]] = true
	}
	files, err := filepath.Glob(repository + "/helper/*.go")
	cited := 0
	for _, file := range files {
		for _, c := range citation.FindAllStringSubmatch(readFile(t, file), -1) {
			cited++
			if !rules[c[1]] || !rules[c[2]] {
				t.Errorf("%s cites %s, which isn't there", file, c[0])
			}
		}
	}
	if err != nil || cited < 20 {
		t.Errorf("only %d citations were found, %v", cited, err)
	}
}

// readSection returns a section's examples. Each of its rules must have one or
// say why it hasn't.
func readSection(t *testing.T, section string) (examples []example) {
	for _, rule := range split(section, ruleHeading) {
		if !keyWord.MatchString(rule) {
			t.Errorf("%s: no word of RFC 2119", firstLine(rule))
		}
		shown := readExamples(t, rule)
		if len(shown) > 0 == notShown.MatchString(rule) {
			t.Errorf(`%s: either an example or a "Not shown:" is expected`, firstLine(rule))
		}
		examples = append(examples, shown...)
	}
	return examples
}

// readExamples returns the examples of a text that begins with its heading.
func readExamples(t *testing.T, text string) (examples []example) {
	for _, block := range exampleBlock.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			mark, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if mark == "$" {
				examples = append(examples, example{rule: firstLine(text), command: rest})
			} else if len(examples) == 0 || examples[len(examples)-1].add(mark, rest) != nil {
				t.Errorf("%s: can't understand %q", firstLine(text), line)
			}
		}
	}
	return examples
}

// add takes a line that follows the command.
func (e *example) add(mark, text string) (err error) {
	switch mark {
	case "<":
		e.in += repetition.ReplaceAllStringFunc(text, func(s string) string {
			character, times, _ := strings.Cut(s, "×")
			n, _ := strconv.Atoi(times)
			return strings.Repeat(character, n)
		}) + "\n"
	case ">":
		e.out += pattern(text)
	case "!":
		e.messages += pattern(text)
	case "=":
		e.status, err = strconv.Atoi(text)
	default:
		err = errors.ErrUnsupported
	}
	return err
}

// pattern makes a regular expression of an expected line.
func pattern(text string) string {
	if text == "…" {
		return `(?s:.*)`
	}
	return strings.ReplaceAll(regexp.QuoteMeta(text), "…", ".*") + "\n"
}

func runExamples(t *testing.T, examples []example, env []string) {
	callbackPort.Lock()
	defer callbackPort.Unlock()
	home := t.TempDir()
	env = append(append(os.Environ(), keyringtest.Start(t).Env()...), env...)
	env = append(env, "HOME="+home, "PATH="+bin+":"+os.Getenv("PATH"), "BROWSER=cre-sandbox browse", "CRE_API_KEY=")
	for _, e := range examples {
		if err := e.run(t.Context(), home, env); err != nil {
			t.Errorf("%s\n$ %s\n%v", e.rule, e.command, err)
		}
	}
}

func (e example) run(ctx context.Context, home string, env []string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	in := moment.ReplaceAllStringFunc(e.in, func(s string) string {
		seconds, _ := strconv.ParseInt(strings.TrimPrefix(s, "now"), 10, 64)
		return strconv.FormatInt(time.Now().Unix()+seconds, 10)
	})
	var out, messages strings.Builder
	cmd := exec.CommandContext(ctx, "sh", "-c", e.command)
	cmd.Dir, cmd.Env, cmd.WaitDelay = home, env, time.Second // for what the shell has started
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &messages
	err := cmd.Run()
	if tokenPattern.MatchString(messages.String()) {
		return fmt.Errorf("a token shows on standard error: %q", messages.String())
	}
	status := cmd.ProcessState.ExitCode()
	if status == e.status && matches(e.out, out.String()) && matches(e.messages, messages.String()) {
		return nil
	}
	return fmt.Errorf("answer %q, want %q\nmessages %q, want %q\nexit status %d, want %d (%v)",
		out.String(), e.out, messages.String(), e.messages, status, e.status, err)
}

func matches(pattern, text string) bool {
	return regexp.MustCompile(`\A` + pattern + `\z`).MatchString(text)
}

// split cuts text into parts that each begin with a heading.
func split(text string, heading *regexp.Regexp) (parts []string) {
	starts := append(heading.FindAllStringIndex(text, -1), []int{len(text)})
	for i, start := range starts[:len(starts)-1] {
		parts = append(parts, text[start[0]:starts[i+1][0]])
	}
	return parts
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
