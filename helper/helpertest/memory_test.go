package helpertest_test

import (
	"testing"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
)

func TestMemoryMeetsTheContract(t *testing.T) {
	helpertest.TestStore(t, func(*testing.T) helper.Store { return helpertest.NewMemory() }, helpertest.Options{})
}
