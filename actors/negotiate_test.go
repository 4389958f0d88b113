package actors

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// agreed opens a session with an offer and returns what it answers.
func agreed(t *testing.T, cfg Config, h handlers.Handler, offer protocol.Options) (a protocol.Answer, p *probe) {
	t.Helper()
	p = &probe{t: t}
	p.start(cfg, handlers.Shared(h))
	_ = p.Feed((&protocol.Negotiate{Offer: offer}).Append(nil))
	synctest.Wait()
	list := answers(t, p.Output())
	if len(list) == 0 {
		return protocol.Answer{}, p
	}
	return list[0], p
}

// What is asked for follows from the handlers, the configuration, and what they say.
func TestNegotiation(t *testing.T) {
	const (
		small  = protocol.Steps(0x753)
		watch  = protocol.Steps(0x847cb)
		noBody = protocol.StepNoBody
	)
	onMail := handlers.On(func(*handlers.Session, *protocol.MailFrom) handlers.Reply { return handlers.Continue })
	onRcpt := handlers.On(func(*handlers.Session, *protocol.RcptTo) handlers.Reply { return handlers.Continue })
	onHeader := handlers.On(func(*handlers.Session, *protocol.Header) handlers.Reply { return handlers.Continue })
	onEnd := handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply { return handlers.Continue })
	watchHeader := handlers.Observe(func(*handlers.Session, *protocol.Header) {})
	watchBody := handlers.Observe(func(*handlers.Session, *protocol.Body) {})
	edit := func(r handlers.Reply, f func(*handlers.Negotiation)) handlers.Handler {
		return handlers.On(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
			f(n)
			return r
		})
	}
	none := func(n *handlers.Negotiation) { n.SetActions(0); n.SetSteps(noBody) }
	headers := Config{Actions: protocol.ActionAddHeaders}
	tests := []struct {
		name    string
		cfg     Config
		h       []handlers.Handler
		version uint32
		actions protocol.Actions
		steps   protocol.Steps
	}{
		{"small", headers, []handlers.Handler{onMail, onRcpt, onHeader, onEnd}, 6, 1, small},
		{"small, no opinion", headers, []handlers.Handler{onMail, onRcpt, onHeader, onEnd, edit(handlers.Reply{}, none)}, 6, 0x1ff, small},
		{"small, all options", headers, []handlers.Handler{onMail, onRcpt, onHeader, onEnd, edit(handlers.AllOptions, none)}, 6, 0x1ff, small},
		{"small, edited", headers, []handlers.Handler{onMail, onRcpt, onHeader, onEnd, edit(handlers.Continue, none)}, 6, 0, noBody},
		{"watch", Config{}, []handlers.Handler{watchHeader, watchBody, onEnd}, 6, 0x1ff, watch},
		{"watch, off the loop", Config{}, []handlers.Handler{watchHeader, handlers.Blocking(watchBody), onEnd}, 6, 0x1ff, watch &^ protocol.StepNoReplyBody},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, p := agreed(t, tt.cfg, handlers.Chain(tt.h...), offer)
				if got := (protocol.Options{Version: tt.version, Actions: tt.actions, Steps: tt.steps}); a.Offer != got {
					t.Errorf("asked for %+v, want %+v", a.Offer, got)
				}
				if got := p.Session().Options(); got != a.Offer {
					t.Errorf("options %+v, answer %+v", got, a.Offer)
				}
			})
		})
	}
}

// A negotiation that fails is refused, or where nobody would understand it not
// answered at all; then the connection is closed.
func TestNegotiationFails(t *testing.T) {
	require := func(_ *handlers.Session, ev handlers.Event) handlers.Reply {
		ev.(*handlers.Negotiation).Require(protocol.ActionChangeFrom)
		return handlers.Reply{}
	}
	late := func(*handlers.Session, handlers.Event) handlers.Reply {
		return handlers.Async(func(context.Context) handlers.Reply { return handlers.Reject })
	}
	boom := func(*handlers.Session, handlers.Event) handlers.Reply { panic(1) }
	old := protocol.Options{Version: 2, Actions: 0x3f, Steps: 0x7f}
	const rejected = "response(negotiate,reject)"
	tests := []struct {
		name    string
		failure protocol.Status // of the configuration
		reply   func(*handlers.Session, handlers.Event) handlers.Reply
		offer   protocol.Options
		want    string
		events  string
	}{
		{"reject", 0, always(handlers.Reject), offer, "r", "negotiate " + rejected + " finished"},
		{"reject later", 0, late, offer, "r", "negotiate " + rejected + " finished"},
		{"status", 0, always(handlers.TempFail), offer, "r", "negotiate error(negotiate,status) " + rejected + " finished"},
		{"panic", 0, boom, offer, "r", "negotiate error(negotiate,panic) " + rejected + " finished"},
		{"panic, continue", protocol.StatusContinue, boom, offer, "r", "negotiate error(negotiate,panic) " + rejected + " finished"},
		{
			"action not offered", 0, require, old, "r",
			"negotiate error(negotiate,negotiation) " + rejected + " finished(negotiation)",
		},
		{"action offered", 0, require, offer, "O", "negotiate response(negotiate,all-options)"},
		{"version", 0, nil, protocol.Options{Version: 1}, "", "error(negotiate,negotiation) finished(negotiation)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProbe(t, Config{FailureStatus: tt.failure}, brief|handlers.Of(handlers.KindResponse),
					replies{handlers.KindNegotiate: tt.reply})
				_ = p.Feed((&protocol.Negotiate{Offer: tt.offer}).Append(nil))
				want(t, "answer", p.settled(), tt.want)
				want(t, "events", p.events(), tt.events)
				if open := p.sys.Len() == 1; open != (tt.want == "O") {
					t.Errorf("open %v", open)
				}
			})
		})
	}
}

// Macros are asked for where the MTA can be asked, and else missed once.
func TestNegotiationMacros(t *testing.T) {
	var cfg Config
	cfg.Macros.Add(protocol.StageConnect, "j", "{daemon_name}")
	h := handlers.Chain(
		handlers.On(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
			n.RequestMacros(protocol.StageConnect, "j", "v")
			n.RequestMacros(protocol.StageEndOfMessage, "i")
			return handlers.Continue
		}),
		handlers.Go(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
			n.RequestMacros(protocol.StageEndOfMessage, "{auth_authen}")
			return handlers.Continue
		}),
	)
	synctest.Test(t, func(t *testing.T) {
		a, _ := agreed(t, cfg, h, offer)
		if got := a.Macros[protocol.StageConnect]; len(got) != 3 || got[1] != "daemon_name" || got[2] != "v" {
			t.Errorf("connect: %q", got)
		}
		if got := a.Macros[protocol.StageEndOfMessage]; len(got) != 2 || got[1] != "auth_authen" {
			t.Errorf("end of message: %q", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		book := new(logbook)
		cfg.Log = slog.New(book)
		a, _ := agreed(t, cfg, h, protocol.Options{Version: 2, Actions: 0x3f, Steps: 0x7f})
		if !a.Macros.Empty() || a.Offer.Actions.Has(protocol.ActionSetSymbolList) {
			t.Errorf("asked for %+v", a)
		}
		if len(book.lines) != 1 || book.lines[0].Message != "MTA takes no list of macros: its own settings count" {
			t.Errorf("log %v", book.lines)
		}
	})
}

// The offer is known while the negotiation is pending, what was agreed after it.
func TestNegotiationPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h held
		var n *handlers.Negotiation
		p := newProbe(t, Config{}, brief, replies{handlers.KindNegotiate: func(s *handlers.Session, ev handlers.Event) handlers.Reply {
			n = ev.(*handlers.Negotiation)
			return h.reply(s, ev)
		}})
		p.feed("O")
		if v := p.Session().Options().Version; v != 0 || n.Offer() != offer {
			t.Errorf("version %d, offer %+v", v, n.Offer())
		}
		time.Sleep(time.Minute)
		n.SetActions(protocol.ActionQuarantine)
		if err := h.resolve(handlers.Continue); err != nil {
			t.Error(err)
		}
		want(t, "answer", p.settled(), "O")
		n.SetActions(protocol.ActionsAll) // too late
		if got := p.Session().Options(); got.Actions != protocol.ActionQuarantine || got.Version != 6 {
			t.Errorf("options %+v", got)
		}
	})
}

// Before the offer only macros and the end of the connection are in order.
func TestNegotiationFirst(t *testing.T) {
	for _, word := range []string{"C", "H", "M", "R", "T", "L", "N", "B", "E", "U"} {
		synctest.Test(t, func(t *testing.T) {
			p := newProbe(t, Config{}, brief, nil)
			if err := p.Feed(packets("DC A " + word)); !errors.Is(err, protocol.ErrSequence) {
				t.Errorf("%s: %v", word, err)
			}
		})
	}
}
