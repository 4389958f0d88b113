package actors

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// factory counts the handlers of a session. Each notes its number with what it is
// told.
type factory struct {
	*probe
	made    int
	replies replies
	fail    int // the number of the handler that cannot be made
	failure func() handlers.Handler
}

func (f *factory) make(s *handlers.Session) handlers.Handler {
	f.made++
	f.note(fmt.Sprintf("make(%d)", f.made))
	if f.made == f.fail {
		return f.failure()
	}
	return &numbered{f, f.made}
}

// numbered is one of the handlers of a factory.
type numbered struct {
	f *factory
	n int
}

func (h *numbered) Wants() handlers.Wants { return h.f.wants }

func (h *numbered) Handle(s *handlers.Session, ev handlers.Event) handlers.Reply {
	h.f.note(fmt.Sprintf("%d:%s", h.n, nameOf(ev)))
	if f := h.f.replies[handlers.KindOf(ev)]; f != nil {
		return f(s, ev)
	}
	return handlers.Reply{}
}

func newFactory(t *testing.T, takes handlers.Kinds, r replies) *factory {
	f := &factory{probe: &probe{t: t, wants: handlers.Wants{Events: takes, Replies: takes & answerable}}, replies: r}
	return f
}

// An MTA may use the connection for another client: with a handler of its own.
func TestRenew(t *testing.T) {
	takes := brief | handlers.Of(handlers.KindEstablished)
	tests := []struct{ name, in, want, events string }{
		{"between messages", "O M E K H M", "Occcc", "make(1) 1:connection-established 1:negotiate 1:envelope-from " +
			"1:end-of-message 1:finished make(2) 2:connection-established 2:helo 2:envelope-from"},
		{"in a message", "O M K M", "Occ", "make(1) 1:connection-established 1:negotiate 1:envelope-from " +
			"1:abort(envelope-from-replied) 1:finished make(2) 2:connection-established 2:envelope-from"},
		{"new offer", "O K O C", "OOc", "make(1) 1:connection-established 1:negotiate 1:finished " +
			"make(2) 2:connection-established 2:negotiate 2:connect"},
		{"before the offer", "K O C", "Oc", "make(1) 1:connection-established 1:finished " +
			"make(2) 2:connection-established 2:negotiate 2:connect"},
		{"offer too late", "O K C O", "Oc", "make(1) 1:connection-established 1:negotiate 1:finished " +
			"make(2) 2:connection-established 2:connect 2:error(none,sequence) 2:finished(sequence)"},
		{"and quit", "O K Q", "O", "make(1) 1:connection-established 1:negotiate 1:finished " +
			"make(2) 2:connection-established 2:finished"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFactory(t, takes, nil)
				f.start(Config{}, f.make)
				want(t, "answers", f.feed(tt.in), tt.want)
				want(t, "events", f.events(), tt.events)
			})
		})
	}
}

// What belongs to the client is gone with it; what belongs to the connection stays.
func TestRenewForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		p := newProbe(t, Config{}, brief, replies{
			handlers.KindConnect: func(s *handlers.Session, _ handlers.Event) handlers.Reply {
				s.SetTimeout(time.Minute)
				s.SetPacketBuffer(1)
				s.SetPrivate(1, func(any) { told = append(told, "destroyed") })
				s.Shelf().Set("a", 1)
				return handlers.Continue
			},
			handlers.KindFinished: func(s *handlers.Session, _ handlers.Event) handlers.Reply {
				told = append(told, fmt.Sprint("finished ", s.Private(), s.State()))
				return handlers.Reply{}
			},
		})
		p.feed("O DC C H M U")
		id, options := p.Session().ID(), p.Session().Options()
		p.feed("K")
		s := p.Session()
		host, addr := s.Client()
		if s.ID() != id || s.Options() != options || s.Timeout() != time.Minute || s.PacketBuffer() != 1 || s.Sessions() != 1 {
			t.Error("what belongs to the connection is gone")
		}
		if host != "" || addr != (protocol.Addr{}) || s.Helo() != "" || s.Macro("i") != "" || len(s.Shelf().Map()) != 0 ||
			s.Private() != nil || s.Result() != nil || s.InMessage() || s.Status() != protocol.StatusDefault ||
			s.State() != protocol.StateNegotiateReplied || s.LastState() != protocol.StateNegotiate {
			t.Errorf("what belongs to the client is there: %v %v %q", host, addr, s.Helo())
		}
		want(t, "order", fmt.Sprint(told), "[finished 1 finished destroyed]")
	})
}

// While the end of a client is told, what comes for the next one waits.
func TestRenewWaits(t *testing.T) {
	tests := []struct {
		name   string
		do     func(*factory)
		want   string
		events string
	}{
		{"in one read", func(f *factory) { f.feed("K H") }, "c", "make(2) 2:helo"},
		{"in two reads", func(f *factory) { f.feed("K"); f.feed("H") }, "c", "make(2) 2:helo"},
		{"in pieces", func(f *factory) {
			b := packets("K H")
			_ = f.Feed(b[:8])
			_ = f.Feed(b[8:])
		}, "c", "make(2) 2:helo"},
		{"quit", func(f *factory) { f.feed("K"); f.feed("H Q") }, "", "make(2) 2:finished"},
		{"bad input", func(f *factory) {
			f.feed("K H")
			_ = f.Feed([]byte{0, 0, 0, 0})
		}, "c", "make(2) 2:helo 2:error(none,protocol) 2:finished(protocol)"},
		{"loss", func(f *factory) { f.feed("K H"); f.HangUp(nil) }, "", ""},
		{"reset", func(f *factory) { f.feed("K H"); f.HangUp(errors.New("reset")) }, "", ""},
		{"server stop", func(f *factory) { f.feed("K H"); f.sys.CloseAll() }, "", ""},
		{"flood", func(f *factory) { f.feed("K"); _ = f.Feed(bytes.Repeat(packets("H"), 500)) }, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFactory(t, brief, nil)
				first := true
				f.replies = replies{handlers.KindFinished: func(*handlers.Session, handlers.Event) handlers.Reply {
					if !first {
						return handlers.Reply{}
					}
					first = false
					return handlers.Async(sleeper(time.Second))
				}}
				f.start(Config{MaxPacketSize: 1000, MaxPending: 1}, f.make)
				f.feed("O")
				f.events()
				tt.do(f)
				want(t, "answers", f.after(2*time.Second), tt.want)
				want(t, "events", f.events(), strings.TrimSpace("1:finished "+tt.events))
			})
		})
	}
}

// A factory that fails ends the connection, and the handler before is not told.
func TestFactoryFails(t *testing.T) {
	tests := []struct {
		name    string
		failure func() handlers.Handler
		err     error
	}{
		{"nil", func() handlers.Handler { return nil }, handlers.ErrNull},
		{"panic", func() handlers.Handler { panic(errors.ErrUnsupported) }, errors.ErrUnsupported},
		{"panic in Wants", func() handlers.Handler { return handlers.Blocking(&numbered{}) }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFactory(t, everything, nil)
				f.fail, f.failure = 2, tt.failure
				f.start(Config{}, f.make)
				f.feed("O M")
				f.events()
				err := f.Feed(packets("K H"))
				if err == nil || tt.err != nil && !errors.Is(err, tt.err) {
					t.Errorf("error %v", err)
				}
				want(t, "events", f.events(), "1:abort(envelope-from-replied) 1:response(abort,abort,silent) "+
					"1:message-processed(abort) 1:finished make(2)")
				if f.sys.Len() != 0 {
					t.Error("the session is still there")
				}
			})
			synctest.Test(t, func(t *testing.T) {
				f := newFactory(t, everything, nil)
				f.fail, f.failure = 1, tt.failure
				f.start(Config{}, f.make)
				if err := f.Feed(packets("O")); !errors.Is(err, handlers.ErrSessionClosed) {
					t.Errorf("error %v", err)
				}
				want(t, "events", f.events()+f.output(), "make(1)")
			})
		})
	}
}
