package kv

import (
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/kv/kvtest"
	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
)

const testPath = "secret/data/cre/production/ann@example.com"

func client(f *kvtest.Fake) *Client {
	return &Client{Address: f.URL, Token: helper.NewSecret(kvtest.RootToken), Patience: time.Second}
}

func on(f *kvtest.Fake) *Session {
	return &Session{Server: client(f), Path: testPath, Machine: "here"}
}

func TestContract(t *testing.T) {
	helpertest.TestStore(t, func(t *testing.T) helper.Store { return on(kvtest.NewFake(t)) }, helpertest.Options{SingleCredential: true})
}
