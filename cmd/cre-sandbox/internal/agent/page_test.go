package agent

import (
	"reflect"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
)

const loginPage = `<title> Log
in </title><form action="/search"><input name="q"></form>
<form method="post" action="/login"><input type="hidden" name="id" value="42">
<input type="email" name="mail" value="a@b.example"><input type="password" name="word">
<button name="do" value="in">Log in</button><button name="do" value="no"> Deny </button></form>`

func parse(t *testing.T, s string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(s))
	if err != nil {
		t.Skip(err) // only absurdly deep pages
	}
	return doc
}

func TestLoginFormIsFilledIn(t *testing.T) {
	doc := parse(t, loginPage)
	if got := title(doc); got != "Log in" {
		t.Errorf("title %q", got)
	}
	f, ok := loginForm(doc)
	if !ok || f.action != "/login" {
		t.Fatalf("form %+v, %t", f, ok)
	}
	for _, tc := range []struct {
		name    string
		options Options
		want    string
	}{
		{"as proposed", Options{Password: "p"}, "do=in&id=42&mail=a%40b.example&word=p"},
		{"with an e-mail", Options{Email: "x@y.example", Password: "p"}, "do=in&id=42&mail=x%40y.example&word=p"},
		{"denied", Options{Deny: true}, "do=no&id=42&mail=a%40b.example&word="},
	} {
		got, err := f.fill(tc.options)
		if err != nil || got.Encode() != tc.want {
			t.Errorf("%s: %s, %v, want %s", tc.name, got.Encode(), err, tc.want)
		}
	}
	if again, _ := loginForm(doc); !reflect.DeepEqual(f, again) {
		t.Error("filling the form in has changed it")
	}
}

func FuzzPage(f *testing.F) {
	for _, s := range []string{"", loginPage, `<a id=next href=/x>`, "<title>a\x1b[31m\x00b", "<form><form><input type=password name=p>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		doc := parse(t, s)
		if strings.ContainsFunc(title(doc), unicode.IsControl) {
			t.Errorf("title %q", title(doc))
		}
		if form, ok := loginForm(doc); ok {
			if v, err := form.fill(Options{Password: "p"}); err != nil || v.Get(form.password) != "p" {
				t.Errorf("%v, %v", v, err)
			}
		}
		nextLink(doc)
	})
}
