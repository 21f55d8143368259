// Package accounts reads the local lists of users and groups, by itself: the
// standard library's way would link the C library, or read without a bound.
// What isn't in these files, a directory service's users, isn't known.
package accounts

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

const (
	passwdPath = "/etc/passwd"
	groupPath  = "/etc/group"

	maxSize = 1 << 20 // bytes of either file

	userFields  = 7 // name, password, uid, gid, comment, home, shell
	groupFields = 4 // name, password, gid, members
)

// errUnclear reports a file that isn't a plain list of entries, so that nothing
// can be said of what isn't in it.
var errUnclear = errors.New("is not a plain list")

// Files are the two lists.
type Files struct{ Passwd, Group string }

// System returns the machine's own.
func System() Files { return Files{passwdPath, groupPath} }

// Home returns the home of the user with that number.
func (f Files) Home(uid uint32) (string, error) {
	users, err := entries(f.Passwd, userFields)
	if err != nil && !errors.Is(err, errUnclear) {
		return "", err
	}
	for _, u := range users {
		if isNumber(u[2], uid) && strings.HasPrefix(u[5], "/") {
			return u[5], nil
		}
	}
	return "", fmt.Errorf("%s has no home for the user %d", f.Passwd, uid)
}

// Name returns a user's name. "": it isn't known.
func (f Files) Name(uid uint32) string {
	users, _ := entries(f.Passwd, userFields) // what was read of a damaged list counts
	for _, u := range users {
		if isNumber(u[2], uid) {
			return u[0]
		}
	}
	return ""
}

// IsPrivate reports whether certainly nobody but the user has the rights of a
// group: it is the user's primary one and has the user's name, no other user has
// it as the primary one, and it lists no other member and has no password.
func (f Files) IsPrivate(uid, gid uint32) bool {
	users, err := entries(f.Passwd, userFields)
	if err != nil {
		return false
	}
	name := ""
	for _, u := range users {
		itself, primary := isNumber(u[2], uid), isNumber(u[3], gid)
		switch {
		case itself && name == "" && primary: // of several entries, the first one counts
			name = u[0]
		case itself && name == "", !itself && primary:
			return false
		}
	}
	return name != "" && f.hasOnly(name, gid)
}

// hasOnly reports whether the group is called like its only possible member.
func (f Files) hasOnly(user string, gid uint32) bool {
	groups, err := entries(f.Group, groupFields)
	if err != nil {
		return false
	}
	found := false
	for _, g := range groups {
		if !isNumber(g[2], gid) {
			if g[0] == user { // the name stands for two groups
				return false
			}
			continue
		}
		locked := slices.Contains([]string{"x", "*", "!"}, g[1])
		if g[0] != user || !locked || g[3] != "" && g[3] != user {
			return false
		}
		found = true
	}
	return found
}

// entries reads a list whose lines have that many fields. It returns what it
// understands, with errUnclear when that isn't all.
func entries(path string, fields int) (all [][]string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("%s is larger than 1 MiB", path)
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		entry := strings.Split(line, ":")
		if !isPlain(entry, fields) {
			err = fmt.Errorf("%s %w", path, errUnclear)
			continue
		}
		all = append(all, entry)
	}
	return all, err
}

// isPlain is false of what refers to a directory service, too.
func isPlain(entry []string, fields int) bool {
	if len(entry) != fields || entry[0] == "" || strings.ContainsAny(entry[0][:1], "+-") {
		return false
	}
	_, err := number(entry[2])
	if err == nil && fields == userFields {
		_, err = number(entry[3])
	}
	return err == nil
}

func number(text string) (uint64, error) { return strconv.ParseUint(text, 10, 32) }

func isNumber(text string, want uint32) bool {
	n, err := number(text)
	return err == nil && n == uint64(want)
}
