package keyringtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// OpenFilled is [Open] with n items of others' in the login collection. They
// are there before the daemon starts, in the form of a keyring without a
// password: to create them one by one takes minutes for thousands, since the
// daemon saves them all each time.
func OpenFilled(n int) (*Keyring, error) {
	return openWith(func(k *Keyring) error {
		if err := k.fill(n); err != nil {
			return err
		}
		return k.startGnomeKeyring()
	})
}

func (k *Keyring) fill(n int) error {
	dir := filepath.Join(k.dir, "data", "keyrings")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	var file strings.Builder
	file.WriteString("[keyring]\ndisplay-name=Login\nlock-on-idle=false\nlock-after=false\n")
	for i := range n {
		fmt.Fprintf(&file, fillerItem, i+1)
	}
	return os.WriteFile(filepath.Join(dir, "login.keyring"), []byte(file.String()), 0o600)
}

const fillerItem = `
[%[1]d]
item-type=0
display-name=filler
secret=a secret for tests

[%[1]d:attribute0]
name=service
type=string
value=filler

[%[1]d:attribute1]
name=username
type=string
value=%[1]d
`
