package actors

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
)

// replies has a function for each kind of event that a test has a reply for.
type replies map[handlers.Kind]func(*handlers.Session, handlers.Event) handlers.Reply

// always returns a function that answers r.
func always(r handlers.Reply) func(*handlers.Session, handlers.Event) handlers.Reply {
	return func(*handlers.Session, handlers.Event) handlers.Reply { return r }
}

// A probe is a handler that notes what it is told of, and the session that it
// handles.
type probe struct {
	*Offline
	t       *testing.T
	wants   handlers.Wants
	replies replies

	mu   sync.Mutex
	told []string
}

// newProbe returns a session whose handler takes events of the given kinds and
// answers those that can be answered. It is for a bubble.
func newProbe(t *testing.T, cfg Config, takes handlers.Kinds, r replies) *probe {
	t.Helper()
	p := &probe{t: t, wants: handlers.Wants{Events: takes, Replies: takes & answerable}, replies: r}
	p.start(cfg, handlers.Shared(p))
	return p
}

// start opens the session.
func (p *probe) start(cfg Config, f handlers.Factory) {
	p.t.Helper()
	if cfg.Log == nil {
		cfg.Log = quiet
	}
	var err error
	if p.Offline, err = NewOffline(cfg, f); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(p.end)
}

// end ends the session, however it stands: nothing of it must be left.
func (p *probe) end() {
	p.HangUp(nil)
	time.Sleep(time.Hour)
	if n := p.sys.Len(); n != 0 {
		p.t.Errorf("%d sessions are left", n)
	}
	select {
	case <-p.sys.workers.idle():
	default:
		p.t.Error("functions are still running")
	}
}

// Wants is [handlers.Handler].
func (p *probe) Wants() handlers.Wants { return p.wants }

// Handle is [handlers.Handler].
func (p *probe) Handle(s *handlers.Session, ev handlers.Event) handlers.Reply {
	p.note(nameOf(ev))
	if f := p.replies[handlers.KindOf(ev)]; f != nil {
		return f(s, ev)
	}
	return handlers.Reply{}
}

// note adds a line to what was told.
func (p *probe) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, line)
}

// events returns what was told since the last call.
func (p *probe) events() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := strings.Join(p.told, " ")
	p.told = nil
	return lines
}

// feed sends a script and returns the codes of what is answered to it, when
// nothing moves any more.
func (p *probe) feed(script string) string {
	p.t.Helper()
	_ = p.Feed(packets(script))
	return p.settled()
}

// settled returns the codes of what is answered when nothing moves any more.
func (p *probe) settled() string {
	p.t.Helper()
	synctest.Wait()
	return p.output()
}

// after returns the codes of what is answered within a time.
func (p *probe) after(d time.Duration) string {
	p.t.Helper()
	time.Sleep(d)
	return p.settled()
}

func (p *probe) output() string {
	p.t.Helper()
	return codesOf(answers(p.t, p.Output()))
}

// sleeper returns work that takes some time, or until it is not wanted any more.
func sleeper(d time.Duration) func(context.Context) handlers.Reply {
	return func(ctx context.Context) handlers.Reply {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
		return handlers.Reply{}
	}
}
