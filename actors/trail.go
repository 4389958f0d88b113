package actors

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// Limits of a [Timeline]: a message of ten thousand headers must not cost memory.
const (
	maxStages = 64
	maxVisits = 64
)

// A Timeline is what happened to one message, and when. Nothing of the content of the
// mail is in it but what its Result has.
type Timeline struct {
	Session  uint64
	Peer     protocol.Addr // the MTA
	Listener string
	TraceID  string // empty if the message is in no trace
	SpanID   string // of the message
	QueueID  string // empty if the MTA gave none
	Host     string // of the SMTP client
	Client   protocol.Addr
	Helo     string
	Result   *handlers.Result
	Stages   []Stage
	Visits   []Visit // in the order in which they ended
	Errors   []error
}

// A Stage is an event of a message, or several alike one after the other.
type Stage struct {
	Event  handlers.Kind
	Count  int
	At     time.Duration // since the message began
	Took   time.Duration // in handlers, waiting included; all together
	Status protocol.Status
	Silent bool // the MTA did not wait for an answer
}

// A Visit is a call of a named handler, or several alike one after the other: see
// [handlers.Named].
type Visit struct {
	Handler string
	Event   handlers.Kind
	Count   int
	At      time.Duration // since the message began
	Took    time.Duration // all together
	Status  protocol.Status
	Failed  bool
}

// A trail is what telemetry keeps of a session. It is that of the actor, but for the
// visits, which handlers make from goroutines of their own.
type trail struct {
	s        *session
	t        *telemetry
	spans    spans
	measured bool        // measurements are taken
	timed    atomic.Bool // each call of a named handler is to be known
	began    time.Time   // the message under way, or the session
	stages   []Stage
	waited   time.Duration // that the MTA has waited for answers
	errs     []error
	visitMu  sync.Mutex
	visits   []Visit
	parent   context.Context //nolint:containedctx // of the spans of handlers; nil if they have none
	atWork   *visit          // the handler that has begun last and not ended; nil if there is none
}

// handler returns the name of the handler that is at work. t may be nil.
func (t *trail) handler() string {
	if t == nil {
		return ""
	}
	t.visitMu.Lock()
	defer t.visitMu.Unlock()
	if t.atWork == nil {
		return ""
	}
	return t.atWork.name
}

// begin begins a message.
func (t *trail) begin(at time.Time) {
	t.spans.beginMessage(t, at)
	t.visitMu.Lock()
	t.began = at // handlers of the message before may still be at work
	t.visitMu.Unlock()
	t.forget()
}

// exact reports whether the time of each event is to be known, also of those that the
// MTA does not wait for.
func (t *trail) exact() bool { return t.spans.live || t.t.told }

// forget clears what is kept of a message.
func (t *trail) forget() {
	t.stages, t.waited, t.errs = t.stages[:0], 0, nil
	t.visitMu.Lock()
	defer t.visitMu.Unlock()
	t.visits = t.visits[:0]
	t.adopted()
}

// adopted has the handlers that are called from now on be called within the innermost
// span. The caller holds visitMu.
func (t *trail) adopted() {
	t.parent = nil
	if t.spans.live {
		t.timed.Store(true)
		t.parent = t.spans.context()
	}
}

// answered notes the answer to the event under way.
func (t *trail) answered(kind handlers.Kind, o *outcome) {
	e := Stage{
		Event: kind, Count: 1, At: t.s.begun.Sub(t.began), Took: o.took, Status: o.Status,
		Silent: o.Answer == protocol.StatusDefault && kind != handlers.KindNegotiate,
	}
	if !e.Silent {
		t.waited += e.Took
		if t.measured {
			t.t.stage(t.spans.context(), &e)
		}
	}
	if n := len(t.stages); n > 0 {
		last := &t.stages[n-1]
		if last.Event == e.Event && last.Status == e.Status && last.Silent == e.Silent || n == maxStages {
			last.Count++
			last.Took += e.Took
			return
		}
	}
	t.stages = append(t.stages, e)
}

// visited notes a call of a named handler, during the message that began at a time.
func (t *trail) visited(v Visit, began time.Time) {
	t.visitMu.Lock()
	defer t.visitMu.Unlock()
	t.atWork = nil
	if !began.Equal(t.began) { // it took so long that its message is over
		return
	}
	if n := len(t.visits); n > 0 {
		last := &t.visits[n-1]
		if last.Handler == v.Handler && last.Event == v.Event && last.Status == v.Status && last.Failed == v.Failed || n == maxVisits {
			last.Count++
			last.Took += v.Took
			return
		}
	}
	t.visits = append(t.visits, v)
}

// failed notes an error of a kind.
func (t *trail) failed(err error, kind string) {
	t.t.fault(t.spans.context(), kind)
	if len(t.errs) < maxVisits {
		t.errs = append(t.errs, err)
	}
}

// processed takes stock of a message: its spans are made if they are to be kept, its
// measurements are taken, and who wants the timeline gets it.
func (t *trail) processed(o *handlers.Outcome) {
	var line *Timeline
	why := t.why(o)
	if why == "" && t.spans.latent.wanted() {
		why = keepLinked
	}
	kept := t.spans.live || t.spans.possible && why != ""
	tell := t.s.sys.cfg.Timelines
	if kept || tell != nil {
		line = t.timeline()
	}
	if kept {
		t.spans.endMessage(t, line, why)
		t.visitMu.Lock()
		t.adopted()
		t.visitMu.Unlock()
	}
	t.t.message(t.spans.context(), o, t.waited)
	if tell != nil {
		tell(line)
	}
}

// ended ends a message, when all has been told of it.
func (t *trail) ended() {
	t.spans.messageCtx, t.spans.latent = nil, nil //nolint:fatcontext // it ends here, and does not grow
	t.forget()
}

// timeline returns what is known of the message that has ended.
func (t *trail) timeline() *Timeline {
	c := t.s.control
	f, r, queueID := c.Facts(), c.Result(t.s.loop.stamp), c.Macro("i")
	t.visitMu.Lock() // last: a visit may end under the lock of the control
	defer t.visitMu.Unlock()
	return &Timeline{
		Session: t.s.id, Peer: f.Peer, Listener: f.Listener, QueueID: queueID,
		Host: f.Host, Client: f.Client, Helo: f.Helo, Result: r,
		Stages: append([]Stage(nil), t.stages...), Visits: append([]Visit(nil), t.visits...),
		Errors: t.errs,
	}
}
