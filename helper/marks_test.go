package helper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
)

// TestUnderDockersName is about requests that mean something else to docker.
func TestUnderDockersName(t *testing.T) {
	const noServer = "no credentials server URL\n"
	s := helper.Server{Store: kept(t), Default: origin(t, "https://example.com"), Docker: true}
	for _, op := range []string{"get", "store", "erase", "check"} {
		for _, in := range []string{"", "\n", "\r\n", " \t\n", "\ufeff", "\ufeff\r\n", "{}", `{"ServerURL":""}`} {
			checkServe(t, s, op, in, noServer, helper.ErrRequest)
		}
	}
	checkServe(t, s, "get", "example.com\n", `{"ServerURL":"example.com","Username":"alice","Secret":"docker's"}`+"\n", nil)
	checkServe(t, s, "get", "protocol=https\nhost=example.com\n\n", "username=alice\npassword=pa=ss\n", nil)
	checkServe(t, s, "frobnicate", "example.com\n", "", helper.ErrRequest)
	s.Version = "1"
	checkServe(t, s, "version", "", "1\n", nil)
	s.Docker = false
	checkServe(t, s, "frobnicate", "example.com\n", "", nil)
	checkServe(t, s, "get", "", "username=alice\npassword=pa=ss\n", nil)
	checkServe(t, s, "get", "\ufeff", "username=alice\npassword=pa=ss\n", nil)
	checkServe(t, s, "get", "\ufeff\r\n", "", helper.ErrRequest)
}

// terminal is what is typed at one: its end is no state.
type terminal struct {
	*strings.Reader
	ended bool
}

func (r *terminal) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && r.ended {
		return 0, errors.New("read after the end")
	}
	r.ended = err != nil
	return n, err
}

func TestTheEndOfTheInputIsTypedOnce(t *testing.T) {
	s := helper.Server{Store: kept(t), Default: origin(t, "https://example.com")}
	for _, in := range []string{"", "\ufeff", "example.com", `{"uri":"https://example.com/"}`, "protocol=https\nhost=example.com"} {
		var out bytes.Buffer
		if err := s.Serve(t.Context(), "get", &terminal{Reader: strings.NewReader(in)}, &out); err != nil || out.Len() == 0 {
			t.Errorf("%q: %q, %v", in, out.String(), err)
		}
	}
}

// failing is a vault whose list has err.
type failing struct {
	*helpertest.Memory
	err error
}

func (f failing) List(ctx context.Context) ([]helper.Credential, error) {
	list, _ := f.Memory.List(ctx)
	return list, f.err
}

// TestListShowsWhatCanBeRead holds that one bad item doesn't take the others
// with it, and that a store that can't be asked at all is a failure.
func TestListShowsWhatCanBeRead(t *testing.T) {
	store := failing{helpertest.NewMemory(), &helper.IncompleteError{Errs: []error{
		errors.New("a.example: damaged"), errors.Join(errors.New("b.example: locked"), context.DeadlineExceeded),
	}}}
	var said []string
	s := helper.Server{Store: &store, Notice: func(line string) { said = append(said, line) }}
	checkServe(t, s, "store", `{"ServerURL":"r.example","Username":"alice","Secret":"x"}`, "", nil)
	checkServe(t, s, "list", "", `{"r.example":"alice"}`+"\n", nil)
	if want := []string{"a.example: damaged", "b.example: locked; context deadline exceeded"}; !slices.Equal(said, want) {
		t.Errorf("says %q, want %q", said, want)
	}
	if text := store.err.Error(); text != strings.Join(said, "; ") || !errors.Is(store.err, context.DeadlineExceeded) {
		t.Errorf("the error is %q", text)
	}
	checkServe(t, helper.Server{Store: store}, "list", "", `{"r.example":"alice"}`+"\n", nil)
	store.err = fmt.Errorf("over the top: %w", store.err)
	checkServe(t, s, "list", "", `{"r.example":"alice"}`+"\n", nil)
	store.err = helper.ErrBusy
	checkServe(t, s, "list", "", "busy\n", helper.ErrBusy)
}

// TestWhatDockerIsToldIsFitToBeShown is about the text of errors, which docker's
// clients print.
func TestWhatDockerIsToldIsFitToBeShown(t *testing.T) {
	s := helper.Server{Store: failing{helpertest.NewMemory(), errors.New("raw")}, Line: func(text string) string {
		return strings.ReplaceAll(text, "raw", "cleaned")
	}}
	checkServe(t, s, "list", "", "cleaned\n", s.Store.(failing).err)
	checkServe(t, s, "get", "https://raw@example.com", "bad request: not a usable origin: the URL holds user information\n", helper.ErrRequest)
	checkServe(t, s, "get", `{"raw":1,"raw":2}`, "", helper.ErrRequest)
	checkServe(t, s, "get", "example.com", "credentials not found in native keychain\n", helper.ErrNotFound)
}

// TestAMarkIsReadNoFurther holds that a caller which keeps its end open is
// answered, and that a mark is no part of what is counted.
func TestAMarkIsReadNoFurther(t *testing.T) {
	in, w := io.Pipe()
	defer w.Close()
	go io.WriteString(w, "\ufeffprotocol=https\r\nhost=example.com\r\n\r\n")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var out bytes.Buffer
	if err := (helper.Server{Store: kept(t)}).Serve(ctx, "get", in, &out); err != nil || out.Len() == 0 {
		t.Fatalf("%q, %v", out.String(), err)
	}
	full := `{"uri":"https://example.com","x":"` + strings.Repeat("x", helper.MaxRequest)
	full = full[:helper.MaxRequest-2] + `"}`
	s := helper.Server{Store: kept(t)}
	checkServe(t, s, "get", "\ufeff"+full, `{"headers":{"Authorization":["Basic YWxpY2U6cGE9c3M="]}}`+"\n", nil)
	checkServe(t, s, "get", "\ufeff"+full+" ", "", helper.ErrRequest)
}

// FuzzMarks holds that a mark and carriage returns bring out nothing that the
// same request without them doesn't, in any form and by any name, and that a
// request with LF gets the same answer with a mark and CR LF.
func FuzzMarks(f *testing.F) {
	for _, seed := range []string{
		"protocol=https\nhost=example.com\n\n", "\ufeffprotocol=https\r\nhost=example.com\r\n\r\n", "protocol=https\nhost=example.com\r",
		"protocol=https\r\nhost=example.com\r\r\n", "\r\n", "\ufeff", "\ufeff\ufeff", "\ufeff\r\n\r\n", "\r\r\n", "\r", "",
		"https://example.com\r\n", "\ufeffexample.com", "exam\r\nple.com", "{\"ServerURL\":\r\n\"https://example.com\"}\r\n", `{"uri":"https://example.com\r\n"}`,
		"\ufeff{\"uri\":\"https://example.com/\"}", "protocol=https\r\nhost=example.com\r\nusername=alice\r\n", "capability[]=authtype\r\nprotocol=https\nhost=api.cre.chain.link\n",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	store := kept(f)
	f.Fuzz(func(t *testing.T, in []byte, docker bool) {
		s := helper.Server{Store: store, Default: helper.Origin{Protocol: "https", Host: "example.com"}, Docker: docker}
		get := func(in []byte) string {
			var out bytes.Buffer
			err := s.Serve(t.Context(), "get", bytes.NewReader(in), &out)
			if err != nil {
				return ""
			}
			return out.String()
		}
		plain := bytes.ReplaceAll(bytes.TrimPrefix(in, []byte("\ufeff")), []byte("\r\n"), []byte("\n"))
		if odd := get(in); odd != "" && odd != get(plain) {
			t.Errorf("%q is answered %q, without the marks %q", in, odd, get(plain))
		}
		if bytes.ContainsAny(plain, "\r") || len(plain) > 1000 || bytes.HasPrefix(plain, []byte("\ufeff")) {
			return
		}
		marked := append([]byte("\ufeff"), bytes.ReplaceAll(plain, []byte("\n"), []byte("\r\n"))...)
		if get(plain) != get(marked) {
			t.Errorf("%q is answered %q, with the marks %q", plain, get(plain), get(marked))
		}
	})
}

// FuzzHost holds that no host but ours is taken for ours, and that an origin,
// written as a URL, is never read as another one.
func FuzzHost(f *testing.F) {
	const ours = "api.cre.chain.link"
	for _, seed := range []string{
		"API.cre.chain.link:443", "api.cre.chain.lin\u212a", "ap\u0130.cre.chain.link", "api\u3002cre.chain.link", "\uff41pi.cre.chain.link", "münchen.example",
		"mu\u0308nchen.example", "[fe80::1%eth0]:443", "fe80::1%Eth0", "[::1]", "api.cre.chain.link%00", "%61pi.cre.chain.link", "api.cre.chain.link\uff0fx",
		"m%C3%BCnchen.example", "a%EF%BC%A0b", "api.cre.chain.link%E2%80%A8",
		"api.cre.chain.link.", "\u200bapi.cre.chain.link", "api.cre.chain.link\ufeff", "api.cre.\u00adchain.link", "api.cre.chain.link\u3164", " api.cre.chain.link",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		o, err := helper.NewOrigin("https", host, "")
		u, urlErr := helper.ParseOrigin("https://" + host)
		for _, found := range []helper.Origin{o, u} {
			if found.Host != ours {
				continue
			}
			folded := []byte(strings.TrimSuffix(strings.TrimSuffix(host, "/"), ":443"))
			for i, b := range folded {
				if b >= 'A' && b <= 'Z' {
					folded[i] = b + 'a' - 'A'
				}
			}
			if string(folded) != ours {
				t.Errorf("%q is taken for %s", host, ours)
			}
		}
		if urlErr == nil && u.Path == "" && err == nil && u != o && !strings.Contains(host, "%") && !strings.HasSuffix(host, "/") {
			t.Errorf("%q is %v, in a URL %v", host, o, u)
		}
		for _, was := range []helper.Origin{o, u} {
			if again, err := helper.ParseOrigin(was.String()); err == nil && again != was {
				t.Errorf("%q is %+v, written as a URL %+v", host, was, again)
			}
		}
	})
}
