package doctor

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/lookup"
)

// The item that is written, read back and removed: of a host that can't be (RFC
// 2606), and as long as a session, because some keychains have limits.
const (
	probeHost     = "doctor.cre-credential-helper.invalid"
	probeUsername = "doctor"
	probeLength   = 4000 // bytes
)

// tidyTime is how long the removal of the item may take when the check's own time
// is up.
const tidyTime = 2 * time.Second

var errNotReadBack = errors.New("it did not give back what was written")

// keychain judges the stores that are used instead, too. Beside one, there need be no
// keychain.
func (d desk) keychain(ctx context.Context) (found []Finding) {
	if variable := d.granted(); variable != "" {
		return []Finding{ok("none is needed here: %s leads to a session elsewhere", variable)}
	}
	besides := d.besides()
	for _, place := range besides {
		found = append(found, d.store(ctx, place))
	}
	vault := d.vault(d.settings.Bus)
	err := tryKeychain(ctx, vault)
	if len(besides) > 0 && !d.pointedHere() && errors.Is(err, keyring.ErrUnavailable) {
		return found
	}
	return append(found, d.systemKeychain(ctx, vault, err)...)
}

// systemKeychain says what came of the try.
func (d desk) systemKeychain(ctx context.Context, vault *keyring.Store, err error) []Finding {
	name := d.programName(ctx, vault)
	if err != nil {
		return []Finding{d.keychainFault(ctx, err, name)}
	}
	found := []Finding{ok("%s can be reached, is unlocked, and takes, gives back and removes an item", name)}
	if d.isBusStale(ctx) {
		found = append(found, warning("nothing listens where %s says; another D-Bus session of yours was found", varBus).
			run(d.shell.unset(varBus)))
	}
	return found
}

func (d desk) vault(bus string) *keyring.Store {
	return keyring.New(keyring.Options{Bus: bus, Timeout: d.settings.Timeout})
}

func (d desk) programName(ctx context.Context, vault *keyring.Store) string {
	return cmp.Or(vault.Program(ctx), "the keychain")
}

// tryKeychain does with an item of its own what is done with a session.
func tryKeychain(ctx context.Context, vault *keyring.Store) (err error) {
	held, unlock, err := vault.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock() //nolint:errcheck // it ends with the process at the latest
	c := helper.Credential{
		Origin:   helper.Origin{Protocol: "https", Host: probeHost},
		Username: probeUsername,
		Secret:   helper.NewSecret(strings.Repeat(rand.Text(), probeLength/len(rand.Text()))),
		AuthType: helper.AuthBearer,
	}
	if err := vault.Store(held, c); err != nil {
		return err
	}
	defer func() {
		tidy, cancel := context.WithTimeout(context.WithoutCancel(held), tidyTime)
		defer cancel()
		err = cmp.Or(err, vault.Erase(tidy, helper.Query{Origin: c.Origin}))
	}()
	back, err := vault.Get(held, helper.Query{Origin: c.Origin})
	if err == nil && !back.Secret.Equal(c.Secret) {
		err = errNotReadBack
	}
	return err
}

// keychainFault says what the keychain failed with.
func (d desk) keychainFault(ctx context.Context, err error, name string) Finding {
	switch {
	case errors.Is(err, helper.ErrBusy):
		return d.lockRefused(err)
	case errors.Is(err, keyring.ErrUnavailable):
		return d.noKeychain(err)
	case errors.Is(err, keyring.ErrBus):
		return d.busFault(ctx, err)
	case errors.Is(err, keyring.ErrNoCollection):
		return d.unlockedBy(problem("%s runs, but has no keyring to keep anything in", name), name).
			advise(`make one with your desktop's "Passwords and Keys" program or, with a password of your choice, in this shell`)
	case errors.Is(err, keyring.ErrTimeout) && name == "KeePassXC":
		return problem("KeePassXC did not answer within %s: its database is locked, or it asks you to confirm each access", d.settings.Timeout).
			advise(`unlock the database; in KeePassXC's settings, under "Secret Service Integration", switch off "Confirm when passwords are retrieved by clients" and "Confirm when clients request entry deletion"`)
	case errors.Is(err, keyring.ErrTimeout):
		return d.unlockedBy(problem("%s did not answer within %s: it most likely waits for somebody to unlock it", name, d.settings.Timeout), name)
	case errors.Is(err, keyring.ErrLocked):
		return d.unlockedBy(problem("%s is locked, or refuses", name), name)
	case errors.Is(err, keyring.ErrDamaged), errors.Is(err, keyring.ErrNewer):
		return problem("%v", err)
	}
	return problem("%s failed: %v", name, err)
}

// unlockedBy adds how that keychain is unlocked.
func (d desk) unlockedBy(f Finding, name string) Finding {
	switch name {
	case "gnome-keyring":
		return f.advise("unlock the login keyring on your desktop or, with its password, in this shell").run(unlockGnome)
	case "macOS Keychain":
		return f.run("security unlock-keychain")
	case "KeePassXC":
		return f.advise("unlock the database in KeePassXC")
	case "KWallet":
		return f.advise("open the wallet in KWalletManager")
	}
	return f.advise("unlock it and try again")
}

// unlockGnome starts gnome-keyring anew with the login keyring unlocked, which it
// makes if there is none. The password is read from the terminal without showing
// it, and is in no argument: printf is the shell's own.
const unlockGnome = `printf 'Password: '; stty -echo; IFS= read -r p; stty echo; printf %s "$p" | gnome-keyring-daemon --replace --unlock --daemonize --components=secrets >/dev/null; unset p`

// lockRefused is about the name on the bus that stands for the lock.
func (d desk) lockRefused(err error) Finding {
	const lockName = "org.cre_credential_helper.Lock"
	f := problem("the lock on the keychain can't be had: %v", err)
	switch id, snap := d.Getenv("FLATPAK_ID"), d.Getenv("SNAP_NAME"); {
	case id != "":
		return problem("this flatpak may not take the lock on the keychain (%s)", lockName).
			run(d.shell.command("flatpak", "override", "--user", "--own-name="+lockName, id))
	case snap != "":
		return problem("this snap may not take the lock on the keychain (%s)", lockName).
			advise("run cre outside of the snap")
	}
	return f
}

// noKeychain is worse where a session is in one, or has to be.
func (d desk) noKeychain(cause error) Finding {
	const inFile = "a login is kept in cre.yaml, in plain text"
	switch {
	case d.pointedHere() && d.Getenv(varSSH) != "":
		return problem("your session is in the keychain, and this shell, which came over SSH, can't reach one").
			advise("work in a terminal of your desktop, or log in for this shell with the session in a file, in plain text").
			run(d.shell.with(platform.VarStore, string(reading.File), "cre login"))
	case d.pointedHere():
		return problem("your session is in the keychain, and none can be reached: %s", d.whyNone(cause)).
			advise("start the keychain again, or log in with the session in a file, in plain text").
			run(d.shell.with(platform.VarStore, string(reading.File), "cre login"))
	case d.settings.Mode == reading.Keyring:
		return problem("there is no keychain, and %s wants one: %s", platform.VarStore, d.whyNone(cause)).run(d.shell.unset(platform.VarStore))
	case d.settings.Mode == reading.File:
		return ok("there is no keychain, and %s wants none", platform.VarStore)
	}
	f := warning("there is no keychain, so that %s: %s", inFile, d.whyNone(cause)).run(d.shell.export(platform.VarStore, string(reading.File)))
	if d.isWSL() {
		return f.advise("start gnome-keyring in WSL, use the programs for Windows, or say that a file is what you want")
	}
	return f.advise("start a Secret Service such as gnome-keyring, or say that a file is what you want")
}

func (d desk) whyNone(cause error) string {
	switch {
	case d.isWSL():
		return "WSL has none of its own"
	case d.Getenv("FLATPAK_ID") != "" || d.Getenv("SNAP_NAME") != "":
		return "this program runs in a sandbox, which may hide it"
	case !lookup.OnBus:
		return cause.Error()
	case d.busIsThere():
		return "nothing on the D-Bus session keeps secrets"
	}
	return "there is no D-Bus session"
}

func (d desk) isWSL() bool {
	return d.Getenv("WSL_DISTRO_NAME") != "" || isWSLKernel()
}

// isWSLKernel: Microsoft builds this kernel for WSL, and names itself in its release.
func isWSLKernel() bool {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	return err == nil && strings.Contains(strings.ToLower(string(release)), "microsoft")
}

// busFault is about a D-Bus session that can't be reached, or may be another
// user's. The remedy is what makes the next search find one, or certainly none.
func (d desk) busFault(ctx context.Context, cause error) Finding {
	text := strings.TrimPrefix(cause.Error(), keyring.ErrBus.Error()+": ")
	f := problem("the D-Bus session can't be used: %s", text)
	for _, names := range [][]string{{varBus}, {varBus, varRuntime}} {
		bus := lookup.BusAddress(without(d.Getenv, names...))
		if err := d.dial(ctx, bus); !errors.Is(err, keyring.ErrBus) {
			return f.run(d.shell.unset(names...))
		}
	}
	return f.run(d.shell.export(varBus, "disabled:"))
}

// dial reports whether a bus can be reached, by taking its lock for a moment.
func (d desk) dial(ctx context.Context, bus string) error {
	_, unlock, err := d.vault(bus).Lock(ctx)
	if err == nil {
		_ = unlock()
	}
	return err
}

func (d desk) busIsThere() bool {
	ctx, cancel := context.WithTimeout(context.Background(), tidyTime)
	defer cancel()
	return !errors.Is(d.dial(ctx, d.settings.Bus), keyring.ErrUnavailable)
}

// isBusStale reports whether nobody listens at the address that the variable says.
func (d desk) isBusStale(ctx context.Context) bool {
	named := d.Getenv(varBus)
	return named != "" && lookup.OnBus && errors.Is(d.dial(ctx, named), keyring.ErrBus)
}
