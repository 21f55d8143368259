package keyringtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/godbus/dbus/v5"
)

const (
	kwalletd = "kwalletd5"
	wallet   = "kdewallet" // KDE's name for the one that it makes at the first login

	kwalletName   = "org.kde." + kwalletd
	kwalletPath   = "/modules/" + kwalletd
	kwalletConfig = `[Wallet]
Enabled=true
First Use=false
Default Wallet=` + wallet + `

[org.freedesktop.secrets]
apiEnabled=true
`
)

// StartKWallet is [Start] with KWallet in place of gnome-keyring. Its
// collection has the wallet's name, as on a desktop, and none is named "login".
func StartKWallet(t testing.TB) *Keyring {
	t.Helper()
	Need(t, "dbus-daemon", kwalletd)
	return started(t, func() (*Keyring, error) {
		return openWith(func(k *Keyring) error {
			k.collection = wallet
			return k.startKWallet()
		})
	})
}

// startKWallet needs no display and nobody to click: the wallet is made and
// opened as at a login, where the PAM module hands over what it has made of the
// password. The program offers as collections the wallets that it finds when it
// starts, so that it starts once more when it has made its first one.
func (k *Keyring) startKWallet() error {
	config := filepath.Join(k.dir, ".config", "kwalletrc")
	if err := os.MkdirAll(filepath.Dir(config), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(config, []byte(kwalletConfig), 0o600); err != nil {
		return err
	}
	if !k.walletExists() {
		err := k.startKWalletAndAwait(k.walletExists)
		kill(k.daemon)
		if err != nil {
			return fmt.Errorf("make a wallet: %w", err)
		}
	}
	if err := k.startKWalletAndAwait(k.collectionExists); err != nil {
		return err
	}
	return k.unlockKWallet()
}

func (k *Keyring) walletExists() bool {
	_, err := os.Stat(filepath.Join(k.dir, "data", "kwalletd", wallet+".kwl"))
	return err == nil
}

func (k *Keyring) collectionExists() bool {
	var label string
	return k.call("org.freedesktop.DBus.Properties.Get", k.collectionPath(),
		[]any{"org.freedesktop.Secret.Collection", "Label"}, &label) == nil
}

func (k *Keyring) startKWalletAndAwait(state func() bool) error {
	k.daemon = k.program(kwalletd)
	k.daemon.Stdout, k.daemon.Stderr = io.Discard, io.Discard
	if err := startBound(k.daemon); err != nil {
		return err
	}
	return k.await(func() bool { return k.openWallet() == nil && state() })
}

// openWallet opens the wallet, or makes it. The program doesn't answer whether
// that went well, so it is to be called until the wallet is open.
func (k *Keyring) openWallet() error {
	const size = 56 // of the hash that the PAM module makes
	hash := bytes.Repeat([]byte{'x'}, size)
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	return k.conn.Object(kwalletName, kwalletPath).
		CallWithContext(ctx, "org.kde.KWallet.pamOpen", 0, wallet, hash, int32(0)).Err
}

// unlockKWallet unlocks the collection, which is something else than its wallet
// being open. The prompt for that is one without a dialog then.
func (k *Keyring) unlockKWallet() error {
	var unlocked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	err := k.call("org.freedesktop.Secret.Service.Unlock", servicePath, []any{[]dbus.ObjectPath{k.collectionPath()}}, &unlocked, &prompt)
	if err == nil && len(unlocked) == 0 {
		err = k.call("org.freedesktop.Secret.Prompt.Prompt", prompt, []any{""})
	}
	if err != nil {
		return fmt.Errorf("unlock the collection: %w", err)
	}
	return k.await(k.unlocked)
}
