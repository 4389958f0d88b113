package handlers_test

import (
	"context"
	"maps"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

var client = protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.1"), Port: 1025}

// told is what the getters of a Session return.
type told struct {
	ID               uint64
	Peer             protocol.Addr
	Listener         string
	Sessions         int
	State, LastState protocol.State
	Status           protocol.Status
	InMessage        bool
	Options          protocol.Options
	Host             string
	Client           protocol.Addr
	Helo             string
	RcptRefused      bool
	Quarantine       string
	Timeout          time.Duration
	PacketBuffer     int
}

func tell(s *handlers.Session) told {
	host, addr := s.Client()
	return told{
		s.ID(), s.Peer(), s.Listener(), s.Sessions(), s.State(), s.LastState(), s.Status(), s.InMessage(), s.Options(),
		host, addr, s.Helo(), s.RcptRefused(), s.QuarantineReason(), s.Timeout(), s.PacketBuffer(),
	}
}

func TestGetters(t *testing.T) {
	c := handlers.NewControl(context.Background(), handlers.Facts{
		ID: 7, Peer: client, Listener: "inet:1", Sessions: func() int { return 3 }, Timeout: time.Minute, PacketBuffer: 9,
	}, nil)
	s := c.Session()
	want := told{
		ID: 7, Peer: client, Listener: "inet:1", Sessions: 3, Timeout: time.Minute, PacketBuffer: 9,
		State: protocol.StateStart, LastState: protocol.StateStart,
	}
	check := func(when string) {
		t.Helper()
		if got := tell(s); got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", when, got, want)
		}
		if got := tell(c.Begin(context.Background())); got != want {
			t.Errorf("%s, of an event:\n got %+v\nwant %+v", when, got, want)
		}
	}
	check("at first")
	receive(t, c, protocol.StatusContinue, &protocol.Negotiate{Offer: offer})
	agreed := protocol.Options{Version: 6, Actions: protocol.ActionAddHeaders, Steps: protocol.StepRcptRejected}
	c.Agree(protocol.Agreement{Granted: agreed, Wire: agreed})
	want.Options, want.State, want.LastState = agreed, protocol.StateNegotiateReplied, protocol.StateNegotiate
	want.Status = protocol.StatusContinue
	check("negotiated")
	receive(t, c, protocol.StatusContinue, &protocol.Connect{Host: view("mx"), Addr: client}, &protocol.Helo{Name: view("a")})
	receive(t, c, protocol.StatusAccept, &protocol.Helo{Name: view("b")})
	want.Host, want.Client, want.Helo, want.Status = "mx", client, "b", protocol.StatusAccept
	want.State, want.LastState = protocol.StateHeloReplied, protocol.StateHelo
	check("greeted")
	receive(t, c, protocol.StatusContinue, mail("<a>"),
		protocol.NewMacro(protocol.CodeRcptTo, "rcpt_mailer", "error"), rcpt("<b>"))
	want.State, want.LastState, want.Status = protocol.StateEnvelopeRecipientReplied, protocol.StateEnvelopeRecipient, protocol.StatusContinue
	want.InMessage, want.RcptRefused = true, true
	check("recipient refused")
	receive(t, c, protocol.StatusContinue, protocol.NewMacro(protocol.CodeRcptTo, "rcpt_mailer", "smtp"), rcpt("<b>"))
	want.RcptRefused = false
	check("recipient taken")
	receive(t, c, protocol.StatusContinue, protocol.NewMacro(protocol.CodeRcptTo, "rcpt_mailer", "error"), rcpt("<c>"), &protocol.Data{})
	want.State, want.LastState = protocol.StateDataReplied, protocol.StateData
	check("after a recipient refused")
	c.Finish()
	want.State, want.InMessage = protocol.StateFinished, false
	check("finished")
	if n := newControl().Session().Sessions(); n != 0 {
		t.Errorf("%d sessions without a server", n)
	}
}

func TestRcptRefusedWithoutTheStep(t *testing.T) {
	c := inMessage(t, 0, mail("<a>"), protocol.NewMacro(protocol.CodeRcptTo, "rcpt_mailer", "error"), rcpt("<b>"))
	if c.Session().RcptRefused() {
		t.Error("a recipient is refused by an MTA that tells of none")
	}
}

func TestMacros(t *testing.T) {
	c := inMessage(t, 0, protocol.NewMacro(protocol.CodeConnect, "j", "mx", "{daemon_name}", "smtpd"), mail("<a>"),
		protocol.NewMacro(protocol.CodeRcptTo, "j", "newer", "empty", ""))
	s := c.Session()
	for name, want := range map[string]string{"j": "newer", "{j}": "newer", "daemon_name": "smtpd", "empty": "", "none": ""} {
		if got := s.Macro(name); got != want {
			t.Errorf("macro %s is %q, want %q", name, got, want)
		}
		if _, ok := s.LookupMacro(name); ok != (name != "none") {
			t.Errorf("macro %s is there: %v", name, ok)
		}
	}
	all := s.Macros()
	receive(t, c, protocol.StatusContinue, protocol.NewMacro(protocol.CodeRcptTo, "j", "newest"))
	want := map[string]string{"j": "newer", "daemon_name": "smtpd", "empty": ""}
	if got := maps.Collect(all); !maps.Equal(got, want) {
		t.Errorf("macros %v, want %v", got, want)
	}
	for range all {
		break // may be left early
	}
}

// A message has a name in logs also before the MTA gives it one.
func TestQueueID(t *testing.T) {
	c := inMessage(t, 0, mail("<a>"))
	first := c.Session().QueueID()
	receive(t, c, protocol.StatusContinue, protocol.NewMacro(protocol.CodeRcptTo, "i", "Q1"))
	if then := c.Session().QueueID(); first != "NOQUEUE" || then != "Q1" || c.QueueID() != then {
		t.Errorf("queue ID %q, then %q", first, then)
	}
}

// After its event a Session tells, but sets nothing.
func TestSettersAfterTheEvent(t *testing.T) {
	set := func(s *handlers.Session) {
		s.SetTimeout(time.Hour)
		s.SetPacketBuffer(1)
		s.SetPrivate("late", nil)
		s.Shelf().Set("late", 1)
		s.Shelf().Delete("kept")
		s.Shelf().Clear()
		s.ResetMessage()
	}
	ends := map[string]func(*handlers.Control){
		"applied": func(c *handlers.Control) {
			_, _ = c.Receive(&protocol.Helo{}, time.Time{})
			_, _ = c.Apply(protocol.CodeHelo, protocol.StatusContinue, protocol.StatusTempFail, 0)
		},
		"over":   func(c *handlers.Control) { c.Over(handlers.ErrTimeout) },
		"closed": func(c *handlers.Control) { c.Close() },
	}
	for name, end := range ends {
		c := inMessage(t, 0)
		c.Session().SetPrivate("kept", nil)
		s := c.Begin(context.Background())
		end(c)
		c.Session().Shelf().Set("kept", 1)
		c.Session().SetPrivate("kept", nil)
		set(s)
		if s.Timeout() != 0 || s.PacketBuffer() != 64<<10 || s.Private() != "kept" {
			t.Errorf("%s: time-out %v, buffer %d, private %v", name, s.Timeout(), s.PacketBuffer(), s.Private())
		}
		if got := s.Shelf().Map(); !reflect.DeepEqual(got, map[string]any{"kept": 1}) {
			t.Errorf("%s: shelf %v", name, got)
		}
	}
	c := newControl()
	set(c.Begin(context.Background()))
	if s := c.Session(); s.Timeout() != time.Hour || s.PacketBuffer() != 1 || s.Private() != "late" || c.Timeout() != time.Hour {
		t.Error("the setters of an event do nothing")
	}
	c.Session().SetTimeout(-1)
	c.Session().SetPacketBuffer(-1)
	if s := c.Session(); s.Timeout() != 0 || s.PacketBuffer() != 0 {
		t.Errorf("time-out %v, buffer %d; want none", s.Timeout(), s.PacketBuffer())
	}
}

// A Session whose answer is pending is not given to the next event.
func TestSessionOfPendingReply(t *testing.T) {
	c := newControl()
	first := c.Begin(context.Background())
	if c.Begin(context.Background()) != first {
		t.Error("the session of an event is not used again")
	}
	<-start(c, first, later(handlers.Continue))
	c.Over(handlers.ErrAborted)
	next := c.Begin(context.Background())
	if next == first {
		t.Fatal("the session of a pending reply is used again")
	}
	first.Shelf().Set("x", 1)
	if _, ok := next.Shelf().Get("x"); ok {
		t.Error("an event that is over sets something")
	}
}

func TestContext(t *testing.T) {
	type key struct{}
	trace := context.WithValue(context.Background(), key{}, "trace")
	tests := []struct {
		name string
		end  func(*handlers.Control)
		want error // for the event
		conn error // for the connection
	}{
		{"answered", func(c *handlers.Control) {
			_, _ = c.Apply(protocol.CodeHelo, protocol.StatusContinue, protocol.StatusTempFail, 0)
		}, handlers.ErrStaleResponse, nil},
		{"next event", func(c *handlers.Control) { c.Begin(trace) }, handlers.ErrStaleResponse, nil},
		{"aborted", func(c *handlers.Control) { c.Over(handlers.ErrAborted) }, handlers.ErrAborted, nil},
		{"deadline", func(c *handlers.Control) { c.Over(handlers.ErrTimeout) }, handlers.ErrTimeout, nil},
		{"only the first end counts", func(c *handlers.Control) {
			c.Over(handlers.ErrAborted)
			c.Over(handlers.ErrTimeout)
		}, handlers.ErrAborted, nil},
		{"closed", func(c *handlers.Control) { c.Close() }, handlers.ErrSessionClosed, handlers.ErrSessionClosed},
		{"aborted and closed", func(c *handlers.Control) {
			c.Over(handlers.ErrAborted)
			c.Close()
		}, handlers.ErrAborted, handlers.ErrSessionClosed},
	}
	for _, tt := range tests {
		for _, early := range []bool{true, false} {
			c := handlers.NewControl(trace, handlers.Facts{}, nil)
			conn, s := c.Session(), c.Begin(trace)
			if early {
				if s.Context() != s.Context() {
					t.Error("an event has two contexts")
				}
				if s.Context().Err() != nil || conn.Context().Err() != nil {
					t.Error("a context ends before its time")
				}
			}
			ctx := s.Context
			if early {
				first := s.Context()
				ctx = func() context.Context { return first }
			}
			if !early {
				c.Run(s, later(handlers.Continue), func(func()) {}, nil) // so that s is not used again
			}
			tt.end(c)
			if got := context.Cause(ctx()); !isErr(got, tt.want) {
				t.Errorf("%s: the event ends with %v, want %v", tt.name, got, tt.want)
			}
			if got := context.Cause(conn.Context()); !isErr(got, tt.conn) {
				t.Errorf("%s: the connection ends with %v, want %v", tt.name, got, tt.conn)
			}
			if s.Context().Value(key{}) != "trace" || conn.Context().Value(key{}) != "trace" {
				t.Error("the trace is lost")
			}
		}
	}
}

// A context that is asked for when its event is over has ended.
func TestContextAskedForLate(t *testing.T) {
	c := newControl()
	conn := c.Session()
	s := c.Begin(context.Background())
	c.Over(handlers.ErrAborted)
	c.Close()
	if got := context.Cause(s.Context()); !isErr(got, handlers.ErrAborted) {
		t.Errorf("cause %v", got)
	}
	if got := context.Cause(conn.Context()); !isErr(got, handlers.ErrSessionClosed) {
		t.Errorf("cause %v", got)
	}
}

func TestPrivate(t *testing.T) {
	var destroyed []string
	destroy := func(v any) { destroyed = append(destroyed, v.(string)) }
	c := newControl()
	s := c.Session()
	if s.Private() != nil {
		t.Error("something is private")
	}
	s.SetPrivate("a", destroy)
	s.SetPrivate("a", destroy)
	checkTold(t, &destroyed, "a")
	c.Begin(context.Background()).SetPrivate("b", destroy)
	checkTold(t, &destroyed, "a")
	s.SetPrivate(nil, nil)
	checkTold(t, &destroyed, "b")
	s.SetPrivate("c", destroy)
	c.Finish()
	if s.Private() != "c" || destroyed != nil {
		t.Error("the value does not live as long as the events")
	}
	c.Close()
	c.Close()
	checkTold(t, &destroyed, "c")
	c.Renew()
	if got := c.Session().Private(); got != nil {
		t.Errorf("the next client has %v", got)
	}
	c.Session().SetPrivate("d", nil)
	c.Close()
}

func TestRenew(t *testing.T) {
	c := inMessage(t, 0, &protocol.Connect{Host: view("mx"), Addr: client}, &protocol.Helo{Name: view("a")},
		protocol.NewMacro(protocol.CodeHelo, "x", "1"), mail("<a>"))
	old := c.Session()
	old.SetTimeout(time.Hour)
	old.SetPacketBuffer(5)
	old.Shelf().Set("x", 1)
	c.Finish()
	c.Close()
	c.Renew()
	want := told{
		Options: protocol.Options{Version: 6, Actions: protocol.ActionsAll}, Timeout: time.Hour, PacketBuffer: 5,
		State: protocol.StateNegotiateReplied, LastState: protocol.StateNegotiate,
	}
	s := c.Session()
	if got := tell(s); got != want {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if s == old || s.Macro("x") != "" || len(s.Shelf().Map()) > 0 || s.Result() != nil {
		t.Error("the next client knows of the last one")
	}
	old.SetTimeout(0)
	if s.Timeout() != time.Hour {
		t.Error("the session of the last client sets something")
	}
	m := c.Message(nil, discard{}, nil)
	m.AddHeader("X-A", "1")
	checkIs(t, m.Err())
}

func TestResetMessage(t *testing.T) {
	c := inMessage(t, 0, protocol.NewMacro(protocol.CodeHelo, "h", "1"), protocol.NewMacro(protocol.CodeMailFrom, "i", "Q"),
		mail("<a>"), rcpt("<b>"))
	s := c.Session()
	s.Shelf().Set("x", 1)
	begun := s.Result().Start
	s.ResetMessage()
	if s.Macro("i") != "" || s.Macro("h") != "1" || len(s.Shelf().Map()) > 0 {
		t.Errorf("macros %q %q, shelf %v", s.Macro("i"), s.Macro("h"), s.Shelf().Map())
	}
	receive(t, c, protocol.StatusContinue, rcpt("<c>"))
	r := s.Result()
	if r == nil || r.From != "" || len(r.Recipients) != 1 || !r.Start.Equal(begun) || r.NewBodySize != -1 {
		t.Errorf("result %+v", r)
	}
	if got := c.Result(time.Now()); got.State != protocol.StateEnvelopeRecipientReplied {
		t.Errorf("result %+v", got)
	}
	if _, err := c.Receive(rcpt("<d>"), time.Now()); err != nil {
		t.Fatal(err)
	}
	s.ResetMessage()
	_, _ = c.Apply(protocol.CodeRcptTo, protocol.StatusReject, protocol.StatusTempFail, 0)
	if r := s.Result(); r.Recipients != nil || r.Rejected != nil {
		t.Errorf("result %+v", r)
	}
	newControl().Session().ResetMessage() // outside a message there is nothing to reset
}
