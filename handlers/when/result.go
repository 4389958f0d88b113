package when

import (
	"fmt"
	"sync"

	"millstream/handlers"
)

// A Verdict is what a handler has found out about a message, for result.
type Verdict struct {
	Word   string // such as "spam", or the status of the answer: "reject"; empty if there is nothing to say
	Failed bool
}

// Report notes what a handler found out, for the result of expressions that are
// decided later. It is for handlers that tell more than their answers do. A word
// replaces the last one; a failure stays.
func Report(s *handlers.Session, name string, v Verdict) {
	key := shelfKey(name)
	old := verdictOf(s, key)
	v.Failed = v.Failed || old.Failed
	if v.Word == "" {
		v.Word = old.Word
	}
	if v != old {
		s.Shelf().Set(key, v)
	}
}

// shelfKey returns where on the shelf the verdict of a handler stands.
func shelfKey(name string) string { return "result " + name }

func verdictOf(s *handlers.Session, key string) Verdict {
	kept, _ := s.Shelf().Get(key)
	v, _ := kept.(Verdict)
	return v
}

// Record returns h with its answers noted for result: an answer that is more than to
// go on, by the word for its status, and a failure. It stands inside of what hides the
// answers of h from the chain: a handler that refuses a message for all ends it, and
// no expression is asked after it.
//
// What h answers before a message begins counts for every message of the connection.
func Record(name string, h handlers.Handler) handlers.Handler {
	if h == nil {
		panic(fmt.Errorf("%w: handler of Record", handlers.ErrNull))
	}
	r := &recorder{h: h, name: name, wants: h.Wants(), taken: takes(h)}
	const early = 1<<handlers.KindConnect | 1<<handlers.KindHelo
	if r.wants.Replies&early != 0 {
		r.early = new(sync.Map)
		r.wants.Events |= handlers.Of(handlers.KindEnvelopeFrom, handlers.KindFinished)
	}
	return r
}

// recorder is a handler whose answers are noted.
type recorder struct {
	h     handlers.Handler
	name  string
	wants handlers.Wants
	taken handlers.Kinds
	early *sync.Map // Verdict by the ID of the session: of connect and helo; nil if h does not answer them
}

// Wants is [handlers.Handler].
func (r *recorder) Wants() handlers.Wants { return r.wants }

// Handle is [handlers.Handler].
func (r *recorder) Handle(s *handlers.Session, ev handlers.Event) handlers.Reply {
	kind := handlers.KindOf(ev)
	if r.early != nil {
		r.carry(s, kind)
	}
	if !r.taken.Has(kind) {
		return handlers.Reply{}
	}
	return r.h.Handle(s, ev).Then(func(answer handlers.Reply) handlers.Reply {
		r.note(s, kind, answer)
		return answer
	})
}

// carry takes what was found out before the message to the shelf of the message.
func (r *recorder) carry(s *handlers.Session, kind handlers.Kind) {
	switch kind {
	case handlers.KindEnvelopeFrom:
		if v, ok := r.early.Load(s.ID()); ok {
			Report(s, r.name, v.(Verdict))
		}
	case handlers.KindFinished:
		r.early.Delete(s.ID())
	}
}

// note notes an answer.
func (r *recorder) note(s *handlers.Session, kind handlers.Kind, answer handlers.Reply) {
	v := Verdict{Failed: answer.Failed()}
	if !v.Failed && !answer.Status().IsPass() && answer.Status() != handlers.NoReply.Status() && answer.Status() != handlers.Skip.Status() {
		v.Word = answer.Status().String()
	}
	if v == (Verdict{}) || !r.wants.Replies.Has(kind) || kind == handlers.KindNegotiate {
		return
	}
	Report(s, r.name, v)
	if kind == handlers.KindConnect || kind == handlers.KindHelo {
		r.early.Store(s.ID(), verdictOf(s, shelfKey(r.name)))
	}
}

// takes returns the events that h is to be told of: those it wants, without those that
// it only has sent. Blocking counts just these as answered.
func takes(h handlers.Handler) handlers.Kinds { return handlers.Blocking(h).Wants().Replies }
