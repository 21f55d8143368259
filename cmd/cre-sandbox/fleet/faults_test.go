package fleet

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/kv"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

const annPath = "secret/data/cre/production/ann@example.com"

func ann() helper.Credential {
	return helper.Credential{
		Origin: helper.Origin{Protocol: "https", Host: "api.example.test"}, Username: "ann@example.com", AuthType: helper.AuthBearer,
		Secret: helper.NewSecret("access"), RefreshToken: helper.NewSecret("refresh"), Expiry: time.Now().Add(time.Hour),
		TokenEndpoint: "https://login.example.test/oauth/token", ClientID: "client",
	}
}

// token makes one that a policy of docs/fleet.md is attached to.
func (e engine) token(t *testing.T, policy, ttl string) string {
	t.Helper()
	root := e.Cores[0].Client
	name := rand.Text()
	if err := root.Sys().PutPolicy(name, policy); err != nil {
		t.Fatal(err)
	}
	secret, err := root.Logical().Write("auth/token/create", map[string]any{"policies": []string{name}, "ttl": ttl})
	if err != nil {
		t.Fatal(err)
	}
	return secret.Auth.ClientToken
}

func mustFail(t *testing.T, what string, err, is error, says string) {
	t.Helper()
	if !errors.Is(err, is) || !strings.Contains(fmt.Sprint(err), says) {
		t.Errorf("%s: %v", what, err)
	}
}

func TestThePoliciesOfTheDocumentation(t *testing.T) {
	e := newEngine(t, 1)
	policies := policiesOf(t)
	root := &kv.Session{Server: e.client(t, e.RootToken), Path: annPath}
	q := helper.Query{Origin: ann().Origin}

	renewer := &kv.Session{Server: e.client(t, e.token(t, policies["renewer"], "1h")), Path: annPath}
	if err := errors.Join(renewer.Check(t.Context(), ann().Origin), renewer.Store(t.Context(), ann())); err != nil {
		t.Fatal(err)
	}
	fresh := ann()
	fresh.Secret, fresh.RefreshToken = helper.NewSecret("access-2"), helper.NewSecret("refresh-2")
	if err := renewer.Swap(t.Context(), ann(), fresh); err != nil {
		t.Error(err)
	}
	reader := e.client(t, e.token(t, policies["reader"], "1h"))
	c, err := kv.Token{Server: reader, Path: annPath}.Get(t.Context(), q)
	if err != nil || !c.Secret.Equal(fresh.Secret) || c.RefreshToken.IsSet() {
		t.Errorf("reader: %v", err)
	}
	_, err = (&kv.Session{Server: reader, Path: annPath}).Get(t.Context(), q)
	mustFail(t, "a reader's look at the session", err, kv.ErrForbidden, `"read" on `+annPath+"/session")
	_, _, err = (&kv.Session{Server: reader, Path: annPath}).Lock(t.Context())
	mustFail(t, "a reader's claim", err, kv.ErrForbidden, `"read" on `+annPath+"/session")
	if err := renewer.Erase(t.Context(), q); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/session", "/token"} {
		meta, err := e.Cores[0].Client.Logical().Read(strings.Replace(annPath, "/data/", "/metadata/", 1) + path)
		if err != nil || fmt.Sprint(meta.Data["max_versions"]) != "1" || strings.Count(fmt.Sprint(meta.Data["versions"]), "created_time") != 1 {
			t.Errorf("after the erase: %v, %v", meta.Data, err)
		}
	}
	if _, err := root.Get(t.Context(), q); !errors.Is(err, helper.ErrNotFound) {
		t.Error(err)
	}
}

func TestWhatARealVaultFailsWith(t *testing.T) {
	e := newEngine(t, 1)
	s := &kv.Session{Server: e.client(t, e.RootToken), Path: annPath}
	q := helper.Query{Origin: ann().Origin}
	if err := s.Store(t.Context(), ann()); err != nil {
		t.Fatal(err)
	}
	quick := func(token string) *kv.Client {
		c := e.client(t, token)
		c.Patience = time.Second
		return c
	}
	get := func(c *kv.Client, path string) error {
		_, err := (&kv.Session{Server: c, Path: path}).Get(t.Context(), q)
		return err
	}
	mustFail(t, "a wrong token", get(quick("hvs.wrong"), annPath), kv.ErrToken, "wrong or has expired")
	short := e.token(t, `path "secret/*" { capabilities = ["read"] }`, "1s")
	for began := time.Now(); get(quick(short), annPath) == nil && time.Since(began) < 20*time.Second; {
		time.Sleep(100 * time.Millisecond)
	}
	mustFail(t, "an expired token", get(quick(short), annPath), kv.ErrToken, "wrong or has expired")
	none := e.token(t, `path "other/*" { capabilities = ["read"] }`, "1h")
	mustFail(t, "no permission", get(quick(none), annPath), kv.ErrForbidden, `"read" on `+annPath+"/session")
	noUpdate := e.token(t, `path "secret/data/*" { capabilities = ["read", "create", "update"] }`, "1h")
	mustFail(t, "no metadata", (&kv.Session{Server: quick(noUpdate), Path: annPath}).Check(t.Context(), ann().Origin), kv.ErrForbidden,
		`"update" on secret/metadata/cre/production/ann@example.com/session`)
	v1 := &kv.Session{Server: quick(e.RootToken), Path: "old/data/cre/x"}
	mustFail(t, "version 1", v1.Store(t.Context(), ann()), kv.ErrEngine, "no secrets engine KV version 2")
	mustFail(t, "no engine", get(quick(e.RootToken), "nothing/data/cre/x"), kv.ErrEngine, "no secrets engine KV version 2")
	untrusting := quick(e.RootToken)
	untrusting.HTTP = http.DefaultClient
	mustFail(t, "another CA", get(untrusting, annPath), web.ErrOutage, "set VAULT_CACERT to the file of its CA")
	plain := quick(e.RootToken)
	plain.Address = strings.Replace(plain.Address, "https", "http", 1)
	if err := get(plain, annPath); err == nil {
		t.Error("plain http is answered")
	}
	if _, err := e.Cores[0].Client.Logical().Write("secret/config", map[string]any{"cas_required": true}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Store(t.Context(), ann()), s.Erase(t.Context(), q), s.Store(t.Context(), ann())); err != nil {
		t.Errorf("where the mount requires cas: %v", err)
	}
	if err := e.Cores[0].Core.Seal(e.RootToken); err != nil {
		t.Fatal(err)
	}
	mustFail(t, "sealed", get(quick(e.RootToken), annPath), kv.ErrSealed, "its operator has to unseal it")
	for _, key := range e.BarrierKeys {
		_, _ = e.Cores[0].Core.Unseal(vaultKey(key))
	}
	for began := time.Now(); get(quick(e.RootToken), annPath) != nil && time.Since(began) < 30*time.Second; {
		time.Sleep(100 * time.Millisecond)
	}
	if c, err := s.Get(t.Context(), q); err != nil || !c.Same(ann()) {
		t.Errorf("after all that: %v", err)
	}
}
