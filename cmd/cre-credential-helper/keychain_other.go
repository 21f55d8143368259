//go:build !linux

package main

import (
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/keyring"
)

func keychain(s wiring.Settings) reading.Vault {
	return keyring.New(keyring.Options{Bus: s.Bus, Timeout: s.Timeout})
}
