package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

// lockPatience is how long somebody may hold the lock while the files are looked
// at.
const lockPatience = 2 * time.Second

// files asks package fallback whether it would read and write: it alone knows what
// it refuses.
func (d desk) files(ctx context.Context) []Finding {
	if d.settings.Dir == "" {
		return []Finding{problem("%v", d.settings.NoDir)}
	}
	var found []Finding
	files := fallback.Open(d.settings.Dir).Saying(func(line string) { found = append(found, ok("%s", line)) })
	_, err := files.ReadSession()
	faults := []error{err}
	if f, ok := readable(files.SessionPath()); ok && err == nil && d.hasTokens() {
		found = append(found, f)
	}
	if err == nil || errors.Is(err, fallback.ErrDamaged) {
		faults = append(faults, d.tryFiles(ctx, files)...)
	}
	faults = onePerPath(faults)
	for _, err := range faults {
		found = append(found, d.fileFault(err))
	}
	if len(faults) == 0 {
		found = append(found, ok("%s can be read, locked and written", d.settings.Dir))
	}
	return found
}

// tryFiles does under the lock what a login does, and reads the tenant contexts.
func (d desk) tryFiles(ctx context.Context, files fallback.Dir) []error {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	unlock, err := files.Lock(ctx)
	if err != nil {
		return []error{err}
	}
	defer unlock() //nolint:errcheck // it ends with the process at the latest
	_, _, contextErr := files.ReadTenant(d.settings.Environment.Name)
	return []error{files.Check(), contextErr}
}

// onePerPath leaves out what is no error, and a path's second one.
func onePerPath(all []error) (left []error) {
	seen := map[string]bool{}
	for _, err := range all {
		about, isPath := errors.AsType[*fallback.PathError](err)
		if err == nil || isPath && seen[about.Path] {
			continue
		}
		if isPath {
			seen[about.Path] = true
		}
		left = append(left, err)
	}
	return left
}

// fileFault says what package fallback refuses. What stands at the path picks the
// command.
func (d desk) fileFault(err error) Finding {
	about, isPath := errors.AsType[*fallback.PathError](err)
	switch {
	case errors.Is(err, helper.ErrBusy):
		return warning("another cre process holds %s: it is at work, or was stopped", filepath.Join(d.settings.Dir, "cre.lock")).
			advise("wait until it has ended")
	case !isPath:
		return problem("%v", err)
	}
	f := problem("%s %s", about.Path, about.Why)
	if command := d.fileRemedy(about, err); command != "" {
		return f.run(command)
	}
	return f.advise(about.Todo)
}

func (d desk) fileRemedy(about *fallback.PathError, err error) string {
	if errors.Is(err, syscall.EPERM) && runtime.GOOS == "linux" {
		return d.makeMutable(about.Path)
	}
	info, lerr := os.Lstat(about.Path)
	if lerr != nil {
		return ""
	}
	isLink, isFolder := info.Mode()&fs.ModeSymlink != 0, about.Path == d.settings.Dir
	if isLink && isFolder { // which is allowed
		target, err := os.Stat(about.Path)
		if err != nil {
			return d.makeTarget(about.Path)
		}
		info, isLink = target, false
	}
	unsafe, damaged := errors.Is(err, fallback.ErrUnsafe), errors.Is(err, fallback.ErrDamaged)
	uid, mine := ownerOf(info)
	switch {
	case damaged && about.Path == fallback.Open(d.settings.Dir).SessionPath():
		return "cre logout"
	case unsafe && !isLink && !mine:
		return d.ownerRemedy(about.Path, uid)
	case unsafe && !isLink && isFolder == info.IsDir() && othersMayWrite(info):
		return d.shell.command("chmod", "go-w", "--", about.Path)
	case damaged, unsafe:
		return d.shell.moveAside(about.Path)
	case errors.Is(err, syscall.EACCES) && mine && runtime.GOOS != "windows":
		return d.shell.command("chmod", "u+rwx", "--", d.settings.Dir)
	}
	return ""
}

// makeMutable takes the attribute from the folder and from what is in it that
// nothing is renamed to, of which the error doesn't say which one has it.
func (d desk) makeMutable(path string) string {
	words := []string{"chattr", "-i", "--", d.settings.Dir}
	if fileExists(path) {
		words = append(words, path)
	}
	return d.sudo(d.shell.command(words...))
}

// makeTarget makes the folder that a link names and that isn't there.
func (d desk) makeTarget(link string) string {
	target, err := os.Readlink(link)
	if err != nil {
		return ""
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(link), target)
	}
	return d.shell.command("mkdir", "-p", "-m", "700", "--", target)
}

// othersMayWrite is false on Windows, where modes say nothing.
func othersMayWrite(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0
}

// ownerRemedy is for what belongs to somebody else. Where the whole home does, this
// program was started as the wrong user.
func (d desk) ownerRemedy(path string, uid int) string {
	home, err := os.Stat(d.Home)
	if err != nil {
		return ""
	}
	if homeOwner, mine := ownerOf(home); !mine {
		return d.shell.command("sudo", "-H", "-u", fmt.Sprintf("#%d", homeOwner), d.Self, "doctor")
	}
	if uid >= 0 && os.Geteuid() != 0 {
		return d.shell.command("sudo", "chown", "-R", fmt.Sprint(os.Geteuid()), "--", path)
	}
	return d.shell.moveAside(path)
}

// sudo runs a command as root.
func (d desk) sudo(command string) string {
	if os.Geteuid() == 0 {
		return command
	}
	return "sudo " + command
}

// readable warns of a file that others could read the session in. Whatever writes
// it tightens it, as the look at the files has done.
func readable(path string) (Finding, bool) {
	info, err := os.Lstat(path)
	if err != nil || runtime.GOOS == "windows" || !info.Mode().IsRegular() || info.Mode().Perm()&0o044 == 0 {
		return Finding{}, false
	}
	return warning("%s could be read by other users until now: somebody may have the session", path).
		advise("log in again, which ends that session").run("cre login"), true
}
