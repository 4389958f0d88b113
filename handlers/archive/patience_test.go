package archive

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"millstream/handlers"
)

// What hangs is given up when its time is over, and finished when it does not hang any
// more. While too much hangs nothing else is begun.
func TestHangs(t *testing.T) {
	box := newBox(t, t.TempDir(), nil)
	settings := Defaults()
	settings.Maildir = box.path
	synctest.Test(t, func(t *testing.T) {
		f := &filter{dir: newMaildir(settings, ""), log: slog.New(slog.NewTextHandler(&box.log, nil))}
		free, begun, late := make(chan struct{}), make(chan bool, 2*maxHanging), make(chan bool, 2*maxHanging)
		hang := func(*letter) error { begun <- true; <-free; return nil }
		over, cancel := context.WithCancelCause(t.Context())
		cancel(handlers.ErrTimeout)
		for i := range maxHanging + 3 {
			p := &place{&letter{dir: f.dir}}
			old := p.letter
			err := f.patient(over, p, hang, func(l *letter) error { late <- l == old; return nil })
			if !errors.Is(err, handlers.ErrTimeout) || !strings.Contains(err.Error(), box.path) {
				t.Errorf("%d: %v", i, err)
			}
			if p.letter == old || p.fate != dropped {
				t.Errorf("%d: the letter is still there", i)
			}
			synctest.Wait()
		}
		if len(begun) != maxHanging || len(late) != 3 {
			t.Errorf("%d are begun, and %d finished", len(begun), len(late))
		}
		close(free)
		synctest.Wait()
		if len(late) != maxHanging+3 || f.dir.hanging.Load() != 0 {
			t.Errorf("%d are finished, and %d hang", len(late), f.dir.hanging.Load())
		}
		for range len(late) {
			if !<-late {
				t.Error("another letter was finished")
			}
		}
		if err := f.patient(t.Context(), &place{&letter{dir: f.dir}}, hang, nil); err != nil || len(begun) != maxHanging+1 {
			t.Errorf("%d are begun, %v", len(begun), err)
		}
	})
	if got := strings.Count(box.log.String(), "the maildir hangs"); got != 1 {
		t.Errorf("%d lines: %s", got, &box.log)
	}
}

// What belongs to a message that was given up is waited for: the session does so too.
func TestHangsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &filter{dir: newMaildir(Defaults(), "")}
		free, done := make(chan struct{}), make(chan error, 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(handlers.ErrAborted)
		p := &place{&letter{dir: f.dir}}
		go func() { done <- f.patient(ctx, p, func(*letter) error { <-free; return errors.ErrUnsupported }, nil) }()
		synctest.Wait()
		if len(done) > 0 {
			t.Error("it was not waited for")
		}
		close(free)
		if err := <-done; !errors.Is(err, errors.ErrUnsupported) {
			t.Error(err)
		}
	})
}

// A panic is a failure of the message, as in any handler.
func TestPanicIsFailure(t *testing.T) {
	f := &filter{dir: newMaildir(Defaults(), "")}
	err := f.patient(t.Context(), &place{&letter{dir: f.dir}}, func(*letter) error { panic("broken") }, nil)
	if p, ok := errors.AsType[*handlers.PanicError](err); !ok || p.Value != "broken" {
		t.Error(err)
	}
}
