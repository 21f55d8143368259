package session_test

import (
	"errors"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

// What docker's form stores is a room of its own at every origin, also at CRE's.
func TestDockerHasARoomOfItsOwn(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		w := newWorld(t)
		w.Mode = mode
		w.mustStore(w.login())
		docker := helper.Credential{
			Origin: w.Environment.Origin(), Username: "email@domain.com", Secret: helper.NewSecret("docker's"),
			ServerURL: "https://api.cre.chain.link/v1/",
		}
		q := helper.Query{Origin: docker.Origin, Room: helper.RoomDocker}
		if got, err := w.Get(t.Context(), q); err != nil || got.AuthType != helper.AuthBearer {
			t.Errorf("%s: docker gets %q, %v; want the session", mode, got.AuthType, err)
		}
		w.mustStore(docker)
		if got, err := w.Get(t.Context(), q); err != nil || got.Secret.Reveal() != "docker's" {
			t.Errorf("%s: docker doesn't get what it stored: %v", mode, err)
		}
		if got := w.mustGet(); got.AuthType != helper.AuthBearer {
			t.Errorf("%s: docker's store took the session's place", mode)
		}
		w.pass(2 * time.Hour)
		w.mustGet()
		if err := w.Erase(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if err := w.Erase(t.Context(), q); !errors.Is(err, helper.ErrNotFound) {
			t.Errorf("%s: a second erase in docker's room: %v, want ErrNotFound", mode, err)
		}
		w.mustGet()
		if len(w.provider.revoked) != 0 {
			t.Errorf("%s: docker's erase ended the session", mode)
		}
		w.mustStore(docker)
		if err := w.Erase(t.Context(), w.query()); err != nil {
			t.Fatal(err)
		}
		if got, err := w.Get(t.Context(), q); err != nil || got.Secret.Reveal() != "docker's" {
			t.Errorf("%s: a logout took docker's credential: %v", mode, err)
		}
		w.mustMiss()
	}
}

func TestAKeyIsForDockerToo(t *testing.T) {
	w := newWorld(t)
	w.APIKey = helper.NewSecret("key")
	w.keychain.set(errLocked, nil)
	q := helper.Query{Origin: w.Environment.Origin(), Room: helper.RoomDocker}
	if got, err := w.Get(t.Context(), q); err != nil || got.Secret.Reveal() != "key" {
		t.Errorf("docker gets %q, %v", got.AuthType, err)
	}
}

// TestADamagedFileFailsNoList holds that docker's list is not at the mercy of
// cre.yaml.
func TestADamagedFileFailsNoList(t *testing.T) {
	w := newWorld(t)
	docker := helper.Credential{
		Origin: helper.Origin{Protocol: "https", Host: "registry.example"}, Username: "someone",
		Secret: helper.NewSecret("docker's"), ServerURL: "registry.example",
	}
	w.mustStore(docker)
	w.writeFile("AccessToken: [")
	list, err := w.List(t.Context())
	var incomplete *helper.IncompleteError
	if len(list) != 1 || !errors.As(err, &incomplete) || !errors.Is(err, fallback.ErrDamaged) {
		t.Errorf("%d credentials, %v; want the one in the keychain, and why the file isn't there", len(list), err)
	}
}
