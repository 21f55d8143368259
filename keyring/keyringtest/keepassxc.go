package keyringtest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// keepassDatabase is an empty database with everything in it exposed on the
// bus. Its file's name becomes the collection's.
const keepassDatabase = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<KeePassFile>
  <Meta>
    <RecycleBinEnabled>False</RecycleBinEnabled>
    <CustomData>
      <Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>{00010203-0405-0607-0809-0a0b0c0d0e0f}</Value></Item>
    </CustomData>
  </Meta>
  <Root>
    <Group><UUID>AAECAwQFBgcICQoLDA0ODw==</UUID><Name>Root</Name></Group>
    <DeletedObjects/>
  </Root>
</KeePassFile>
`

// keepassConfig makes the program serve secrets, without asking anybody if CONFIRMS
// stands for false. It saves when it ends, not after every change: version 2.7.4
// saves in a thread of its own, which crashes now and then when the next change
// comes meanwhile, within 30 to 160 writes in a row.
const keepassConfig = `[General]
SingleInstance=false
UpdateCheckMessageShown=true
AutoSaveAfterEveryChange=false

[FdoSecrets]
Enabled=true
ShowNotification=false
ConfirmAccessItem=CONFIRMS
ConfirmDeleteItem=CONFIRMS
UnlockBeforeSearch=false
`

// StartKeePassXC is [Start] with KeePassXC in place of gnome-keyring.
func StartKeePassXC(t testing.TB) *Keyring {
	t.Helper()
	return StartKeePassXCNamed(t, login)
}

// StartKeePassXCNamed is [StartKeePassXC] with another name for its collection
// than "login", which clients look for first.
func StartKeePassXCNamed(t testing.TB, collection string) *Keyring {
	t.Helper()
	Need(t, "dbus-daemon", "keepassxc", "keepassxc-cli")
	return started(t, func() (*Keyring, error) {
		return openWith(func(k *Keyring) error {
			k.collection = collection
			return k.startKeePassXC()
		})
	})
}

// Confirm has a KeePassXC ask a person, who isn't there, before it gives out or
// removes an item, or ask nobody, as after its start. It is started anew for that,
// and loses what was changed while it asked.
func (k *Keyring) Confirm(t testing.TB, asks bool) {
	t.Helper()
	sig := syscall.SIGTERM
	if k.confirms { // a question that is open keeps it from ending
		sig = syscall.SIGKILL
	}
	k.confirms = asks
	k.Restart(t, sig)
}

func (k *Keyring) startKeePassXC() error {
	database, config := filepath.Join(k.dir, k.collection+".kdbx"), filepath.Join(k.dir, "keepassxc.ini")
	if _, err := os.Stat(database); errors.Is(err, fs.ErrNotExist) {
		if err := k.importDatabase(database); err != nil {
			return fmt.Errorf("make a KeePassXC database: %w", err)
		}
	}
	if err := os.WriteFile(config, []byte(strings.ReplaceAll(keepassConfig, "CONFIRMS", strconv.FormatBool(k.confirms))), 0o600); err != nil {
		return err
	}
	k.daemon = k.program("keepassxc", "--config", config, "--localconfig", config+".local", "--pw-stdin", database)
	k.daemon.Stdin = strings.NewReader(password + "\n")
	k.daemon.Stdout, k.daemon.Stderr = io.Discard, io.Discard
	return k.startDaemon()
}

// importDatabase makes the database with the shortest key derivation that the
// program offers, 100 ms.
func (k *Keyring) importDatabase(database string) error {
	source := database + ".xml"
	if err := os.WriteFile(source, []byte(keepassDatabase), 0o600); err != nil {
		return err
	}
	c := k.program("keepassxc-cli", "import", "-q", "-p", "-t", "100", source, database)
	c.Stdin = strings.NewReader(strings.Repeat(password+"\n", 2))
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %q", err, out)
	}
	return nil
}

// program prepares a program that finds no home and no display but the
// keychain's own folders.
func (k *Keyring) program(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Env = append([]string{"HOME=" + k.dir, "PATH=" + os.Getenv("PATH"), "QT_QPA_PLATFORM=offscreen"}, k.Env()...)
	return c
}
