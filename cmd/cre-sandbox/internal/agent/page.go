package agent

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// form is a login form: one with a password field.
type form struct {
	action          string
	values          url.Values // what the fields hold, buttons left out
	email, password string     // the names of these fields
	buttons         []button
}

type button struct{ name, value, text string }

// fill returns what a submission of the form sends.
func (f form) fill(o Options) (url.Values, error) {
	v := url.Values{}
	for name, values := range f.values {
		v[name] = slices.Clone(values)
	}
	if o.Email != "" && f.email != "" {
		v.Set(f.email, o.Email)
	}
	v.Set(f.password, o.Password)
	i := slices.IndexFunc(f.buttons, func(b button) bool { return strings.EqualFold(b.text, "deny") == o.Deny })
	switch {
	case i >= 0 && f.buttons[i].name != "":
		v.Set(f.buttons[i].name, f.buttons[i].value)
	case i < 0 && o.Deny:
		return nil, ErrNoDenyButton
	}
	return v, nil
}

func loginForm(doc *html.Node) (form, bool) {
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" {
			if f := readForm(n); f.password != "" {
				return f, true
			}
		}
	}
	return form{}, false
}

func readForm(n *html.Node) form {
	f := form{action: attr(n, "action"), values: url.Values{}}
	for d := range n.Descendants() {
		if d.Type != html.ElementNode {
			continue
		}
		name, value := attr(d, "name"), attr(d, "value")
		switch {
		case d.Data == "button":
			f.buttons = append(f.buttons, button{name, value, text(d)})
			continue
		case d.Data != "input" || name == "":
			continue
		}
		switch attr(d, "type") {
		case "email":
			f.email = name
		case "password":
			f.password = name
		}
		f.values.Add(name, value)
	}
	return f
}

// nextLink finds the link that a waiting page sends its visitor on with.
func nextLink(doc *html.Node) (string, bool) {
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "a" && attr(n, "id") == "next" {
			return attr(n, "href"), true
		}
	}
	return "", false
}

func title(doc *html.Node) string {
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "title" {
			return text(n)
		}
	}
	return ""
}

// text returns the text below n: white space folded, control characters left
// out, fit for a terminal.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	folded := strings.Join(strings.Fields(b.String()), " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, folded)
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
