// Package foreground runs a program in this one's place: in its process group and
// on its terminal, with the signals that come to either.
package foreground
