package keyringtest

import (
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// By these names gnome-keyring finds the desktop's program that asks for the
// password.
const (
	prompterName      = "org.gnome.keyring.SystemPrompter"
	prompterPath      = dbus.ObjectPath("/org/gnome/keyring/Prompter")
	prompterInterface = "org.gnome.keyring.internal.Prompter"
	promptReady       = prompterInterface + ".Callback.PromptReady"
)

// prompter stands in for that program.
type prompter struct {
	conn      *dbus.Conn
	dismisses bool // else nobody ever answers
}

// Prompt lets gnome-keyring ask for the password, as on a desktop: a person who
// dismisses it, or one who isn't there.
func (k *Keyring) Prompt(t testing.TB, dismisses bool) {
	t.Helper()
	conn, err := dbus.Connect(k.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.Export(prompter{conn, dismisses}, prompterPath, prompterInterface); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName(prompterName, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
}

// BeginPrompting is called first.
func (p prompter) BeginPrompting(sender dbus.Sender, callback dbus.ObjectPath) *dbus.Error {
	p.reply(sender, callback, "")
	return nil
}

// PerformPrompt is called to show the dialog.
func (p prompter) PerformPrompt(sender dbus.Sender, callback dbus.ObjectPath, _ string, _ map[string]dbus.Variant, _ string) *dbus.Error {
	if p.dismisses {
		p.reply(sender, callback, "no")
	}
	return nil
}

// StopPrompting is called when the dialog isn't needed any more.
func (prompter) StopPrompting(dbus.ObjectPath) *dbus.Error { return nil }

// reply tells gnome-keyring what happened. It wants to hear that only after the
// call that it waits for has returned.
func (p prompter) reply(to dbus.Sender, callback dbus.ObjectPath, answer string) {
	time.AfterFunc(20*time.Millisecond, func() {
		p.conn.Object(string(to), callback).Go(promptReady, dbus.FlagNoReplyExpected, nil,
			answer, map[string]dbus.Variant{}, "")
	})
}
