//go:build unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"cre-credential-helper/cmd/internal/unixsocket"
)

const maxSubuid = 1 << 20 // bytes of /etc/subuid

// checkUID refuses a user that can't be told from others, and one that is none of
// this user's subordinate ones, unless it is meant.
func (o grantOptions) checkUID() error {
	if o.uid == unixsocket.OverflowUID() {
		return fmt.Errorf("--uid %d is everybody whom this machine doesn't know: name the container's user as this machine numbers it", o.uid)
	}
	if o.force || o.uid == os.Geteuid() {
		return nil
	}
	file, err := os.Open("/etc/subuid")
	if err == nil {
		defer file.Close() //nolint:errcheck // only read
		if hasSubuid(io.LimitReader(file, maxSubuid), os.Getenv("USER"), os.Geteuid(), o.uid) {
			return nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return fmt.Errorf("--uid %d is not one of this user's in /etc/subuid, so it may be another person: add --force if it is meant", o.uid)
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
