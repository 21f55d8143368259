package plain

import (
	"strings"

	"cre-credential-helper/helper"
)

// StandInPrefix begins every stand-in and no token. It is the first part of a JWT
// (RFC 7515, 7.1), {"alg":"none","typ":"cre-credential-helper stand-in"}, so that
// a stand-in is known without decoding anything.
const StandInPrefix = "eyJhbGciOiJub25lIiwidHlwIjoiY3JlLWNyZWRlbnRpYWwtaGVscGVyIHN0YW5kLWluIn0."

// IsStandIn reports whether what stands in an access token's place is a stand-in.
func IsStandIn(access helper.Secret) bool { return strings.HasPrefix(access.Reveal(), StandInPrefix) }

// SetApart takes a stand-in out of what was read as tokens, with what goes with an
// access token. What else is there is no part of any stand-in, and stays. A
// stand-in that isn't beside a pointer alone is nothing.
func SetApart(read Tokens, pointer bool) (tokens Tokens, standIn helper.Secret) {
	if !IsStandIn(read.Access) {
		return read, helper.Secret{}
	}
	tokens = Tokens{ID: read.ID, Refresh: read.Refresh}
	if !pointer || !tokens.IsZero() {
		return tokens, helper.Secret{}
	}
	return tokens, read.Access
}
