package lookup

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// busVariable names the D-Bus session.
const busVariable = "DBUS_SESSION_BUS_ADDRESS"

// orNone ends an address that was guessed: where nothing of it is there, there
// is no D-Bus session.
const orNone = "disabled:"

// BusAddress returns where a D-Bus session may be, for [Keychain] and for
// keyring.Options, without looking there: DBUS_SESSION_BUS_ADDRESS, then the
// socket "bus" in XDG_RUNTIME_DIR, then the one in /run/user/<uid>. A variable
// that outlived its session, as in tmux over a new login, is no reason to miss
// the new one.
//
// It returns "" when there is none, because the variable says so ("disabled:"),
// and on platforms whose keychain isn't on D-Bus.
func BusAddress(getenv func(string) string) string {
	if !OnBus {
		return ""
	}
	return busAddress(getenv, filepath.Join("/run/user", strconv.Itoa(os.Getuid())))
}

func busAddress(getenv func(string) string, userDir string) string {
	var all []string
	named := getenv(busVariable)
	switch {
	case strings.HasPrefix(named, orNone):
		return ""
	case named != "":
		all = []string{named}
	}
	for _, dir := range []string{getenv("XDG_RUNTIME_DIR"), userDir} {
		place := "unix:path=" + escape(filepath.Join(dir, "bus"))
		if filepath.IsAbs(dir) && !slices.Contains(all, place) {
			all = append(all, place)
		}
	}
	if named == "" {
		all = append(all, orNone)
	}
	return strings.Join(all, ";")
}

// Dial tries the sockets of a bus address in turn, with a function that fails
// only with what came of its connecting; an abstract socket's name begins with
// "@". Whoever is refused by one that is there doesn't try the next. Its errors
// are [ErrUnavailable] where certainly nothing listens and nobody said that
// something does, and [ErrBus].
func Dial[C any](address string, dial func(socket string) (C, error)) (C, error) {
	var none C
	sockets, guessed, err := socketsOf(address)
	if err != nil {
		return none, err
	}
	for _, socket := range sockets {
		c, err := dial(socket)
		switch {
		case err == nil:
			return c, nil
		case !nobodyThere(err):
			return none, fmt.Errorf("%w: %w: set %s to your own session's address, or to \"disabled:\" for none", ErrBus, err, busVariable)
		}
	}
	if guessed {
		return none, Unavailable(errNoBus)
	}
	named, _, _ := strings.Cut(address, ";")
	return none, fmt.Errorf("%w: nothing listens where %s says (%.200q): unset it, or set it to \"disabled:\" for none",
		ErrBus, busVariable, named)
}

// nobodyThere reports whether an error certainly means that. No room in a
// queue, no descriptors, no permission don't.
func nobodyThere(err error) bool {
	for _, errno := range []syscall.Errno{syscall.ENOENT, syscall.ENOTDIR, syscall.ECONNREFUSED} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// Usable fails, as [Dial] does, with an address that nothing can be dialed at.
func Usable(address string) error {
	_, _, err := socketsOf(address)
	return err
}

// socketsOf returns what to connect to for a bus address, and whether that was
// guessed. All of it must be Unix sockets: only there the kernel tells who
// listens.
func socketsOf(address string) (sockets []string, guessed bool, err error) {
	address, guessed = strings.CutSuffix(address, orNone)
	for alternative := range strings.SplitSeq(address, ";") {
		if alternative == "" {
			continue
		}
		socket := socketOf(alternative)
		if socket == "" {
			return nil, false, fmt.Errorf("%w: %s has to name a socket, as in unix:path=/run/user/1000/bus, not %.100q: unset it, or set it to \"disabled:\" for none",
				ErrBus, busVariable, alternative)
		}
		sockets = append(sockets, socket)
	}
	if len(sockets) == 0 {
		return nil, false, Unavailable(errNoBus)
	}
	return sockets, guessed, nil
}

// socketOf returns the one socket that a part of an address names: its path, or
// "@" and its name in the abstract namespace. It is "" for everything else.
func socketOf(alternative string) (socket string) {
	pairs, isUnix := strings.CutPrefix(alternative, "unix:")
	if !isUnix {
		return ""
	}
	for pair := range strings.SplitSeq(pairs, ",") {
		key, value, _ := strings.Cut(pair, "=")
		value, err := url.PathUnescape(value)
		switch {
		case err != nil, strings.ContainsRune(value, 0):
			return ""
		case key == "guid":
			continue
		case key == "path" && filepath.IsAbs(value) && socket == "":
			socket = value
		case key == "abstract" && value != "" && socket == "":
			socket = "@" + value
		default:
			return ""
		}
	}
	return socket
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
