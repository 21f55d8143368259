package fallback

import (
	"errors"
	"io/fs"
	"os"

	"cre-credential-helper/fallback/internal/guarded"
	"cre-credential-helper/helper"
)

// snapshot is what stood at a path: nothing (the zero value), a file's exact
// bytes, or something whose bytes can't or mustn't be taken.
type snapshot struct {
	data helper.Secret // the bytes; not set: see info
	info fs.FileInfo   // what the bytes weren't taken of, else nil
}

func (s snapshot) absent() bool { return !s.data.IsSet() && s.info == nil }

func (s snapshot) isDir() bool { return s.info != nil && s.info.IsDir() }

// same compares bytes, and where there are none which file it is and whether
// it was written to.
func (s snapshot) same(t snapshot) bool {
	if s.info == nil || t.info == nil {
		return s.info == nil && t.info == nil && s.data.Equal(t.data)
	}
	return os.SameFile(s.info, t.info) && s.info.Mode() == t.info.Mode() &&
		s.info.Size() == t.info.Size() && s.info.ModTime().Equal(t.info.ModTime())
}

// look returns what stands at a file's path. An error says why its bytes
// weren't taken or, with an absent snapshot, that it can't be looked at.
func (d Dir) look(name string) (s snapshot, err error) {
	err = guarded.Patiently(func() error {
		s, err = d.lookOnce(name)
		return err
	})
	return s, err
}

func (d Dir) lookOnce(name string) (snapshot, error) {
	if err := guarded.CheckDir(d.path); err != nil {
		return snapshot{}, ignoreAbsent(err)
	}
	info, err := os.Lstat(d.file(name))
	if err != nil {
		return snapshot{}, ignoreAbsent(err)
	}
	data, err := guarded.ReadFile(d.file(name))
	switch {
	case err == nil:
		return snapshot{data: helper.NewSecret(string(data))}, nil
	case errors.Is(err, fs.ErrNotExist):
		return snapshot{}, nil
	}
	os.SameFile(info, info) // Windows looks a file's identity up when it is first compared
	return snapshot{info: info}, err
}

// compare fails with [helper.ErrChanged] unless a file still is what it was. If
// it is what it shall become already, there is nothing left to do.
func (d Dir) compare(name string, was, fresh snapshot) (done bool, err error) {
	now, err := d.look(name)
	switch {
	case err != nil && now.absent():
		return false, err
	case now.same(was):
		return false, nil
	case now.same(fresh):
		return true, nil
	case err == nil || errors.Is(err, ErrDamaged) || errors.Is(err, ErrUnsafe):
		return false, helper.ErrChanged
	}
	return false, err
}
