package lists

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"time"
)

// watch looks for changes of files until ctx ends.
func (s *Set) watch(ctx context.Context) {
	defer close(s.done)
	ticker := time.NewTicker(s.cfg.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, l := range s.files() {
			if ctx.Err() != nil {
				return
			}
			l.look(s.cfg.Log)
		}
	}
}

// look reads the file of l if it has changed. It is read when it has stayed as it is
// from one look to the next, so that nobody is still writing to it.
func (l *List) look(log *slog.Logger) {
	info, err := regular(l.spec.Path)
	switch {
	case err != nil:
	case same(info, l.loaded):
		err = l.broken
	case l.seen == nil || !same(info, l.seen):
		l.seen = info
		return
	default:
		begun := time.Now()
		if err = l.readFile(info); err == nil {
			log.Info("list read", "list", l.spec.Name, "entries", l.Status().Entries, "took", time.Since(begun))
		}
	}
	before, anew := l.fails(err), l.loaded == info
	switch {
	case err == nil && before != nil:
		log.Info("list in use again", "list", l.spec.Name)
	case err != nil && (anew || before == nil || before.Error() != err.Error()):
		log.Error("list not read, the one before stays in use", "list", l.spec.Name, "error", err)
	}
}

// same reports whether a file is the one that it was, and has not changed.
func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
