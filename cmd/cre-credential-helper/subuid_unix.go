//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"cre-credential-helper/cmd/internal/unixsocket"
)

const maxSubuid = 1 << 20 // bytes of /etc/subuid and /etc/passwd that are read

// checkUID refuses a user that can't be told from others, and one that is none of
// this user's subordinate ones, unless it is meant.
func (o grantOptions) checkUID() error {
	if o.uid == unixsocket.OverflowUID() {
		return fmt.Errorf("--uid %d is everybody whom this machine doesn't know: name the container's user as this machine numbers it", o.uid)
	}
	if o.force || o.uid == os.Geteuid() {
		return nil
	}
	users, err := readLimited("/etc/passwd")
	if err != nil {
		return err
	}
	subordinate, err := readLimited("/etc/subuid")
	if err != nil {
		return err
	}
	if hasSubuid(bytes.NewReader(subordinate), nameOf(bytes.NewReader(users), os.Geteuid()), os.Geteuid(), o.uid) {
		return nil
	}
	return fmt.Errorf("--uid %d is not one of this user's in /etc/subuid, so it may be another person: add --force if it is meant", o.uid)
}

// readLimited reads a file, which may not be there.
func readLimited(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	return io.ReadAll(io.LimitReader(file, maxSubuid))
}

// nameOf reads a user's name in passwd(5): the environment's USER may be anybody's.
// "": not there.
func nameOf(in io.Reader, uid int) string {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if fields := strings.Split(lines.Text(), ":"); len(fields) >= 3 && fields[2] == strconv.Itoa(uid) {
			return fields[0]
		}
	}
	return ""
}

// hasSubuid reads subuid(5): a user's name or number, the first uid, and how many.
func hasSubuid(in io.Reader, user string, self, uid int) bool {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) != 3 || fields[0] == "" || fields[0] != user && fields[0] != strconv.Itoa(self) {
			continue
		}
		first, err := strconv.ParseUint(fields[1], 10, 32)
		if err != nil {
			continue
		}
		count, err := strconv.ParseUint(fields[2], 10, 32)
		if err == nil && uint64(uid) >= first && uint64(uid) < first+count {
			return true
		}
	}
	return false
}
