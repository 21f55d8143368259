package session

import (
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/helper"
)

// NewFileVault returns the vault in cre.yaml by itself.
func NewFileVault(env platform.Environment, files Files, now func() time.Time) helper.Vault {
	return newFileVault(env, files, now)
}
