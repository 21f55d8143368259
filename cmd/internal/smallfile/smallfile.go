// Package smallfile reads files that others have written: a key, settings.
package smallfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

var (
	// ErrLarge reports a file that is larger than is read.
	ErrLarge = errors.New("is larger")

	// ErrEndless reports a file whose end didn't come in time.
	ErrEndless = errors.New("has no end")
)

// patience is how long is waited for the end: some files that the kernel calls
// regular, such as /proc/kmsg, have none.
const patience = 2 * time.Second

// Read returns a file's content, of up to limit bytes, within two seconds. Its errors
// are [ErrLarge], [ErrEndless] and the operating system's.
func Read(f *os.File, limit int) ([]byte, error) { return readWithin(f, limit, patience) }

func readWithin(f *os.File, limit int, patience time.Duration) ([]byte, error) {
	_ = f.SetReadDeadline(time.Now().Add(patience)) // fails for those that never wait
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	switch {
	case len(data) > limit:
		return nil, fmt.Errorf("%s %w than %d bytes", f.Name(), ErrLarge, limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("%s %w: within %v, none came", f.Name(), ErrEndless, patience)
	}
	return data, err
}
