package plain

import (
	"os"

	"cre-credential-helper/fallback/internal/accounts"
)

func listedHome() (string, error) { return accounts.System().Home(uint32(os.Geteuid())) }
