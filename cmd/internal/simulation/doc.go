// Package simulation is a world in which the session's real code lives through
// bad luck: several processes at once, a person who logs in and out meanwhile,
// a keychain that is slow, locked or silent, a provider that rotates its refresh
// tokens and loses answers, and processes that die or stop at any step.
//
// One seed is one schedule. All that happens is drawn from the seed, time is
// that of a testing/synctest bubble, and everybody sleeps a moment of its own
// before each step, so that one goroutine is awake at a time: the same seed
// tells the same story twice.
//
// Real are packages session, keyring and fallback, and the files, which are in
// a temporary folder. Made up are the keychain behind [keyring.Backend], its
// lock, the lock beside cre.yaml (a flock that blocks would stop the bubble's
// clock), the provider, and who else is there. An observer looks at every
// write, and judges it by the rules in rules.go.
//
// Not in this world: steps inside a call of package fallback (between compare
// and rename) and the real locks, D-Bus itself, HTTP and the pipe between the
// programs (our login, logout and the rest are the process that does the
// errand), the protocol's text, credentials of other origins and environments, more
// than two accounts, a stored API key, other operating systems, and folders that can't be
// written for another reason than a full disk.
package simulation
