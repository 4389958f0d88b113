package handlers_test

import (
	"context"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

func TestUpdate(t *testing.T) {
	c := newControl()
	c.Update(func(f *handlers.Facts) {
		f.ID, f.Peer, f.Listener, f.Host, f.Client, f.Helo = 7, client, "l", "h", client, "x"
		f.RcptRefused, f.QuarantineReason, f.Timeout, f.PacketBuffer = true, "bad", time.Second, 1
		f.Result = &handlers.Result{From: "<a>"}
	})
	f := c.Facts()
	if f.ID != 7 || f.Peer != client || f.Listener != "l" || f.Host != "h" || f.Client != client || f.Helo != "x" {
		t.Errorf("facts %+v", f)
	}
	if !f.RcptRefused || f.QuarantineReason != "bad" || f.Timeout != time.Second || f.PacketBuffer != 1 {
		t.Errorf("facts %+v", f)
	}
	r := c.Session().Result()
	if r == f.Result || r.From != "<a>" {
		t.Errorf("result %+v", r)
	}
	if f.State != protocol.StateStart {
		t.Errorf("the state moves to %v", f.State)
	}
}

func TestUpdateState(t *testing.T) {
	c := newControl()
	c.Update(func(f *handlers.Facts) { f.State, f.Status = protocol.StateBodyReplied, protocol.StatusContinue })
	if f := c.Facts(); !f.InMessage || f.State != protocol.StateBodyReplied || c.Machine().State() != f.State {
		t.Errorf("facts %+v", f)
	}
	receive(t, c, protocol.StatusContinue, body("abc"))
	if r := c.Session().Result(); r == nil || r.BodySize != 3 || r.State != protocol.StateBodyReplied {
		t.Errorf("result %+v", r)
	}
	c.Update(func(f *handlers.Facts) { f.State = protocol.StateHeaderReplied })
	if r := c.Session().Result(); r.BodySize != 3 || r.State != protocol.StateHeaderReplied {
		t.Errorf("result %+v", r)
	}
	c.Update(func(f *handlers.Facts) { f.State = protocol.StateHeader })
	if f := c.Facts(); f.LastState != protocol.StateHeader || c.Machine().Pending() != protocol.CodeHeader {
		t.Errorf("facts %+v", f)
	}
	c.Update(func(f *handlers.Facts) { f.State = protocol.StateHeloReplied })
	if f := c.Facts(); f.InMessage || c.Session().Result() != nil {
		t.Errorf("facts %+v, result %+v", f, c.Session().Result())
	}
	c.Update(func(f *handlers.Facts) { f.Status = protocol.StatusReject })
	if got := c.Machine().Status(); got != protocol.StatusReject {
		t.Errorf("status %v", got)
	}
	c.Machine().Set(protocol.StateBodyReplied, protocol.StatusContinue) // behind the back of c
	receive(t, c, protocol.StatusContinue, body("abc"))
	if r := c.Session().Result(); r == nil || r.BodySize != 3 {
		t.Errorf("result %+v", r)
	}
}

func TestUpdateOptions(t *testing.T) {
	c := inMessage(t, 0, mail("<a>"))
	c.Update(func(f *handlers.Facts) { f.Options.Steps = protocol.StepNoReplyBody })
	if _, err := c.Receive(body("x"), time.Now()); err != nil {
		t.Fatal(err)
	}
	if e, err := c.Apply(protocol.CodeBody, protocol.StatusNoReply, protocol.StatusTempFail, 0); err != nil || e.Answer != protocol.StatusDefault {
		t.Errorf("%+v, error %v; want silence", e, err)
	}
}

func TestResultWithoutAMessage(t *testing.T) {
	c := newControl()
	if r := c.Session().Result(); r != nil {
		t.Errorf("result %+v", r)
	}
	if r := c.Result(time.Now()); r == nil || r.NewBodySize != -1 {
		t.Errorf("result %+v", r)
	}
}

// Siblings have in common what does not differ, until one of them is told otherwise.
func TestSibling(t *testing.T) {
	first := handlers.NewControl(context.Background(), handlers.Facts{
		ID: 1, Peer: client, Listener: "inet:1", Sessions: func() int { return 3 }, Timeout: time.Minute, PacketBuffer: 9,
	}, &handlers.ResultLimits{Recipients: 1})
	second, third := first.Sibling(2, protocol.Addr{}), first.Sibling(3, client)
	receive(t, second, 0, &protocol.Negotiate{Offer: offer}, &protocol.Helo{Name: view("a")}, mail("<a>"), rcpt("<b>"), rcpt("<c>"))
	if r := second.Session().Result(); len(r.Recipients) != 1 || !r.Truncated {
		t.Errorf("the limits are not those of the sibling: %+v", r)
	}
	second.Session().SetTimeout(time.Hour)
	second.Session().SetPacketBuffer(5)
	second.Update(func(f *handlers.Facts) { f.Listener, f.Sessions = "elsewhere", nil })
	want := told{
		ID: 3, Peer: client, Listener: "inet:1", Sessions: 3, Timeout: time.Minute, PacketBuffer: 9,
		State: protocol.StateStart, LastState: protocol.StateStart,
	}
	if got := tell(third.Session()); got != want {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if f := second.Facts(); f.ID != 2 || f.Peer != (protocol.Addr{}) || f.Timeout != time.Hour || f.PacketBuffer != 5 || f.Helo != "a" {
		t.Errorf("facts %+v", f)
	}
}
