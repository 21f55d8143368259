//go:build unix

package plain

import "cre-credential-helper/fallback/internal/guarded"

// Foreign says of a path that belongs to another user whose it is, and what to do
// about it.
func Foreign(path string, uid uint32) (why, todo string) { return guarded.Foreign(path, uid) }
