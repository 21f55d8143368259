package helpertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cre-credential-helper/helper"
)

// session is a credential with every field set.
func (t *tester) session() helper.Credential {
	return helper.Credential{
		Origin:             t.opts.Origin,
		Username:           "someone@example.test",
		Secret:             helper.NewSecret("access"),
		AuthType:           helper.AuthBearer,
		Expiry:             time.Unix(4102444800, 987654321), // in 2100
		RefreshToken:       helper.NewSecret("refresh"),
		IDToken:            helper.NewSecret("id"),
		TokenEndpoint:      "https://login.example.test/oauth/token",
		RevocationEndpoint: "https://login.example.test/oauth/revoke",
		ClientID:           "client",
	}
}

func notFound(t *tester) {
	t.mustMiss(t.any())
	t.mustMiss(t.of(""))
	t.mustMiss(t.of("someone"))
}

func roundTrip(t *tester) {
	bare := t.session()
	bare.RefreshToken, bare.IDToken = helper.Secret{}, helper.Secret{}
	bare.TokenEndpoint, bare.RevocationEndpoint, bare.ClientID = "", "", ""
	bare.Expiry = time.Time{}

	foreign := t.credential("someone", "token")
	foreign.RefreshToken = helper.NewSecret("the caller's own to use")

	for _, c := range []helper.Credential{
		t.session(),
		bare,
		foreign,
		t.credential("someone", "password"),
		t.credential("", "no username"),
		t.credential("no secret", ""),
		t.credential("", ""),
		t.credential("Ünïcödé 🗝", `pässwörd 🔑 "quoted" \ <&> = ' $(x) %s`),
		t.credential(" spaces ", "  around  "),
		t.credential("{TITLE}", "{USERNAME} {{TITLE}} }{ {S:username} \x7f \uffff"),
	} {
		if t.opts.NoEmptySecret && c.Secret.Reveal() == "" {
			continue
		}
		t.mustStore(c)
		t.mustGet(t.any(), c)
		t.mustGet(t.of(c.Username), c)
		t.mustErase(t.of(c.Username))
	}
}

func replaces(t *tester) {
	first, second := t.session(), t.credential(t.session().Username, "another")
	t.mustStore(second)
	t.mustStore(first)
	t.mustGet(t.any(), first)
	t.mustStore(second)
	if t.opts.Renews {
		t.mustGet(t.any(), first)
	} else {
		t.mustGet(t.any(), second) // nothing of the first one's fields is left
	}
	t.mustErase(t.any())
	t.mustMiss(t.any())
}

// lookAlikeOrigins are places that a careless comparison takes for o.
func lookAlikeOrigins(o helper.Origin) []helper.Origin {
	other := map[string]string{"https": "http"}[o.Protocol]
	if other == "" {
		other = "https"
	}
	return []helper.Origin{
		{Protocol: other, Host: o.Host},
		{Protocol: o.Protocol, Host: "x" + o.Host},
		{Protocol: o.Protocol, Host: "x." + o.Host},
		{Protocol: o.Protocol, Host: o.Host[1:]},
		{Protocol: o.Protocol, Host: o.Host[:len(o.Host)-1]},
		{Protocol: o.Protocol, Host: o.Host + "x"},
		{Protocol: o.Protocol, Host: o.Host + ".evil.test"},
		{Protocol: o.Protocol, Host: strings.Split(o.Host, ":")[0] + ":1"},
		{Protocol: o.Protocol, Host: o.Host, Path: "path"},
	}
}

func lookAlikes(t *tester) {
	c := t.credential("someone", "secret")
	t.mustStore(c)
	for _, o := range lookAlikeOrigins(t.opts.Origin) {
		t.mustMiss(helper.Query{Origin: o})
		t.mustMiss(helper.Query{Origin: o, Username: &c.Username})
	}
	for _, username := range []string{"", "some", "someone ", "Someone"} {
		t.mustMiss(t.of(username))
	}
	t.mustGet(t.any(), c)
}

func eraseForgets(t *tester) {
	c := t.session()
	t.mustStore(c)
	t.mustErase(t.any())
	t.mustMiss(t.any())
	t.mustStore(c)
	t.mustGet(t.any(), c)
	t.mustErase(t.of(c.Username))
	t.mustMiss(t.any())
}

func eraseRejected(t *tester) {
	c := t.credential("someone", "kept")
	t.mustStore(c)
	for _, secret := range []string{"", "kep", "kept ", "Kept", "other"} {
		q := t.of(c.Username)
		q.Secret = helper.NewSecret(secret)
		t.mustEraseNothing(q)
		t.mustGet(t.any(), c)
	}
	q := t.any()
	q.Secret = helper.NewSecret("kept")
	t.mustErase(q)
	t.mustMiss(t.any())
}

func sizes(t *tester) {
	for _, n := range []int{1, 2_000, 2_560, 2_700, 8_192, maxSecret, 4_096, 16_384, 1} {
		c := t.credential("someone", pattern(n))
		t.mustStore(c)
		t.mustGet(t.any(), c)
	}
	t.mustErase(t.any())
	t.mustMiss(t.any())
}

// pattern returns n bytes in which no two stretches are easily mistaken for
// each other.
func pattern(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%x.", i)
	}
	return b.String()[:n]
}

func cancelled(t *tester) {
	c := t.credential("someone", "secret")
	t.mustStore(c)
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()

	done := make(chan error, 3)
	go func() {
		_, err := t.store.Get(ctx, t.any())
		done <- err
		done <- t.store.Erase(ctx, t.of("nobody"))
		done <- t.store.Store(ctx, c)
	}()
	for _, verb := range []string{"get", "erase", "store"} {
		select {
		case err := <-done:
			if verb != "erase" && errors.Is(err, helper.ErrNotFound) {
				t.Errorf("%s says not found only because its context has ended", verb)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%s goes on after its context has ended", verb)
		}
	}
	t.mustGet(t.any(), c)
}

func listOne(t *tester) {
	if list := t.mustList(); len(list) != 0 {
		t.Errorf("an empty store lists %d credentials", len(list))
	}
	t.mustStore(t.session())
	list := t.mustList()
	if len(list) != 1 || list[0].Origin != t.opts.Origin || list[0].Username != t.session().Username {
		t.Fatalf("%d credentials are listed, want the one that was stored", len(list))
	}
	t.mustErase(t.any())
	if list := t.mustList(); len(list) != 0 {
		t.Errorf("after erase %d credentials are listed", len(list))
	}
}

func check(t *tester) {
	checker, ok := t.store.(helper.Checker)
	if !ok {
		t.Skip("the store doesn't check")
	}
	for range 2 {
		if err := checker.Check(t.ctx, t.opts.Origin); err != nil {
			t.Fatalf("check: %v", err)
		}
		t.mustMiss(t.any())
	}
	c := t.session()
	t.mustStore(c)
	if err := checker.Check(t.ctx, t.opts.Origin); err != nil {
		t.Fatalf("check: %v", err)
	}
	t.mustGet(t.any(), c)
}
