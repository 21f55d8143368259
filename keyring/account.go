package keyring

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/internal/layout"
)

// What is in the items is package layout's.
type (
	document = layout.Document
	record   = layout.Record
)

// The accounts that no origin has: an origin's holds "://" or begins with
// "sha256:".
const (
	indexAccount = "index"
	probeAccount = "check"
)

// account names an origin's item: the origin as a URL or, for one that has no
// plain name, the URL's digest.
func account(o helper.Origin) string {
	if plain, ok := layout.PlainAccount(o); ok {
		return plain
	}
	return "sha256:" + checksum(o.String())
}

// pieceAccount names piece i of a generation. No account holds a "#" itself.
func pieceAccount(account, generation string, i int) string {
	return fmt.Sprintf("%s#%s.%d", account, generation, i)
}

func checksum(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}
