//go:build !unix

package official_test

import "testing"

// waitForCallbackPort has nobody to wait for: the other tests are Unix's.
func waitForCallbackPort(*testing.T) {}
