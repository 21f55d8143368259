package reading

import (
	"slices"
	"strings"

	"cre-credential-helper/cmd/internal/safetext"
)

// UseCommand is the command that makes an account the default one: the first of
// usernames, or another one. A name that can't be pasted as it is isn't in it.
func UseCommand(usernames ...string) string {
	fit := slices.DeleteFunc(slices.Clone(usernames), func(name string) bool { return !safetext.IsFit(name) })
	command, words := "cre session use ", make([]string, len(fit))
	for i, name := range fit {
		words[i] = safetext.Word(name)
	}
	switch {
	case len(fit) == 0:
		return command + "EMAIL"
	case slices.ContainsFunc(fit, safetext.IsOption):
		command += "-- "
	}
	return command + strings.Join(words, " or ")
}

// LoginCommand is the one that logs an account in.
func LoginCommand(username string) string {
	switch {
	case !safetext.IsFit(username):
		return "cre login"
	case safetext.IsOption(username):
		return "cre login --account=" + safetext.Word(username)
	}
	return "cre login --account " + safetext.Word(username)
}
