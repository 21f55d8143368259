package fallback

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"cre-credential-helper/fallback/internal/guarded"
	"cre-credential-helper/helper"
)

// room is what a stage takes on the disk beyond the size of cre.yaml: more than
// a session grows by.
const room = 64 << 10

// Stage is a temporary file beside cre.yaml that is to take its place. The
// zero value is of no use.
type Stage struct {
	dir  Dir
	name string // of the file whose place it takes
	path string // of the temporary itself
	made bool   // the directory was made for it
}

// StageSession prepares a [Stage.Replace]: the file is made and has its room on
// the disk, so that little is left that can fail. The caller holds the lock,
// from before he calls StageSession until he has called [Stage.Discard].
func (d Dir) StageSession() (*Stage, error) {
	s, err := d.stage(sessionName)
	if err != nil {
		return nil, err
	}
	size := int64(room)
	if info, err := os.Lstat(d.SessionPath()); err == nil {
		size += min(info.Size(), guarded.MaxSize)
	}
	if err := s.fill(make([]byte, size)); err != nil {
		s.Discard()
		return nil, failed("write", d.SessionPath(), err)
	}
	return s, nil
}

// stage is written here because moby/sys/atomicwriter, google/renameio and
// their like have no place for a compare between the sync and the rename.
func (d Dir) stage(name string) (*Stage, error) {
	made, err := d.make()
	if err != nil {
		return nil, err
	}
	if err := d.replaceable(name); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(d.path, tempPrefix+name)
	if err != nil {
		return nil, failed("write", d.file(name), err)
	}
	s := &Stage{dir: d, name: name, path: f.Name(), made: made}
	err = cmp.Or(f.Close(), os.Chmod(s.path, 0o600)) // a umask may have taken the owner's own access
	if err != nil {
		s.Discard()
		return nil, failed("write", d.file(name), err)
	}
	return s, nil
}

// Replace is [Dir.ReplaceSession] by what was staged. It may be repeated
// after an error, and succeeds if fresh is there already.
func (s *Stage) Replace(old, fresh File) error {
	if fresh.IsZero() {
		return s.dir.removeSession(old.was)
	}
	data, err := s.dir.encode(fresh)
	if err != nil {
		return err
	}
	return s.put(old.was, data)
}

// Discard removes what is left of the stage: nothing after a Replace that
// succeeded. What can't be removed is swept by the next [Dir.Lock].
func (s *Stage) Discard() {
	_ = os.Remove(s.path)
	if s.made {
		_ = os.Remove(s.dir.path) // fails as it should when anything is in it
	}
}

// put makes the file hold data if it still is what it was.
func (s *Stage) put(was, data snapshot) error {
	path := s.dir.file(s.name)
	// That the file has changed says more than why the stage can't be written:
	// whoever removed the directory removed both.
	written := s.fill([]byte(data.data.Reveal()))
	if was.isDir() && written == nil { // no file is renamed to a directory
		if err := s.dir.removeUnchanged(s.name, was); err != nil {
			return failed("write", path, err)
		}
		was = snapshot{}
	}
	err := guarded.Patiently(func() error {
		done, err := s.dir.compare(s.name, was, data)
		switch {
		case done:
			return nil
		case err != nil || written != nil:
			return cmp.Or(err, written)
		}
		return os.Rename(s.path, path)
	})
	if err == nil {
		err = syncDir(s.dir.path)
	}
	return failed("write", path, err)
}

// fill makes data all that is in the stage, and on the disk.
func (s *Stage) fill(data []byte) error {
	f, err := os.OpenFile(s.path, os.O_WRONLY|guarded.NoFollow, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return cmp.Or(err, f.Truncate(int64(len(data))), f.Sync(), f.Close())
}

// Check reports whether [Dir.ReplaceSession] would succeed now, by doing the
// same: cre.yaml is replaced by its own content. Where there is none, a stage
// is made and discarded. Errors are [ErrUnsafe] or the operating system's. The
// caller holds the lock.
func (d Dir) Check() error {
	was, err := d.look(sessionName)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return fmt.Errorf("read the session: %w", err)
	}
	s, err := d.StageSession()
	if err != nil {
		return err
	}
	defer s.Discard()
	switch {
	case was.data.IsSet():
		err = s.put(was, was)
	case was.isDir():
		err = s.moveAndBack()
	}
	if errors.Is(err, helper.ErrChanged) {
		return nil // so it can be written
	}
	return err
}

// moveAndBack finds out whether an empty directory in the file's place could
// be cleared away. It may be a mount point.
func (s *Stage) moveAndBack() error {
	path, aside := s.dir.file(s.name), s.path+"0"
	return failed("write", path, cmp.Or(os.Rename(path, aside), os.Rename(aside, path)))
}
