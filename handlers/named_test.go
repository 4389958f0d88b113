package handlers_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

var errBroken = errors.New("broken")

// refusing answers the sender with r.
func refusing(r handlers.Reply) handlers.Handler {
	return handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply { return r })
}

// The result of a message tells whose answer has decided it, and what the SMTP client
// saw.
func TestNamed(t *testing.T) {
	later := handlers.Go(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
		return handlers.TempFail.With(451, "4.7.1", "later")
	})
	tests := []struct {
		name      string
		h         handlers.Handler
		by, reply string
	}{
		{"nobody", handlers.Named("a", refusing(handlers.Continue)), "", ""},
		{"reject", handlers.Named("a", refusing(handlers.Reject.With(550, "5.7.1", "no"))), "a", "550 5.7.1 no"},
		{"accept", handlers.Named("a", refusing(handlers.Accept)), "a", ""},
		{"a pending answer", handlers.Named("a", later), "a", "451 4.7.1 later"},
		{"failed", handlers.Named("a", refusing(handlers.Failed(errBroken))), "a", ""},
		{"the inner name", handlers.Named("a", handlers.Named("b", refusing(handlers.Reject))), "b", ""},
		{"off the loop", handlers.Blocking(handlers.Named("a", refusing(handlers.Discard))), "a", ""},
		{"in a chain", handlers.Chain(
			handlers.Named("a", refusing(handlers.Continue)), handlers.Named("b", refusing(handlers.Reject)),
		), "b", ""},
		{"without a name", refusing(handlers.Reject), "", ""},
	}
	for _, tt := range tests {
		s := handlertest.New(t, tt.h)
		s.Send(handlertest.Mail{From: "<a@example.com>", To: []string{"<b@example.net>"}})
		r := s.Results()
		if len(r) != 1 || r[0].By != tt.by || r[0].Reply != tt.reply {
			t.Errorf("%s: by %q, reply %q; want %q, %q", tt.name, r[0].By, r[0].Reply, tt.by, tt.reply)
		}
	}
}

// A watcher notes the visits, and gives them a context of their own.
type watcher struct {
	mu    sync.Mutex
	notes []string
}

type visitKey struct{}

func (w *watcher) note(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes = append(w.notes, s)
}

func (w *watcher) Enter(name string, kind handlers.Kind) (handlers.Visit, bool) {
	if name == "ignored" {
		return nil, false
	}
	w.note("enter " + name + " " + kind.String())
	return visited{w, name}, name != "untraced"
}

func (w *watcher) Await(name string, kind handlers.Kind) handlers.Visit {
	if kind == handlers.KindHelo {
		return nil
	}
	w.note("await " + name + " " + kind.String())
	return visited{w, name}
}

type visited struct {
	w    *watcher
	name string
}

func (v visited) Context(parent context.Context) context.Context {
	return context.WithValue(parent, visitKey{}, v.name)
}

func (v visited) Leave(r handlers.Reply) {
	v.w.note("leave " + v.name + " " + r.Status().String())
}

// What a named handler does is told when it begins and when its answer is known, and its
// context is its own, wherever it works.
func TestWatch(t *testing.T) {
	w := &watcher{}
	seen := func(ctx context.Context) {
		name, _ := ctx.Value(visitKey{}).(string)
		w.note("in " + name)
	}
	inline := handlers.On(func(s *handlers.Session, _ *protocol.MailFrom) handlers.Reply {
		seen(s.Context())
		return handlers.Continue
	})
	away := handlers.Go(func(s *handlers.Session, _ *protocol.MailFrom) handlers.Reply {
		seen(s.Context())
		s.Shelf().Set("key", 1) // the event goes on
		return handlers.Continue
	})
	async := handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
		return handlers.Async(func(ctx context.Context) handlers.Reply {
			seen(ctx)
			return handlers.Reject
		})
	})
	h := handlers.Chain(
		handlers.Named("inline", inline), handlers.Named("ignored", inline), handlers.Named("untraced", inline),
		handlers.Named("away", away), handlers.Named("async", async),
	)
	s := handlertest.New(t, h)
	s.Control().Watch(w)
	s.Do(&protocol.MailFrom{Addr: protocol.View("<a@example.com>")})
	want := []string{
		"enter inline envelope-from", "in inline", "leave inline continue", "in ",
		"enter untraced envelope-from", "in ", "leave untraced continue",
		"enter away envelope-from", "in away", "leave away continue",
		"enter async envelope-from", "in async", "leave async reject",
	}
	if !slices.Equal(w.notes, want) {
		t.Errorf("notes %q, want %q", w.notes, want)
	}
}

// A handler that was let go by is told of when its answer is awaited.
func TestWatchAwait(t *testing.T) {
	w := &watcher{}
	pass := handlers.Go(func(*handlers.Session, *protocol.MailFrom) handlers.Reply { return handlers.Reject })
	none := handlers.Go(func(*handlers.Session, *protocol.Helo) handlers.Reply { return handlers.Continue })
	s := handlertest.New(t, handlers.Named("ignored", handlers.Chain(pass, none)))
	s.Control().Watch(w)
	s.Do(&protocol.Helo{Name: protocol.View("a.example")})
	s.Do(&protocol.MailFrom{Addr: protocol.View("<a@example.com>")})
	if want := []string{"await ignored envelope-from", "leave ignored reject"}; !slices.Equal(w.notes, want) {
		t.Errorf("notes %q, want %q", w.notes, want)
	}
}

// A visit ends even if the handler panics.
func TestWatchPanic(t *testing.T) {
	w := &watcher{}
	s := handlertest.New(t, handlers.Named("bad", handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
		panic(errBroken)
	})))
	s.Control().Watch(w)
	s.Do(&protocol.MailFrom{Addr: protocol.View("<a@example.com>")})
	if want := []string{"enter bad envelope-from", "leave bad tempfail"}; !slices.Equal(w.notes, want) {
		t.Errorf("notes %q, want %q", w.notes, want)
	}
}

// A visit ends with its event if nobody waits for its answer any more.
func TestWatchUnwanted(t *testing.T) {
	for cause, want := range map[error]string{handlers.ErrTimeout: "tempfail", handlers.ErrAborted: "abort"} {
		w := &watcher{}
		c := handlers.NewControl(t.Context(), handlers.Facts{}, nil)
		c.Watch(w)
		s := c.Begin(t.Context())
		r := c.Call(handlers.Named("late", handlers.Go(func(*handlers.Session, *protocol.MailFrom) handlers.Reply {
			return handlers.Accept
		})), s, &protocol.MailFrom{Addr: protocol.View("<a@example.com>")})
		c.Over(cause)
		var next func() handlers.Reply
		c.Run(s, r, func(f func()) { f() }, func(f func() handlers.Reply) { next = f })
		next() // the answer comes after all
		if notes := []string{"enter late envelope-from", "leave late " + want}; !slices.Equal(w.notes, notes) {
			t.Errorf("%v: notes %q, want %q", cause, w.notes, notes)
		}
	}
}
