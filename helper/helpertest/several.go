package helpertest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"cre-credential-helper/helper"
)

// What follows needs a store that keeps several credentials.

func swapsInPlace(t *tester) {
	vault := t.vault()
	first, second := t.credential("first", "1"), t.credential("second", "2")
	t.mustStore(first)
	t.mustStore(second)
	renewed := first
	renewed.Secret = helper.NewSecret("renewed")
	if err := vault.Swap(t.ctx, first, renewed); err != nil {
		t.Fatal(err)
	}
	t.mustGet(t.any(), second)
	t.mustGet(t.of("first"), renewed)
}

func newestFirst(t *tester) {
	first, second, third := t.credential("first", "1"), t.credential("", "2"), t.credential("third", "3")
	for _, c := range []helper.Credential{first, second, third} {
		t.mustStore(c)
		t.mustGet(t.any(), c)
	}
	for _, c := range []helper.Credential{first, second, third} {
		t.mustGet(t.of(c.Username), c)
	}
	first.Secret = helper.NewSecret("again")
	t.mustStore(first)
	t.mustGet(t.any(), first)
	t.mustGet(t.of("third"), third)
	t.mustErase(t.of("first"))
	t.mustGet(t.any(), third)
}

func eraseUsername(t *tester) {
	one, two, empty := t.credential("one", "same"), t.credential("two", "same"), t.credential("", "other")
	for _, c := range []helper.Credential{one, two, empty} {
		t.mustStore(c)
	}
	t.mustErase(t.of("one"))
	t.mustMiss(t.of("one"))
	t.mustGet(t.of("two"), two)
	t.mustErase(t.of(""))
	t.mustMiss(t.of(""))
	t.mustGet(t.any(), two)
	t.mustStore(one)
	t.mustErase(t.any())
	t.mustMiss(t.any())
}

// origins keeps something else at every look-alike, for as many stores map an
// origin to a name as compare it.
func origins(t *tester) {
	places := append(lookAlikeOrigins(t.opts.Origin), t.opts.Origin)
	for _, path := range []string{"Path", "path/", "path/x", "a#b", "a b", "ä?=&'\"$", strings.Repeat("long/", 200)} {
		places = append(places, helper.Origin{Protocol: t.opts.Origin.Protocol, Host: t.opts.Origin.Host, Path: path})
	}
	for i, o := range places {
		c := t.credential("someone", fmt.Sprint("secret ", i))
		c.Origin = o
		t.mustStore(c)
	}
	for i, o := range places {
		c := t.credential("someone", fmt.Sprint("secret ", i))
		c.Origin = o
		t.mustGet(helper.Query{Origin: o}, c)
		t.mustErase(helper.Query{Origin: o})
		t.mustMiss(helper.Query{Origin: o})
	}
}

func concurrent(t *tester) {
	const places = 4
	var wg sync.WaitGroup
	for i := range places {
		c := t.credential("someone", pattern(3_000+i))
		c.Origin.Host = fmt.Sprintf("n%d.%s", i, c.Origin.Host)
		q := helper.Query{Origin: c.Origin}
		wg.Go(func() {
			for range 3 {
				err := t.store.Store(t.ctx, c)
				got, getErr := t.store.Get(t.ctx, q)
				if err := errors.Join(err, getErr); err != nil {
					t.Errorf("%s: %v", c.Origin, err)
				} else if diff := t.difference(got, c); diff != "" {
					t.Errorf("%s: %s", c.Origin, diff)
				}
			}
		})
	}
	wg.Wait()
	if list := t.mustList(); len(list) != places {
		t.Errorf("%d credentials are listed, want %d", len(list), places)
	}
}

func listSorted(t *tester) {
	host := t.opts.Origin.Host
	for _, at := range [][2]string{{"b." + host, "old"}, {"c." + host, "x"}, {"b." + host, "new"}, {"a." + host, "x"}} {
		c := t.credential(at[1], "secret")
		c.Origin.Host = at[0]
		t.mustStore(c)
	}
	var got []string
	for _, c := range t.mustList() {
		got = append(got, strings.TrimSuffix(c.Origin.Host, "."+host)+" "+c.Username)
	}
	if want := []string{"a x", "b new", "b old", "c x"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}
