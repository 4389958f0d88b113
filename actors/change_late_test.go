package actors

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// What was gathered when the deadline comes is not sent.
func TestChangeDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var result *handlers.Result
		p := newProbe(t, Config{HandlerTimeout: time.Second}, brief|handlers.Of(handlers.KindMessageProcessed), replies{
			handlers.KindEndOfMessage: func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
				m := ev.(*handlers.Message)
				return handlers.Async(func(ctx context.Context) handlers.Reply {
					m.AddHeader("A", "1")
					m.Quarantine("reason")
					return sleeper(time.Minute)(ctx)
				})
			},
			handlers.KindMessageProcessed: func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
				result = ev.(*handlers.Result)
				return handlers.Reply{}
			},
		})
		p.feed("O M")
		want(t, "written", p.feed("E")+p.after(2*time.Second), "t")
		if result.Quarantined {
			t.Error("quarantined")
		}
	})
}

// After the answer a message can be changed no more, nor after the end.
func TestChangeTooLate(t *testing.T) {
	tests := []struct {
		end  string
		want error
	}{{"", protocol.ErrInvalidState}, {"A", protocol.ErrInvalidState}, {"Q", handlers.ErrSessionClosed}}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			var m *handlers.Message
			var h held
			p := newProbe(t, Config{}, brief, replies{handlers.KindEndOfMessage: func(s *handlers.Session, ev handlers.Event) handlers.Reply {
				m = ev.(*handlers.Message)
				return h.reply(s, ev)
			}})
			p.feed("O M E")
			m.AddHeader("A", "1")
			if tt.end == "" {
				_ = h.resolve(handlers.Continue)
				want(t, "answer", p.settled(), "hc")
			} else {
				want(t, "given up", p.feed(tt.end), "")
			}
			m.AddHeader("B", "2")
			m.Flush()
			if err := m.Err(); !errors.Is(err, tt.want) {
				t.Errorf("%q: %v", tt.end, err)
			}
			want(t, "written", p.settled(), "")
		})
	}
}

// A reason that was set by hand is written if it can be, and else reported.
func TestQuarantineByHand(t *testing.T) {
	for actions, wanted := range map[protocol.Actions]string{protocol.ActionsAll: "qc", protocol.ActionAddHeaders: "c"} {
		synctest.Test(t, func(t *testing.T) {
			var p *probe
			p = newProbe(t, Config{Actions: actions}, everything&^handlers.Of(handlers.KindNegotiate), replies{
				handlers.KindEndOfMessage: func(*handlers.Session, handlers.Event) handlers.Reply {
					p.Control().Update(func(f *handlers.Facts) { f.QuarantineReason = "by hand" })
					return handlers.Continue
				},
			})
			p.feed("O M")
			p.events()
			want(t, "written", p.feed("E"), wanted)
			if failed := strings.Contains(p.events(), "error(end-of-message,action)"); failed == (wanted == "qc") {
				t.Errorf("reported %v", failed)
			}
		})
	}
}
