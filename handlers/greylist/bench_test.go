package greylist_test

import (
	"net/netip"
	"strconv"
	"testing"

	"millstream/handlers"
	"millstream/handlers/greylist"
	"millstream/handlers/store/redis"
	"millstream/protocol"
)

// inMessage returns a session in which a sender is known, and a recipient of his.
func inMessage(tb testing.TB) (*handlers.Session, *protocol.RcptTo) {
	tb.Helper()
	control := handlers.NewControl(tb.Context(), handlers.Facts{
		Client: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr(client)},
	}, nil)
	return control.Begin(tb.Context()), &protocol.RcptTo{Addr: protocol.View("<somebody@receiver.example>")}
}

// With memory a recipient is answered at once, with a store that may wait off the event
// loop.
func TestEventLoop(t *testing.T) {
	s, rcpt := inMessage(t)
	if r := filter(t, memoryStore(t), nil).Handle(s, rcpt); r.Status() != protocol.StatusTempFail {
		t.Errorf("memory: %v", r)
	}
	st, err := redis.Open(redis.Config{Addresses: []string{"/dev/null/none"}, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	h := filter(t, st, nil)
	if r := h.Handle(s, rcpt); r.Status() != protocol.StatusProgress {
		t.Errorf("redis: %v", r)
	}
}

// A decision costs one allocation: the key.
func TestAllocs(t *testing.T) {
	h := filter(t, memoryStore(t), func(s *greylist.Settings) { s.Delay = 1e6 })
	s, rcpt := inMessage(t)
	for h.Handle(s, rcpt).Status() != protocol.StatusContinue {
		continue // until the delay of a millisecond is over
	}
	if n := testing.AllocsPerRun(100, func() { h.Handle(s, rcpt) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkDecision tells what a recipient costs: one that is known, and one that is new.
func BenchmarkDecision(b *testing.B) {
	b.Run("known", func(b *testing.B) {
		h := filter(b, memoryStore(b), func(s *greylist.Settings) { s.Delay = 1e6 })
		s, rcpt := inMessage(b)
		for h.Handle(s, rcpt).Status() != protocol.StatusContinue {
			continue
		}
		b.ReportAllocs()
		for b.Loop() {
			if r := h.Handle(s, rcpt); r.Status() != protocol.StatusContinue {
				b.Fatal(r)
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		h := filter(b, memoryStore(b), nil)
		s, rcpt := inMessage(b)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			rcpt.Addr = append(strconv.AppendInt(append(rcpt.Addr[:0], '<'), int64(i), 10), "@receiver.example>"...)
			if r := h.Handle(s, rcpt); r.Status() != protocol.StatusTempFail {
				b.Fatal(r)
			}
		}
	})
}
