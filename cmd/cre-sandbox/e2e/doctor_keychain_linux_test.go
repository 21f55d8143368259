package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"cre-credential-helper/keyring/keyringtest"
)

// keyringPassword is keyringtest's.
const keyringPassword = "a password for tests\n"

// keychainIlls happen to a gnome-keyring and to the way to it.
var keychainIlls = []fault{
	{
		name: "a locked keychain", mode: keychainMode,
		breaks: func(p *patient) { p.logIn(); p.keychain.Lock(p) },
		check:  "keychain", level: "problem", says: "gnome-keyring is locked",
		command: "gnome-keyring-daemon --replace --unlock", stdin: keyringPassword,
	},
	{
		name: "a locked keychain that waits for somebody", mode: keychainMode,
		breaks: func(p *patient) {
			p.logIn()
			p.keychain.Lock(p)
			p.keychain.Prompt(p, false)
			p.setenv("CRE_KEYRING_TIMEOUT=2s")
		},
		check: "keychain", level: "problem", says: "gnome-keyring did not answer within 2s",
		command: "gnome-keyring-daemon --replace --unlock", stdin: keyringPassword,
	},
	{
		name: "a keychain without a keyring",
		breaks: func(p *patient) {
			p.keychain = keyringtest.StartWithoutCollection(p)
			p.setenv(p.keychain.Env()...)
		},
		check: "keychain", level: "problem", says: "has no keyring",
		command: "gnome-keyring-daemon --replace --unlock", stdin: keyringPassword,
	},
	{
		name: "a KeePassXC that asks before each access",
		breaks: func(p *patient) {
			p.keychain = keyringtest.StartKeePassXC(p)
			p.setenv(append(p.keychain.Env(), "CRE_KEYRING_TIMEOUT=2s")...)
			p.logIn()
			p.keychain.Confirm(p, true)
		},
		check: "keychain", level: "problem", says: "it asks you to confirm each access",
		heals: func(p *patient) { p.keychain.Confirm(p, false) },
	},
	{
		name: "a keychain that is gone, with the session", mode: keychainMode,
		breaks: func(p *patient) { p.logIn(); p.signalKeychain(syscall.SIGKILL) },
		check:  "keychain", level: "problem", says: "your session is in the keychain, and none can be reached: nothing on the D-Bus session",
		command: "CRE_CREDENTIAL_STORE=file cre login",
	},
	{
		name: "a shell that came over SSH", mode: keychainMode,
		breaks: func(p *patient) { p.logIn(); p.leaveBus(); p.setenv("SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22") },
		check:  "keychain", level: "problem", says: "which came over SSH",
		command: "CRE_CREDENTIAL_STORE=file cre login",
	},
	{
		name:   "no keychain",
		breaks: func(*patient) {},
		check:  "keychain", level: "warning", says: "there is no keychain",
		command: "export CRE_CREDENTIAL_STORE=file",
	},
	{
		name:   "WSL",
		breaks: func(p *patient) { p.setenv("WSL_DISTRO_NAME=Debian") },
		check:  "keychain", level: "warning", says: "WSL has none of its own",
		command: "export CRE_CREDENTIAL_STORE=file",
	},
	{
		name:   "no keychain where one is wanted",
		breaks: func(p *patient) { p.setenv("CRE_CREDENTIAL_STORE=keyring") },
		check:  "keychain", level: "problem", says: "CRE_CREDENTIAL_STORE wants one",
		command: "unset CRE_CREDENTIAL_STORE",
	},
	{
		name: "a stale bus beside a new one", mode: keychainMode,
		breaks: func(p *patient) { p.setenv("DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere/bus") },
		check:  "keychain", level: "warning", says: "nothing listens where DBUS_SESSION_BUS_ADDRESS says",
		command: "unset DBUS_SESSION_BUS_ADDRESS",
	},
	{
		name:   "a stale bus",
		breaks: func(p *patient) { p.setenv("DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere/bus") },
		check:  "keychain", level: "problem", says: "nothing listens where DBUS_SESSION_BUS_ADDRESS says",
		command: "unset DBUS_SESSION_BUS_ADDRESS",
	},
	{
		name:   "a bus over TCP",
		breaks: func(p *patient) { p.setenv("DBUS_SESSION_BUS_ADDRESS=tcp:host=127.0.0.1,port=9") },
		check:  "keychain", level: "problem", says: "has to name a socket",
		command: "unset DBUS_SESSION_BUS_ADDRESS",
	},
	{
		name: "a bus that may be another user's", mode: keychainMode,
		breaks: func(p *patient) {
			_, socket, _ := strings.Cut(p.keychain.Address, "unix:path=")
			socket, _, _ = strings.Cut(socket, ",")
			if os.Getuid() == 0 {
				p.must(os.Chown(socket, nobody, nobody))
			} else {
				p.must(os.Chmod(filepath.Dir(socket), 0o777))
			}
		},
		check: "keychain", level: "problem", says: "it may be another user's",
		command: "unset DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR",
	},
	{
		name: "a flatpak without the lock", mode: keychainMode,
		breaks: func(p *patient) {
			p.setenv("FLATPAK_ID=org.example.Terminal", "DBUS_SESSION_BUS_ADDRESS="+p.keychain.Filtered(p, "--talk=org.freedesktop.secrets"))
		},
		check: "keychain", level: "problem", says: "this flatpak may not take the lock",
		command: "flatpak override --user --own-name=org.cre_credential_helper.Lock org.example.Terminal",
		heals: func(p *patient) { // which takes a flatpak
			p.setenv("DBUS_SESSION_BUS_ADDRESS=" + p.keychain.Filtered(p, "--talk=org.freedesktop.secrets", "--own=org.cre_credential_helper.Lock"))
		},
	},
}
