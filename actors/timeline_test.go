package actors

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// A timeline has what happened to a message, alike events together, and while it happens
// it is known which handler is at work.
func TestTimelines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []*Timeline
		look := handlers.Named("look", handlers.On(func(*handlers.Session, *protocol.Header) handlers.Reply { return handlers.Continue }))
		scan := handlers.Named("scan", handlers.Go(func(*handlers.Session, *handlers.Message) handlers.Reply {
			time.Sleep(time.Second)
			return handlers.Reject.With(550, "5.7.1", "no")
		}))
		o, err := NewOffline(Config{Log: quiet, Timelines: func(l *Timeline) { lines = append(lines, l) }},
			handlers.Shared(handlers.Chain(look, scan)))
		if err != nil {
			t.Fatal(err)
		}
		_ = o.Feed(packets("O DM M R T L L L N E"))
		synctest.Wait()
		if i := o.s.info(time.Now()); i.Handler != "scan" || i.QueueID != "QM" {
			t.Errorf("handler %q at work, queue id %q", i.Handler, i.QueueID)
		}
		if got := o.s.sys.totals(); got.active != 1 || got.pending != 1 || got.opened != 1 || got.in == 0 {
			t.Errorf("totals %+v", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if i := o.s.info(time.Now()); i.Handler != "" {
			t.Errorf("handler %q at work, none is", i.Handler)
		}
		o.HangUp(nil)
		if len(lines) != 1 {
			t.Fatalf("%d timelines", len(lines))
		}
		l := lines[0]
		var events []string
		for _, e := range l.Stages {
			events = append(events, fmt.Sprintf("%v*%d %v %v", e.Event, e.Count, e.Status, e.Took))
		}
		if want := []string{
			"envelope-from*1 continue 0s", "header*3 continue 0s", "end-of-message*1 reject 1s",
		}; !slices.Equal(slices.DeleteFunc(events, func(s string) bool {
			return s == "envelope-recipient*1 continue 0s" || s == "data*1 continue 0s" || s == "end-of-header*1 continue 0s"
		}), want) {
			t.Errorf("stages %q, want %q", events, want)
		}
		var visits []string
		for _, v := range l.Visits {
			visits = append(visits, fmt.Sprintf("%s*%d %v", v.Handler, v.Count, v.Took))
		}
		if want := []string{"look*3 0s", "scan*1 1s"}; !slices.Equal(visits, want) {
			t.Errorf("visits %q, want %q", visits, want)
		}
		if l.QueueID != "QM" || l.Result.By != "scan" || l.Result.Reply != "550 5.7.1 no" {
			t.Errorf("queue id %q, by %q, %q", l.QueueID, l.Result.By, l.Result.Reply)
		}
	})
}

// A handler that failed has failed, also where another answer than the failure status was
// given for it.
func TestFailedVisits(t *testing.T) {
	broken := errors.New("broken")
	answers := map[string]handlers.Reply{
		"failed": handlers.Failed(broken), "excused": handlers.Continue.Reported(broken), "well": handlers.Continue,
	}
	for name, answer := range answers {
		var lines []*Timeline
		h := handlers.Named(name, handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply { return answer }))
		o, err := NewOffline(Config{Log: quiet, Timelines: func(l *Timeline) { lines = append(lines, l) }}, handlers.Shared(h))
		if err != nil {
			t.Fatal(err)
		}
		_ = o.Feed(packets("O M R T N E"))
		o.HangUp(nil)
		if len(lines) != 1 || len(lines[0].Visits) != 1 {
			t.Fatalf("%s: timelines %+v", name, lines)
		}
		if v := lines[0].Visits[0]; v.Failed != (name != "well") {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// Functions that only watch are reported too if they hold the loop, though nobody looks
// at the clock after each.
func TestSlowObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slow *handlers.SlowError
		o, err := NewOffline(Config{Log: quiet}, handlers.Shared(handlers.Chain(
			handlers.Observe(func(*handlers.Session, *protocol.Header) { time.Sleep(3 * time.Millisecond) }),
			handlers.Observe(func(_ *handlers.Session, f *handlers.Failure) { slow, _ = errors.AsType[*handlers.SlowError](f.Err) }),
		)))
		if err != nil {
			t.Fatal(err)
		}
		_ = o.Feed(packets("O M R T"))
		_ = o.Feed(packets("L L"))
		if slow == nil || slow.Took != 6*time.Millisecond || slow.Event != handlers.KindHeader {
			t.Errorf("reported %v", slow)
		}
		o.HangUp(nil)
	})
}

func TestKindOfErrors(t *testing.T) {
	for want, err := range map[string]error{
		"slow": &handlers.SlowError{}, "panic": &handlers.PanicError{}, "status": &protocol.StatusError{}, "value": protocol.ErrInvalidCode,
		"negotiation": &protocol.NegotiationError{Err: protocol.ErrVersionTooOld}, "protocol": protocol.ErrProtocol,
		"timeout": handlers.ErrTimeout, "closed": handlers.ErrSessionClosed, "io": handlers.ErrIO, "handler": errors.New("other"),
	} {
		if got := kindOf(err, handlers.KindHelo); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
	if got := kindOf(fmt.Errorf("%w: no offer", handlers.ErrTimeout), 0); got != "silence" { // it is nobody's who answers
		t.Errorf("an MTA that is silent is %q", got)
	}
}

// What went wrong is traced whatever the sampling.
func TestKept(t *testing.T) {
	tr := &trail{s: &session{gen: &generation{cfg: Config{TraceSlow: time.Second}}}}
	for want, o := range map[string]handlers.Outcome{
		"refused": {Status: protocol.StatusTempFail}, "quarantined": {Status: protocol.StatusContinue, Quarantined: true},
		"slow": {Status: protocol.StatusAccept, HandlerTime: time.Second}, "": {Status: protocol.StatusAccept},
	} {
		if got := tr.why(&o); got != want {
			t.Errorf("%+v is kept as %q, want %q", o, got, want)
		}
	}
	tr.errs = []error{handlers.ErrIO}
	if got := tr.why(&handlers.Outcome{}); got != "error" {
		t.Errorf("an error is kept as %q", got)
	}
}

// Addresses are told as the administrator wants.
func TestAddresses(t *testing.T) {
	const address = "<Joe@example.com>"
	off, hashed, plain := AddressesOff.show(address), AddressesHashed.show(address), AddressesClear.show(address)
	if off != "" || plain != address || len(hashed) != 16 || hashed != AddressesHashed.show("<joe@EXAMPLE.com>") {
		t.Errorf("%q, %q, %q", off, hashed, plain)
	}
}
