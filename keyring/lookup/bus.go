package lookup

import (
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// BusAddress finds the D-Bus session that runs, without starting one:
// DBUS_SESSION_BUS_ADDRESS, else the socket "bus" in XDG_RUNTIME_DIR, else the
// one in /run/user/<uid>. It returns "" when there is none, when the variable
// names none on purpose ("disabled:"), and on platforms whose keychain isn't
// on D-Bus.
//
// The D-Bus library reads the environment on its own and, finding nothing,
// runs dbus-launch, whose daemon outlives the process. So a program sets
// DBUS_SESSION_BUS_ADDRESS to what this returns, before the first call, and
// hands it on, to [Keychain] and to keyring.Options; there "" means that nothing
// is called.
func BusAddress(getenv func(string) string) string {
	if !OnBus {
		return ""
	}
	return busAddress(getenv, filepath.Join("/run/user", strconv.Itoa(os.Getuid())))
}

func busAddress(getenv func(string) string, userDir string) string {
	address := getenv("DBUS_SESSION_BUS_ADDRESS")
	if address != "" && !strings.HasPrefix(address, "autolaunch:") {
		if len(transports(address)) == 0 {
			return ""
		}
		return address
	}
	for _, dir := range []string{getenv("XDG_RUNTIME_DIR"), userDir} {
		if socket := filepath.Join(dir, "bus"); filepath.IsAbs(dir) && isSocket(socket) {
			return "unix:path=" + escape(socket)
		}
	}
	return ""
}

// transports returns those alternatives of a bus address that the D-Bus
// library can dial.
func transports(address string) []string {
	var usable []string
	for alternative := range strings.SplitSeq(address, ";") {
		switch name, _, _ := strings.Cut(alternative, ":"); name {
		case "unix", "tcp", "nonce-tcp":
			usable = append(usable, alternative)
		}
	}
	return usable
}

// Listening fails with [ErrUnavailable] where certainly nothing answers at a bus
// address. Only a socket in the file system can be looked at beforehand.
func Listening(address string) error {
	if listens(address) {
		return nil
	}
	return Unavailable(errNoBus)
}

func listens(address string) bool {
	for _, alternative := range transports(address) {
		path, ok := strings.CutPrefix(alternative, "unix:path=")
		if !ok {
			return true
		}
		path, _, _ = strings.Cut(path, ",")
		if path, err := url.PathUnescape(path); err != nil || isSocket(path) {
			return true
		}
	}
	return false
}

// socketOf returns what to connect to for a bus address that names one Unix
// socket: its path, or "@" and its name in the abstract namespace. It is "" for
// every other address.
func socketOf(address string) string {
	all := transports(address)
	if len(all) != 1 || !strings.HasPrefix(all[0], "unix:") {
		return ""
	}
	for pair := range strings.SplitSeq(strings.TrimPrefix(all[0], "unix:"), ",") {
		key, value, _ := strings.Cut(pair, "=")
		value, err := url.PathUnescape(value)
		switch {
		case err != nil:
			return ""
		case key == "path":
			return value
		case key == "abstract":
			return "@" + value
		}
	}
	return ""
}

func isSocket(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Type() == os.ModeSocket
}

// escape writes a value of a bus address (D-Bus specification, "Server
// Addresses").
func escape(value string) string {
	const plain = `-_/.\*`
	var out strings.Builder
	for _, b := range []byte(value) {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', strings.IndexByte(plain, b) >= 0:
			out.WriteByte(b)
		default:
			out.WriteString("%" + strconv.FormatUint(uint64(b)+0x100, 16)[1:])
		}
	}
	return out.String()
}
