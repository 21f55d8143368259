package main

import (
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/keyring/lookup"
)

func keychain(s wiring.Settings) reading.Vault {
	return lookup.Keychain{Bus: s.Bus, Timeout: s.Timeout}
}
