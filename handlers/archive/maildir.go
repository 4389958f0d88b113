package archive

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maildir is a directory of mail, as maildir(5) has it. Its methods may block, and may be
// called from any goroutine.
type maildir struct {
	path              string
	layout            string // of the name of a folder; "" for none
	fileMode, dirMode fs.FileMode
	sync              bool
	host              string
	swept             atomic.Int64 // when tmp was last looked at, in seconds
	hanging           atomic.Int32 // functions that nobody waits for any more
}

// The parts of a maildir. What has the last of them has all.
var parts = [...]string{"tmp", "cur", "new"}

const (
	sweepEvery = time.Hour
	tmpLife    = 36 * time.Hour // maildir(5)
)

// ourName fits the names of files that this package makes.
var ourName = regexp.MustCompile(`^\d+\.M\d{6}P\d+R[0-9a-f]{16}\.`)

// newMaildir returns the maildir of settings that were checked.
func newMaildir(s *Settings, layout string) *maildir {
	d := &maildir{path: filepath.Clean(s.Maildir), layout: layout, sync: s.Sync, host: "localhost"}
	d.fileMode, _ = parseMode(s.FileMode, 0)
	d.dirMode, _ = parseMode(s.DirMode, 0)
	if host, err := os.Hostname(); err == nil && host != "" {
		d.host = strings.NewReplacer("/", `\057`, ":", `\072`).Replace(host)
	}
	return d
}

// check returns why d cannot be used; nil if it seems that it can. It makes nothing.
func (d *maildir) check() error {
	entries, err := os.ReadDir(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: make it, and give it to the user of the server", err)
	case err != nil:
		return mend(err)
	}
	var found, others []string
	for _, e := range entries {
		if slices.Contains(parts[:], e.Name()) {
			found = append(found, e.Name())
		} else {
			others = append(others, e.Name())
		}
	}
	if len(found) < len(parts) && len(others) > 0 {
		return fmt.Errorf("%s is no maildir, it has %q: name an empty directory, or one with cur, new and tmp", d.path, others[0])
	}
	needed := []string{d.path}
	for _, part := range found {
		needed = append(needed, filepath.Join(d.path, part))
	}
	for _, path := range needed {
		if err := unix.Access(path, unix.W_OK|unix.X_OK); err != nil {
			return mend(&fs.PathError{Op: "access", Path: path, Err: err})
		}
	}
	return nil
}

// create makes a file of a new name in tmp.
func (d *maildir) create() (*os.File, error) {
	path := filepath.Join(d.path, "tmp", d.name())
	file, err := d.newFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = d.furnish(d.path); err == nil {
			file, err = d.newFile(path)
		}
	}
	return file, err
}

// newFile makes a file that is not there yet.
func (d *maildir) newFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, d.fileMode)
	if err != nil {
		return nil, err
	}
	if err := file.Chmod(d.fileMode); err != nil { // whatever the umask is
		return nil, errors.Join(err, file.Close(), os.Remove(path))
	}
	return file, nil
}

// name returns a name that no other file has.
func (d *maildir) name() string {
	now, chance := time.Now(), make([]byte, 8)
	_, _ = rand.Read(chance) // does not fail
	return fmt.Sprintf("%d.M%06dP%dR%s.%s", now.Unix(), now.Nanosecond()/1000, os.Getpid(), hex.EncodeToString(chance), d.host)
}

// folder returns the directory that files of a time are moved to. What is missing is made.
func (d *maildir) folder(t time.Time) (string, error) {
	path := d.path
	if d.layout != "" {
		path = filepath.Join(path, t.Format(d.layout))
	}
	target := filepath.Join(path, parts[len(parts)-1])
	_, err := os.Stat(target)
	if !errors.Is(err, fs.ErrNotExist) {
		return target, err
	}
	if path != d.path {
		if err := d.furnishFolder(path); err != nil {
			return "", err
		}
	}
	return target, d.furnish(path)
}

// furnishFolder makes a folder, without its parts. The mark is that of Maildir++.
func (d *maildir) furnishFolder(path string) error {
	if err := d.mkdir(path); err != nil {
		return err
	}
	mark, err := d.newFile(filepath.Join(path, "maildirfolder"))
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	return mark.Close()
}

// furnish makes the parts of a maildir or folder.
func (d *maildir) furnish(path string) error {
	for _, part := range parts {
		if err := d.mkdir(filepath.Join(path, part)); err != nil {
			return err
		}
	}
	return nil
}

// mkdir makes a directory, if it is not there.
func (d *maildir) mkdir(path string) error {
	err := os.Mkdir(path, d.dirMode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	if err := os.Chmod(path, d.dirMode); err != nil { // whatever the umask is
		return err
	}
	return d.settle(filepath.Dir(path))
}

// deliver moves a file from tmp to the directory that folder returned.
func (d *maildir) deliver(file, target string) error {
	if err := os.Rename(file, filepath.Join(target, filepath.Base(file))); err != nil {
		return err
	}
	return d.settle(target)
}

// settle waits until the names in a directory are on the disk, if that is asked for.
func (d *maildir) settle(path string) error {
	if !d.sync {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// sweep removes our files in tmp that nobody has touched for long, if that was not done
// of late.
func (d *maildir) sweep(now time.Time) error {
	last := d.swept.Load()
	if now.Sub(time.Unix(last, 0)) < sweepEvery || !d.swept.CompareAndSwap(last, now.Unix()) {
		return nil
	}
	tmp := filepath.Join(d.path, "tmp")
	entries, err := os.ReadDir(tmp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // who writes there next will tell
	}
	for _, e := range entries {
		if !ourName.MatchString(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		info, gone := e.Info()
		if gone != nil || now.Sub(info.ModTime()) <= tmpLife {
			continue
		}
		if rest := os.Remove(filepath.Join(tmp, e.Name())); rest != nil && !errors.Is(rest, fs.ErrNotExist) {
			err = errors.Join(err, rest)
		}
	}
	return err
}

// mend returns err with what an administrator can do about it.
func mend(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: make room there", err)
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: make the directory, or mount what it is on", err)
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: let the user of the server write there", err)
	}
	return err
}
