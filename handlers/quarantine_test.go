package handlers_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

func TestQuarantine(t *testing.T) {
	c, m, _ := atEnd(t, 1<<20, protocol.ActionsAll)
	m.Quarantine("virus")
	m.Quarantine("worm")
	if got := c.Session().QuarantineReason(); got != "worm" {
		t.Errorf("reason %q", got)
	}
	packets, _, _ := c.Conclude(m)
	if want, _ := protocol.AppendQuarantine(nil, "worm"); !bytes.Equal(packets, want) {
		t.Errorf("packets %q, want %q", packets, want)
	}
	if r := c.Session().Result(); !r.Quarantined || r.QuarantineReason != "worm" {
		t.Errorf("result %+v", r)
	}
}

// A message is not held when its answer is not the handler's.
func TestQuarantineOfAFailure(t *testing.T) {
	quarantine := func(r handlers.Reply) handlers.Handler {
		return handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			m.Quarantine("virus")
			return r
		})
	}
	tests := []struct {
		name    string
		handler handlers.Handler
		after   func(*handlers.Control)
		status  protocol.Status
		want    bool
	}{
		{"answered", quarantine(handlers.Accept), nil, protocol.StatusAccept, true},
		{"refused", quarantine(handlers.Reject), nil, protocol.StatusReject, true},
		{"failed", quarantine(handlers.Failed(io.EOF)), nil, protocol.StatusTempFail, false},
		{"failed later", quarantine(later(handlers.Failed(io.EOF))), nil, protocol.StatusTempFail, false},
		{"aborted", quarantine(handlers.Accept), func(c *handlers.Control) { c.Over(handlers.ErrAborted) }, protocol.StatusAccept, false},
		{"not legal", quarantine(handlers.Skip), nil, protocol.StatusSkip, false},
	}
	for _, tt := range tests {
		c, m, _ := atEnd(t, 1<<20, protocol.ActionsAll)
		ask(c, tt.handler, m)
		if tt.after != nil {
			tt.after(c)
		}
		packets, failed, err := c.Conclude(m)
		if failed || err != nil {
			t.Errorf("%s: failed %v, error %v", tt.name, failed, err)
		}
		_, _ = c.Apply(protocol.CodeEndOfMessage, tt.status, protocol.StatusTempFail, 0)
		r := c.Result(time.Now())
		if r.Quarantined != tt.want || (r.QuarantineReason != "") != tt.want {
			t.Errorf("%s: result %+v", tt.name, r)
		}
		if tt.name != "not legal" && (codesOf(packets) == "q") != tt.want {
			t.Errorf("%s: packets %s", tt.name, codesOf(packets))
		}
	}
}

// A reason that was set by hand is checked when it is to be written.
func TestQuarantineByHand(t *testing.T) {
	for _, tt := range []struct {
		actions protocol.Actions
		reason  string
		want    error
	}{
		{protocol.ActionsAll, "virus", nil},
		{0, "virus", protocol.ErrInvalidAction},
		{protocol.ActionsAll, "a\nb", protocol.ErrInvalidArgument},
	} {
		c, m, _ := atEnd(t, 1<<20, protocol.ActionsAll)
		m.AddHeader("X-A", "1")
		c.Update(func(f *handlers.Facts) { f.Options.Actions, f.QuarantineReason = tt.actions, tt.reason })
		packets, failed, err := c.Conclude(m)
		if failed || !errors.Is(err, tt.want) || codesOf(packets) != map[bool]string{true: "hq", false: "h"}[tt.want == nil] {
			t.Errorf("%q: packets %s, failed %v, error %v", tt.reason, codesOf(packets), failed, err)
		}
	}
}

// The reason belongs to the message.
func TestQuarantineIsForgotten(t *testing.T) {
	c, m, _ := atEnd(t, 1<<20, protocol.ActionsAll)
	m.Quarantine("virus")
	_, _, _ = c.Conclude(m)
	_, _ = c.Apply(protocol.CodeEndOfMessage, protocol.StatusContinue, protocol.StatusTempFail, 0)
	c.EndMessage(0)
	if got := c.Session().QuarantineReason(); got != "" {
		t.Errorf("reason %q", got)
	}
	c.Update(func(f *handlers.Facts) { f.QuarantineReason = "old" })
	receive(t, c, protocol.StatusContinue, mail("<a>"))
	if _, err := c.Receive(&protocol.EndOfMessage{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := c.Session().QuarantineReason(); got != "" {
		t.Errorf("reason %q at the end of the next message", got)
	}
}
