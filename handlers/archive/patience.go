package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"millstream/handlers"
)

// maxHanging is how many functions may hang in a maildir. Each holds a thread until the
// disk answers, so the next ones fail at once.
const maxHanging = 16

// A place is where the shelf has the letter of a message. A letter that nobody waits for
// any more is the function's that has it in hand, and another one takes its place.
type place struct{ *letter }

// patient has something done with the letter of p that may hang. It waits until that is
// done, but no longer than the handler has time: then the letter is given up, and late is
// called when it is done after all; late alone, if so much hangs that it is not begun. A
// message that was given up is no reason to stop waiting: its session waits anyway.
func (f *filter) patient(ctx context.Context, p *place, do func(*letter) error, late func(*letter) error) error {
	l, d := p.letter, f.dir
	done := make(chan error, 1)
	if d.hanging.Load() < maxHanging {
		go func() { done <- safely(l, do) }()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
		}
		if !errors.Is(context.Cause(ctx), handlers.ErrTimeout) {
			return <-done
		}
	} else {
		done <- nil
	}
	p.letter = &letter{dir: d, fate: dropped}
	if d.hanging.Add(1) == 1 {
		f.log.WarnContext(ctx, "the maildir hangs: copies are given up until it answers; see to the disk it is on", "maildir", d.path)
	}
	go func() {
		defer d.hanging.Add(-1)
		if err := errors.Join(<-done, safely(l, late)); err != nil {
			f.log.LogAttrs(context.WithoutCancel(ctx), slog.LevelWarn, "a copy that was given up could not be finished", slog.Any("error", mend(err)))
		}
	}()
	return fmt.Errorf("the maildir %s hangs: %w: see to the disk it is on", d.path, handlers.ErrTimeout)
}

// safely returns what f returns; a panic is an error.
func safely(l *letter, f func(*letter) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &handlers.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f(l)
}
