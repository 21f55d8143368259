package doctor

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/web"
)

// atSign also has what Unicode has for it, and percent-encoding.
const atSign = `(?:[@＠﹫]|%40)`

// looks are what somebody's secrets and addresses look like.
type looks struct{ mailAddress, userInURL, path, knownToken, longToken *regexp.Regexp }

func newLooks() looks {
	return looks{
		// With a quoted local part and a literal domain, too (RFC 5322, 3.4.1).
		mailAddress: regexp.MustCompile(`(?:\\?"[^"]*"|[^\s'"<>()\[\]:/=,;]+(?:'(?:\\'')?[^\s'"<>()\[\]:/=,;]+)*)` +
			atSign + `(?:\[[^\]\s]*\]|[^\s'"<>()\[\]:/=,;@]+)`),
		userInURL: regexp.MustCompile(`://[^\s/'"@]*@`),
		path:      regexp.MustCompile(`(?:\b[A-Za-z]:)?[/\\][^\s'"]*`),

		// What secrets begin with whose form is known, and what may be one by its length.
		knownToken: regexp.MustCompile(`\b(?:eyJ[\w-]{6,}|(?:AKIA|ASIA)[A-Z0-9]{10,}|v1\.[\w-]{10,}|hv[sbr]\.[\w-]{8,}|gh[a-z]_\w{8,}|xox[a-z]-[\w-]{8,}|sk-[\w-]{8,}|glpat-[\w-]{8,}|npm_\w{8,})(?:\.[\w-]+)*`),
		longToken:  regexp.MustCompile(`[A-Za-z0-9_-]{14,}(?:\.[A-Za-z0-9_-]+)*`),
	}
}

// Redact hides what has no place in a bug report: the values of variables, the
// accounts' names, whatever looks like an e-mail address or a secret, and where the
// user's home is, which becomes ~.
func (r Report) Redact(m Machine) {
	homes := []string{m.Home}
	if behind, err := filepath.EvalSymlinks(m.Home); err == nil && behind != m.Home {
		homes = append(homes, behind)
	}
	values := shownValues(m.Getenv)
	for _, f := range r.Findings {
		for _, name := range f.names {
			values = append(values, value{name, "[account]"})
		}
	}
	values, l := forms(values), newLooks()
	r.edit(func(text string) string {
		for _, v := range values {
			text = v.hide(text)
		}
		text = l.userInURL.ReplaceAllString(text, "://[hidden]@")
		text = l.path.ReplaceAllStringFunc(text, func(path string) string { return withoutWayHome(path, m.Home) })
		for _, home := range homes {
			text = withoutHome(text, home)
		}
		text = l.mailAddress.ReplaceAllStringFunc(text, func(found string) string {
			if strings.HasPrefix(found, "[hidden]@") {
				return found
			}
			return "[e-mail address]"
		})
		text = l.knownToken.ReplaceAllString(text, "[hidden]")
		return l.longToken.ReplaceAllStringFunc(text, func(word string) string {
			if first, _, _ := strings.Cut(word, "."); len(first) >= 32 || isMixed(first) {
				return "[hidden]"
			}
			return word
		})
	})
}

// isMixed tells random text from names: it has digits, capitals and small letters.
func isMixed(word string) bool {
	return strings.ContainsAny(word, "0123456789") && strings.ToLower(word) != word && strings.ToUpper(word) != word
}

// value is a text to hide, and what is put in its place.
type value struct{ text, instead string }

// hide replaces it where it is a word of its own.
func (v value) hide(text string) string {
	return replaceWords(text, v.text, v.instead)
}

// shownValues are those of the variables that findings can say.
func shownValues(getenv func(string) string) (values []value) {
	for _, name := range notable() {
		text := getenv(name)
		if isWordOfOurs(name, text) {
			continue
		}
		values = append(values, value{text, "[" + name + "]"})
		if host := web.HostOf(text); strings.Contains(text, "://") && host != "" {
			values = append(values, value{host, "[" + name + "]"})
		}
	}
	return values
}

// isWordOfOurs reports whether a variable has a value out of a list, or a number: it
// says nothing, and the findings are full of such words.
func isWordOfOurs(name, text string) bool {
	if !slices.Contains([]string{platform.VarStore, platform.VarKeyringTimeout, platform.VarEnvironment}, name) {
		return text == ""
	}
	return text == "" || !isMisset(name, text)
}

func isMisset(name, text string) bool {
	_, err := desk{}.read(only(func(string) string { return text }, name))
	return err != nil
}

// forms adds the forms in which errors and commands have them, the longest first.
func forms(values []value) (all []value) {
	const longest = 200 // that an error quotes
	add := func(text, instead string) {
		if len(text) >= 3 {
			all = append(all, value{text, instead})
		}
	}
	for _, v := range values {
		for _, text := range []string{v.text, filepath.Clean(v.text), safetext.Clean(v.text, len(v.text)), strings.Trim(safetext.Quote(v.text, false), "'"), strings.Trim(strconv.Quote(v.text), `"`)} {
			add(text, v.instead)
			for _, cut := range []int{40, 100, longest} {
				if runes := []rune(text); len(runes) > cut {
					add(string(runes[:cut]), v.instead)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b value) int { return cmp.Compare(len(b.text), len(a.text)) })
	return slices.Compact(all)
}

// withoutHome writes ~ for a home.
func withoutHome(text, home string) string {
	home = strings.TrimRight(home, `/\`)
	if home == "" || home == filepath.VolumeName(home) {
		return text
	}
	return replaceWords(text, home, "~")
}

// withoutWayHome writes ~ for a home that a path leads to by links or by "..".
func withoutWayHome(path, home string) string {
	is, err := os.Stat(home)
	if err != nil || filepath.Dir(home) == home {
		return path
	}
	for end := len(path); end > 1; end = strings.LastIndexAny(path[:end], `/\`) {
		if there, err := os.Stat(path[:end]); err == nil && os.SameFile(is, there) {
			return "~" + path[end:]
		}
	}
	return path
}

// replaceWords replaces what isn't a part of a longer name.
func replaceWords(text, word, instead string) string {
	var out strings.Builder
	for last := byte(0); ; {
		before, after, found := strings.Cut(text, word)
		out.WriteString(before)
		if before != "" {
			last = before[len(before)-1]
		}
		switch {
		case !found:
			return out.String()
		case after != "" && inName(after[0]) && inName(word[len(word)-1]), inName(last) && inName(word[0]):
			out.WriteString(word)
		default:
			out.WriteString(instead)
		}
		text, last = after, word[len(word)-1]
	}
}

func inName(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b >= 0x80
}
