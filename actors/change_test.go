package actors

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
)

// endWith answers the end of a message with f, inline, off the loop, or whenever f
// has it.
var endWith = map[string]func(f func(*handlers.Message) handlers.Reply) func(*handlers.Session, handlers.Event) handlers.Reply{
	"inline": func(f func(*handlers.Message) handlers.Reply) func(*handlers.Session, handlers.Event) handlers.Reply {
		return func(_ *handlers.Session, ev handlers.Event) handlers.Reply { return f(ev.(*handlers.Message)) }
	},
	"async": func(f func(*handlers.Message) handlers.Reply) func(*handlers.Session, handlers.Event) handlers.Reply {
		return func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
			return handlers.Async(func(context.Context) handlers.Reply { return f(ev.(*handlers.Message)) })
		}
	},
	"progress": func(f func(*handlers.Message) handlers.Reply) func(*handlers.Session, handlers.Event) handlers.Reply {
		return func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
			return handlers.Progress(func(_ context.Context, resolve handlers.Resolve) {
				time.AfterFunc(time.Second, func() { _ = resolve(f(ev.(*handlers.Message))) })
			})
		}
	},
}

// changes has what handlers do at the end of a message, what is written for it, and
// in how many writes.
var changes = []struct {
	name   string
	buffer int // negative is none
	f      func(*handlers.Message) handlers.Reply
	want   string
	writes int
}{
	{"every change, in order", 0, func(m *handlers.Message) handlers.Reply {
		m.AddHeader("A", "1")
		m.InsertHeader(0, "B", "2")
		m.ChangeHeader("C", 1, "3")
		m.DeleteHeader("D", 1)
		m.ChangeFrom("<e@example.com>", "SIZE=1")
		m.AddRecipient("<f@example.com>")
		m.AddRecipient("<f@example.com>", "NOTIFY=NEVER")
		m.DeleteRecipient("<b@example.net>")
		m.ReplaceBody([]byte("body"))
		return handlers.Accept
	}, "himme+2-ba", 1},
	{"each at once", -1, func(m *handlers.Message) handlers.Reply {
		m.AddHeader("A", "1")
		m.AddHeader("B", "2")
		return handlers.Continue
	}, "hhc", 3},
	{"when there is enough", 30, func(m *handlers.Message) handlers.Reply {
		for range 5 {
			m.AddHeader("Name", "value") // 16 bytes
		}
		return handlers.Continue
	}, "hhhhhc", 3},
	{"by hand", 0, func(m *handlers.Message) handlers.Reply {
		m.AddHeader("A", "1")
		m.Flush()
		m.Flush()
		m.AddHeader("B", "2")
		return handlers.Continue
	}, "hhc", 2},
	{"progress", 0, func(m *handlers.Message) handlers.Reply {
		m.AddHeader("A", "1")
		m.Progress()
		return handlers.Continue
	}, "hpc", 2},
	{"quarantine comes last, and once", 0, func(m *handlers.Message) handlers.Reply {
		m.Quarantine("one")
		m.Quarantine("two")
		m.AddHeader("A", "1")
		return handlers.Reject.With(550, "", "no")
	}, "hqy", 1},
	{"an empty body", 0, func(m *handlers.Message) handlers.Reply {
		m.ReplaceBody(nil)
		return handlers.Continue
	}, "bc", 1},
	{"a body in pieces", 0, func(m *handlers.Message) handlers.Reply {
		_, _ = fmt.Fprint(m.Body(), strings.Repeat("x", 200000))
		return handlers.Continue
	}, "bbbbc", 4},
	{"a change that fails", 0, func(m *handlers.Message) handlers.Reply {
		m.AddHeader("A", "1")
		m.Quarantine("reason")
		m.AddHeader("", "2")
		return handlers.Accept
	}, "t", 1},
	{"a failure that is forgiven", 0, func(m *handlers.Message) handlers.Reply {
		m.AddHeader("", "2")
		_ = m.ClearErr()
		m.AddHeader("A", "1")
		return handlers.Accept
	}, "ha", 1},
	{"a failure after a flush", 0, func(m *handlers.Message) handlers.Reply {
		m.AddHeader("A", "1")
		m.Flush()
		time.Sleep(time.Millisecond)
		m.ReplaceBody([]byte("a"))
		m.AddHeader("B", "2")
		m.ReplaceBody([]byte("b")) // not next to the first
		return handlers.Accept
	}, "ht", 2},
	{"panic", 0, func(m *handlers.Message) handlers.Reply {
		m.AddHeader("A", "1")
		m.Quarantine("reason")
		panic("oops")
	}, "t", 1},
	{"a status that is not allowed", 0, func(m *handlers.Message) handlers.Reply {
		m.AddHeader("A", "1")
		m.Quarantine("reason")
		return handlers.Skip
	}, "t", 1},
}

// Changes are written before the answer, in the order of the calls.
func TestChanges(t *testing.T) {
	for how, end := range endWith {
		for _, tt := range changes {
			t.Run(how+"/"+tt.name, func(t *testing.T) {
				if how == "progress" && tt.name == "panic" {
					t.Skip("a panic in a goroutine of somebody else")
				}
				synctest.Test(t, func(t *testing.T) {
					var result *handlers.Result
					p := newProbe(t, Config{PacketBuffer: tt.buffer}, brief|handlers.Of(handlers.KindMessageProcessed), replies{
						handlers.KindEndOfMessage: end(tt.f),
						handlers.KindMessageProcessed: func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
							result = ev.(*handlers.Result)
							return handlers.Reply{}
						},
					})
					p.feed("O M")
					before := p.Writes()
					want(t, "written", p.feed("E")+p.after(2*time.Second), tt.want)
					if n := p.Writes() - before; n != tt.writes {
						t.Errorf("%d writes, want %d", n, tt.writes)
					}
					if wrote := strings.Contains(tt.want, "q"); result.Quarantined != wrote || (result.QuarantineReason == "two") != wrote {
						t.Errorf("quarantined %v: %q", result.Quarantined, result.QuarantineReason)
					}
				})
			})
		}
	}
}
