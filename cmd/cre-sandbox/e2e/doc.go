// Package e2e drives the built programs from outside, against the real things:
// a sandbox on loopback, gnome-keyring on a bus of its own, no bus at all, and
// Chromium. It has tests only.
package e2e
