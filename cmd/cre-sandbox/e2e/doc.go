// Package e2e drives the built programs from outside, against the real things:
// a sandbox on loopback, gnome-keyring on a bus of its own, no bus at all,
// Chromium, git, docker's Go client, the JSON schemas of Bazel's form, and Wine.
// It has tests only.
package e2e
