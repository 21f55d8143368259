package helpertest

import (
	"errors"
	"slices"

	"cre-credential-helper/helper"
)

// What follows needs both rooms of an origin.

// forDocker is a credential as docker's form stores it.
func (t *tester) forDocker(username, secret string) helper.Credential {
	c := t.credential(username, secret)
	c.ServerURL = t.opts.Origin.String()
	return c
}

// inDocker is q about docker's room.
func inDocker(q helper.Query) helper.Query {
	q.Room = helper.RoomDocker
	return q
}

func roomsApart(t *tester) {
	git, docker := t.credential("same", "git's"), t.forDocker("same", "docker's")
	t.mustStore(git)
	t.mustMiss(inDocker(t.any()))
	t.mustMiss(inDocker(t.of("same")))
	t.mustStore(docker)
	t.mustKeepBoth(git, docker)

	git.Secret = helper.NewSecret("git's second")
	t.mustStore(git)
	t.mustKeepBoth(git, docker)
	docker.Secret = helper.NewSecret("docker's second")
	t.mustStore(docker)
	t.mustKeepBoth(git, docker)
	if got := t.mustFind(inDocker(t.any())); got.ServerURL != docker.ServerURL {
		t.Errorf("the server URL comes back as %q, was %q", got.ServerURL, docker.ServerURL)
	}
}

func (t *tester) mustKeepBoth(git, docker helper.Credential) {
	t.Helper()
	for _, q := range []helper.Query{t.any(), t.of(git.Username)} {
		t.mustGet(q, git)
		t.mustGet(inDocker(q), docker)
	}
}

func (t *tester) mustFind(q helper.Query) helper.Credential {
	t.Helper()
	c, err := t.store.Get(t.ctx, q)
	if err != nil {
		t.Fatalf("get %s: %v", q.Origin, err)
	}
	return c
}

// roomsErase erases in each way in one room what is in both.
func roomsErase(t *tester) {
	git, docker := t.credential("same", "secret"), t.forDocker("same", "secret")
	rejected := t.any()
	rejected.Secret = git.Secret
	for _, q := range []helper.Query{t.any(), t.of("same"), rejected} {
		t.mustStore(git)
		t.mustStore(docker)
		t.mustErase(q)
		t.mustMiss(q)
		t.mustGet(inDocker(t.any()), docker)
		t.mustStore(git)
		t.mustErase(inDocker(q))
		t.mustMiss(inDocker(q))
		t.mustGet(t.any(), git)
	}
	t.mustErase(t.any())
}

func roomsNewest(t *tester) {
	first, second := t.credential("first", "1"), t.credential("second", "2")
	third, fourth := t.forDocker("first", "3"), t.forDocker("fourth", "4")
	for _, c := range []helper.Credential{fourth, first, third, second} {
		t.mustStore(c)
	}
	t.mustGet(t.any(), second)
	t.mustGet(inDocker(t.any()), third)
	t.mustStore(first)
	t.mustGet(t.any(), first)
	t.mustGet(inDocker(t.any()), third)
	t.mustStore(fourth)
	t.mustGet(t.any(), first)
	t.mustGet(inDocker(t.any()), fourth)
	t.mustErase(inDocker(t.of("fourth")))
	t.mustGet(inDocker(t.any()), third)
	t.mustMiss(t.of("fourth"))
}

func roomsSwap(t *tester) {
	vault := t.vault()
	git, docker := t.credential("same", "old"), t.forDocker("same", "old")
	for _, c := range []helper.Credential{git, docker} {
		other := docker
		if c.Room() == helper.RoomDocker {
			other = git
		}
		fresh := c
		fresh.Secret = helper.NewSecret("new")
		t.mustStore(other)
		if err := vault.Swap(t.ctx, c, fresh); !errors.Is(err, helper.ErrChanged) {
			t.Errorf("a swap for what is in the other room: %v, want ErrChanged", err)
		}
		t.mustStore(c)
		t.mustStore(other)
		if err := vault.Swap(t.ctx, c, fresh); err != nil {
			t.Fatalf("swap: %v", err)
		}
		t.mustGet(helper.Query{Origin: c.Origin, Room: c.Room()}, fresh)
		t.mustGet(helper.Query{Origin: c.Origin, Room: other.Room()}, other)
		moved := fresh
		moved.ServerURL = other.ServerURL
		if err := vault.Swap(t.ctx, fresh, moved); err == nil {
			t.Error("a swap from one room into the other succeeds")
		}
		t.mustErase(t.any())
		t.mustErase(inDocker(t.any()))
	}
}

func roomsAll(t *tester) {
	vault := t.vault()
	for _, c := range []helper.Credential{t.credential("one", "1"), t.forDocker("one", "2"), t.forDocker("two", "3")} {
		t.mustStore(c)
	}
	for want, q := range map[string]helper.Query{"1": t.any(), "32": inDocker(t.any()), "2": inDocker(t.of("one"))} {
		all, err := vault.All(t.ctx, q)
		var got string
		for _, c := range all {
			got += c.Secret.Reveal()
		}
		if err != nil || got != want {
			t.Errorf("all: %q, %v, want %q", got, err, want)
		}
	}
}

func roomsListed(t *tester) {
	t.mustStore(t.credential("same", "1"))
	t.mustStore(t.forDocker("same", "2"))
	t.mustStore(t.forDocker("other", "3"))
	var got []string
	for _, c := range t.mustList() {
		if c.Room() == helper.RoomDocker {
			c.Username += " of docker"
		}
		got = append(got, c.Username)
	}
	if want := []string{"other of docker", "same of docker", "same"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}
