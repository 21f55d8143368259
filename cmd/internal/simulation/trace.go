package simulation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Trace is what happened, in order.
type Trace []Event

// Event is one step of somebody.
type Event struct {
	At   time.Duration // since the world began
	Who  string
	What string
}

// String is a line for each event.
func (t Trace) String() string {
	var s strings.Builder
	for _, e := range t {
		fmt.Fprintf(&s, "%14.6fs  %-18s %s\n", e.At.Seconds(), e.Who, e.What)
	}
	return s.String()
}

// Digest is the same for two traces only if they tell the same story.
func (t Trace) Digest() string {
	h := sha256.New()
	for _, e := range t {
		fmt.Fprintf(h, "%d\x00%s\x00%s\n", e.At, e.Who, e.What)
	}
	return hex.EncodeToString(h.Sum(nil))
}
