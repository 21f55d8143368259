package keyring

import (
	"errors"
	"time"

	zalando "github.com/zalando/go-keyring"

	"cre-credential-helper/keyring/lookup"
)

// get reads one value by the short way. Whatever that can't tell, it asks
// go-keyring, which unlocks the collection, or looks further, or says what is
// wrong.
func get(bus string, timeout time.Duration, service, account string) (string, error) {
	const slack = time.Second // whoever asked gives up first, by its own deadline
	value, err := lookup.Value(bus, timeout+slack, service, account)
	if errors.Is(err, lookup.ErrUnsure) {
		return zalando.Get(service, account)
	}
	return value, err
}
