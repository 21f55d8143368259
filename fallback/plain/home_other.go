//go:build unix && !linux

package plain

import (
	"os"
	"os/user"
	"strconv"
)

func listedHome() (string, error) {
	u, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil {
		return "", err
	}
	return u.HomeDir, nil
}
