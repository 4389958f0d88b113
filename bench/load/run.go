package load

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"millstream/netio/mta"
	"millstream/protocol"
)

// Run loads a milter and returns what that has shown. progress, which may be nil, is
// called once a second. The end of ctx ends the run; what it has shown until then is
// returned without an error.
//
// The error is protocol.ErrInvalidArgument for a mistake in cfg. It is what was in
// the way if not one session could be opened; the result, with that among its
// errors, is then returned too.
func Run(ctx context.Context, cfg Config, progress func(Progress)) (*Result, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	r, err := newRunner(&cfg)
	if err != nil {
		return nil, err
	}
	if progress == nil {
		progress = func(Progress) {}
	}
	return r.run(ctx, progress)
}

// A runner is a run under way.
type runner struct {
	cfg      Config
	base     time.Time
	target   target
	offer    []byte
	expected uint64 // the bits of Expect
	dialogs  dialogs
	workers  []*worker
	ended    chan struct{} // closed when the workers have ended

	claimed    atomic.Int64 // messages of a closed loop
	unanswered atomic.Int64 // messages that were given up when the run was cut
	holding    atomic.Int64 // sessions that wait for nothing
	everOpened atomic.Bool
	begun      atomic.Bool // messages may be sent
	measuring  atomic.Bool
	stopping   atomic.Bool // no more messages are begun
	cut        atomic.Bool // nothing is waited for any more

	mu       sync.Mutex
	troubles int
	trouble  error // the first one
	fatal    error
}

func newRunner(cfg *Config) (*runner, error) {
	r := &runner{cfg: *cfg, base: time.Now(), ended: make(chan struct{})}
	r.dialogs.cfg = &r.cfg
	r.offer = (&protocol.Negotiate{Offer: cfg.Offer}).Append(nil)
	for i := range cfg.Expect {
		r.expected |= 1 << i
	}
	var err error
	if r.target, err = resolve(cfg.Address); err != nil {
		return nil, err
	}
	r.target.delay = cfg.Dialect == mta.Sendmail // which leaves Nagle's algorithm on
	for i := range cfg.Workers {
		w, err := newWorker(r, i)
		if err != nil {
			r.close()
			return nil, err
		}
		r.workers = append(r.workers, w)
	}
	return r, nil
}

// close gives back what the workers have waited with. They have ended.
func (r *runner) close() {
	for _, w := range r.workers {
		w.poll.close()
	}
}

// wake has the workers look around at once.
func (r *runner) wake() {
	for _, w := range r.workers {
		w.poll.wake()
	}
}

// claim takes one of the messages of a closed loop.
func (r *runner) claim() bool {
	return r.claimed.Add(1) <= r.cfg.Messages || r.cfg.Messages == 0 || !r.measuring.Load()
}

// exhausted reports whether all messages of a closed loop are claimed.
func (r *runner) exhausted() bool {
	return r.cfg.Messages > 0 && r.measuring.Load() && r.claimed.Load() >= r.cfg.Messages
}

// missing says which headers did not come.
func (r *runner) missing(bits uint64) error {
	var names []string
	for i, name := range r.cfg.Expect {
		if bits>>i&1 == 1 {
			names = append(names, name)
		}
	}
	return fmt.Errorf("milter: header %s was not added", strings.Join(names, ", "))
}

// enough is how many errors end a run in which no session was ever opened.
const enough = 3

// troubled notes an error of a session.
func (r *runner) troubled(err error) {
	if r.everOpened.Load() {
		return
	}
	r.mu.Lock()
	if r.trouble == nil {
		r.trouble = err
	}
	r.troubles++
	troubles := r.troubles
	r.mu.Unlock()
	if troubles >= enough {
		r.giveUp(err)
	}
}

// giveUp ends the run with an error.
func (r *runner) giveUp(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fatal == nil {
		r.fatal = err
	}
	r.stopping.Store(true)
	r.cut.Store(true)
}

// err returns what was in the way of the run, if something was.
func (r *runner) err(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fatal == nil && !r.everOpened.Load() && ctx.Err() == nil {
		return r.trouble
	}
	return r.fatal
}
