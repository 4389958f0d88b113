package load

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"millstream/netio/mta"
	"millstream/protocol"
)

// Limits of a [Config].
const (
	maxExpect      = 64
	maxConnections = 1_000_000
	defaultTimeout = 30 * time.Second
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

// complete checks c and fills in what it leaves out.
func (c *Config) complete() error {
	switch {
	case len(c.Mails) == 0:
		return c.wrong("there are no mails to send")
	case c.Connections < 0 || c.Idle < 0 || c.Connections+c.Idle > maxConnections:
		return c.wrong("%d connections and %d idle ones; there can be 0 to %d", c.Connections, c.Idle, maxConnections)
	case len(c.Expect) > maxExpect:
		return c.wrong("%d headers are expected; there can be %d", len(c.Expect), maxExpect)
	case c.Chaos.Abort+c.Chaos.Reset+c.Chaos.Unknown+c.Chaos.SlowRead > 1:
		return c.wrong("the shares of chaos are more than 100 %% of the messages")
	case c.Reuse < 0 || c.Messages < 0 || c.Workers < 0:
		return c.wrong("a count is negative")
	}
	for i, step := range c.Rate {
		last := i == len(c.Rate)-1
		if step.From < 0 || step.To < 0 || step.From+step.To <= 0 || step.For < 0 || step.For == 0 && (!last || step.From != step.To) {
			return c.wrong("step %d of the rate, %v to %v a second for %v, is none", i+1, step.From, step.To, step.For)
		}
	}
	if c.Offer == (protocol.Options{}) {
		c.Offer = mta.Offer()
	}
	if c.Connections == 0 && c.Idle == 0 {
		c.Connections = 1
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	c.Workers = min(c.Workers, max(c.Connections, c.Idle))
	if c.Client.Connect.Host == nil {
		c.Client = defaultClient(c.Dialect)
	}
	return nil
}

func (c *Config) wrong(format string, args ...any) error {
	return fmt.Errorf("%w: load: "+format, append([]any{protocol.ErrInvalidArgument}, args...)...)
}

// defaultClient is an SMTP client of the network for documentation, RFC 5737.
func defaultClient(d mta.Dialect) mta.Client {
	c := mta.Client{
		Connect: protocol.Connect{
			Host: protocol.View("client.example.com"),
			Addr: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.1"), Port: 42025},
		},
		Helo: protocol.Helo{Name: protocol.View("client.example.com")},
		Macros: map[string]string{
			"j": "mx.example.org", "_": "client.example.com [192.0.2.1]", "daemon_name": "mx.example.org",
			"daemon_addr": "192.0.2.25", "v": "Postfix 3.7.11", "if_name": "mx.example.org", "if_addr": "192.0.2.25",
		},
	}
	if d == mta.Sendmail {
		c.Macros["daemon_name"], c.Macros["v"] = "MTA", "8.17.1"
	}
	return c
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
	holding    atomic.Int64 // sessions that wait for nothing
	everOpened atomic.Bool
	begun      atomic.Bool // messages may be sent
	measuring  atomic.Bool
	stopping   atomic.Bool // no more messages are begun
	cut        atomic.Bool // nothing is waited for any more

	mu       sync.Mutex
	troubles int
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
			for _, w := range r.workers {
				w.poll.close()
			}
			return nil, err
		}
		r.workers = append(r.workers, w)
	}
	return r, nil
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
