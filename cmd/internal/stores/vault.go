package stores

import (
	"fmt"
	"os"

	"cre-credential-helper/cmd/internal/kv"
	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/helper"
)

// inVault opens a session in Vault or OpenBao, or its token alone.
func inVault(m wiring.Machine, word string, at location.At, notify func(string)) (helper.Vault, error) {
	client, err := kv.Environment{Getenv: m.Getenv, HomeDir: m.HomeDir}.Open(at.Address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", status.ErrSetting, err)
	}
	if word == location.TokenWord {
		return kv.Token{Server: client, Path: at.Path}, nil
	}
	name, err := os.Hostname()
	if err != nil {
		name = "" // the claim is told by its number
	}
	return &kv.Session{Server: client, Path: at.Path, Machine: name, Notify: notify}, nil
}
