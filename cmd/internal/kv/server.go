package kv

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// ErrConflict reports a write that found another version than the one that it was
// to replace. Nothing was written.
var ErrConflict = errors.New("the record has changed meanwhile")

// Server is as much of KV version 2 as is used here. A path is that of a record,
// such as secret/data/cre/production/ann@example.com/session.
//
// A write whose answer was lost may have been done, or may still be done; with the
// version that it was to replace, it is done once at the most.
type Server interface {
	// Read returns the newest version, or one without data: version 0 where there
	// has never been one.
	Read(ctx context.Context, path string) (Entry, error)

	// Write makes data the newest version if that is still cas, and returns its
	// number. Its errors are [ErrConflict] and the server's.
	Write(ctx context.Context, path string, data json.RawMessage, cas int) (version int, err error)

	// KeepOne has the server keep the newest version of a record alone.
	KeepOne(ctx context.Context, path string) error

	// Destroy takes the data of versions away for good.
	Destroy(ctx context.Context, path string, versions []int) error

	// Missing returns what the token lacks of the capabilities that are asked for,
	// by path, such as "update on secret/data/x".
	Missing(ctx context.Context, wanted []Capability) (missing []string, err error)
}

// Entry is a version of a record.
type Entry struct {
	Version int
	Data    json.RawMessage // nil: there is none, or it was deleted
	Now     time.Time       // by the server's clock, to the second; zero: not known
}

// Capability is what a policy grants on a path.
type Capability struct {
	Path string
	Any  []string // one of these is enough
}
