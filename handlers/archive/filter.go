package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// filter makes the copies. It is shared by all sessions; what belongs to a message is on
// its shelf.
type filter struct {
	dir      *maildir // nil for none
	bcc      string   // with brackets; "" for none
	maxSize  int64    // 0 is no limit
	tooLarge string
	log      *slog.Logger
	key      string    // on the shelf
	early    sync.Once // it was said that a message was accepted too early
}

// handler returns f as a handler.
func (f *filter) handler(exact bool) handlers.Handler {
	f.key = fmt.Sprintf("archive %p", f)
	hs := []handlers.Handler{
		handlers.Need(handlers.KindEnvelopeRecipient),
		handlers.Observe(f.header),
		handlers.On(f.body),
		handlers.On(f.end),
		outcome{f},
	}
	if exact {
		hs = append(hs, handlers.On(askExact))
	}
	return handlers.Chain(hs...)
}

// askExact asks the MTA to leave nothing out of headers.
func askExact(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
	n.SetSteps(n.Steps() | protocol.StepHeaderLeadingSpace)
	return handlers.Continue
}

// addRecipient is the end of a message without a copy in a maildir.
func (f *filter) addRecipient(_ *handlers.Session, m *handlers.Message) handlers.Reply {
	m.AddRecipient(f.bcc)
	return handlers.Continue
}

// kept returns where the letter of the message is; nil if there is none.
func (f *filter) kept(s *handlers.Session) *place {
	kept, _ := s.Shelf().Get(f.key)
	p, _ := kept.(*place)
	return p
}

// letterOf returns where the letter of the message is, which may be new.
func (f *filter) letterOf(s *handlers.Session) *place {
	p := f.kept(s)
	if p == nil {
		p = &place{&letter{dir: f.dir, limit: f.maxSize, cuts: f.maxSize > 0 && f.tooLarge == tooLargeTruncate}}
		s.Shelf().Set(f.key, p)
	}
	return p
}

func (f *filter) header(s *handlers.Session, h *protocol.Header) {
	f.letterOf(s).addHeader(h.Name, h.Value, s.Options().Steps.Has(protocol.StepHeaderLeadingSpace))
}

func (f *filter) body(s *handlers.Session, b *protocol.Body) handlers.Reply {
	l := f.letterOf(s)
	l.addBody(b.Chunk, false)
	if err := f.judge(s, l.letter); err != nil {
		return handlers.Failed(err)
	}
	switch {
	case l.fate != gathering:
		return handlers.Skip
	case len(l.buf) < spillAt:
		return handlers.Continue
	}
	return f.write(s, l, (*letter).spill)
}

func (f *filter) end(s *handlers.Session, m *handlers.Message) handlers.Reply {
	if f.bcc != "" {
		m.AddRecipient(f.bcc)
	}
	l := f.letterOf(s)
	l.addBody(m.Chunk(), true)
	if err := f.judge(s, l.letter); err != nil {
		return handlers.Failed(err)
	}
	if l.fate == dropped {
		return handlers.Continue
	}
	return f.write(s, l, (*letter).finish)
}

// judge decides about a letter that has grown. What fails is an error once: if the
// message goes on in spite of it, it does so without a copy.
func (f *filter) judge(s *handlers.Session, l *letter) error {
	switch {
	case l.fate != gathering:
		return nil
	case l.overHeader && !l.overLimit:
		l.fate = dropped
		return fmt.Errorf("archive: the header is longer than the %d bytes that are kept: have the MTA refuse such messages", maxHeader)
	case !l.overLimit:
		return nil
	case f.tooLarge == tooLargeFail:
		l.fate = dropped
		return fmt.Errorf("archive: the message is larger than the %d bytes of max_size: raise it, or have too_large skip or truncate", f.maxSize)
	case f.tooLarge == tooLargeTruncate:
		l.fate = cut
		f.logOf(s).WarnContext(s.Context(), "a copy was cut: its message is larger than max_size", "max_size", f.maxSize)
	default:
		l.fate = dropped
		f.logOf(s).WarnContext(s.Context(), "there is no copy of a message that is larger than max_size", "max_size", f.maxSize)
	}
	return nil
}

// logOf returns the log for lines about a message.
func (f *filter) logOf(s *handlers.Session) *slog.Logger {
	return f.log.With("session", s.ID(), "qid", s.QueueID())
}

// write has something of a letter written off the event loop. What is written for nobody,
// or not well, is dropped.
func (f *filter) write(s *handlers.Session, p *place, do func(*letter) error) handlers.Reply {
	if p.file == nil {
		p.result = s.Result()
	}
	return handlers.Async(func(ctx context.Context) handlers.Reply {
		return failedIf(f.patient(ctx, p, func(l *letter) error {
			err := do(l)
			if err != nil || ctx.Err() != nil {
				err = errors.Join(err, l.drop())
			}
			return err
		}, (*letter).drop))
	})
}

// failedIf returns the reply to an error of the maildir, or to none.
func failedIf(err error) handlers.Reply {
	if err == nil {
		return handlers.Continue
	}
	return handlers.Failed(fmt.Errorf("archive: %w", mend(err)))
}

// outcome is told what became of messages. Unlike a function of Observe it leaves the
// event loop only if there is something of a letter, and can fail.
type outcome struct{ f *filter }

// Wants is [handlers.Handler].
func (outcome) Wants() handlers.Wants {
	kinds := handlers.Of(handlers.KindMessageProcessed)
	return handlers.Wants{Events: kinds, Replies: kinds}
}

// Handle is [handlers.Handler].
func (o outcome) Handle(s *handlers.Session, ev handlers.Event) handlers.Reply {
	r, ok := ev.(*handlers.Result)
	if !ok {
		return handlers.Reply{}
	}
	l := o.f.kept(s)
	accepted := r.Status == protocol.StatusAccept
	if accepted && (l == nil || l.fate == gathering || l.fate == cut) {
		o.f.early.Do(func() {
			o.f.logOf(s).WarnContext(s.Context(),
				"a message that was accepted before the archive saw its end has no copy: put the archive before what accepts", "by", r.By)
		})
	}
	if l == nil || l.fate == dropped && l.path == "" {
		return handlers.Reply{}
	}
	taken := accepted || r.Status.IsPass()
	return handlers.Async(func(ctx context.Context) handlers.Reply {
		conclude := func(l *letter) error { return l.conclude(taken) }
		return failedIf(o.f.patient(ctx, l, conclude, func(l *letter) error {
			if l.fate == dropped { // it is concluded
				return nil
			}
			return conclude(l)
		}))
	})
}

// conclude ends a letter whose message was taken or not.
func (l *letter) conclude(taken bool) error {
	var err error
	if taken && l.fate == whole {
		err = l.deliver()
	} else {
		err = l.drop()
	}
	return errors.Join(err, l.dir.sweep(time.Now()))
}
