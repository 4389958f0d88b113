package handlers_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

// outlet keeps what is flushed, each time by itself, and counts the waits.
type outlet struct {
	mu      sync.Mutex
	flushes [][]byte
	waits   int
}

func (o *outlet) Flush(packets []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flushes = append(o.flushes, packets) // and not a copy
}

func (o *outlet) Wait() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waits++
}

// codesOf returns the codes of packets.
func codesOf(b []byte) (s string) {
	for len(b) > 0 {
		code, _, n, err := protocol.Frame(b, math.MaxInt32)
		if err != nil || n == 0 {
			return s + "?"
		}
		s += string(rune(code))
		b = b[n:]
	}
	return s
}

// flushed returns the codes of what was flushed, a word for each time.
func (o *outlet) flushed() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var words []string
	for _, b := range o.flushes {
		words = append(words, codesOf(b))
	}
	return strings.Join(words, " ")
}

// atEnd returns a control at the end of a message, and the event.
func atEnd(t *testing.T, buffer int, actions protocol.Actions) (*handlers.Control, *handlers.Message, *outlet) {
	t.Helper()
	c := inMessage(t, 0, mail("<a@example.com>"))
	c.Update(func(f *handlers.Facts) { f.PacketBuffer, f.Options.Actions = buffer, actions })
	if _, err := c.Receive(&protocol.EndOfMessage{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	o := &outlet{}
	m := c.Message(nil, o, nil)
	c.Begin(context.Background())
	return c, m, o
}

// changes has every change, what it needs, and the change with something missing.
var changes = []struct {
	op    string
	need  protocol.Actions
	do    func(*handlers.Message)
	empty func(*handlers.Message)
	wrong func(*handlers.Message)
	code  string
}{
	{
		"add-header", protocol.ActionAddHeaders,
		func(m *handlers.Message) { m.AddHeader("X-A", "1") },
		func(m *handlers.Message) { m.AddHeader("", "1") },
		func(m *handlers.Message) { m.AddHeader("X-A", "1\nX-B: 2") }, "h",
	},
	{
		"insert-header", protocol.ActionAddHeaders,
		func(m *handlers.Message) { m.InsertHeader(0, "X-A", "1") },
		func(m *handlers.Message) { m.InsertHeader(0, "", "1") },
		func(m *handlers.Message) { m.InsertHeader(-1, "X-A", "1") }, "i",
	},
	{
		"change-header", protocol.ActionChangeHeaders,
		func(m *handlers.Message) { m.ChangeHeader("X-A", 1, "2") },
		func(m *handlers.Message) { m.ChangeHeader("", 1, "2") },
		func(m *handlers.Message) { m.ChangeHeader("X:A", 1, "2") }, "m",
	},
	{
		"change-header", protocol.ActionChangeHeaders,
		func(m *handlers.Message) { m.DeleteHeader("X-A", 1) },
		func(m *handlers.Message) { m.DeleteHeader("", 1) },
		func(m *handlers.Message) { m.DeleteHeader("X-A", -1) }, "m",
	},
	{
		"change-from", protocol.ActionChangeFrom,
		func(m *handlers.Message) { m.ChangeFrom("<b@example.com>", "SIZE=9") },
		func(m *handlers.Message) { m.ChangeFrom("") },
		func(m *handlers.Message) { m.ChangeFrom("<b\r\n>") }, "e",
	},
	{
		"add-recipient", protocol.ActionAddRecipient,
		func(m *handlers.Message) { m.AddRecipient("<b@example.com>") },
		func(m *handlers.Message) { m.AddRecipient("") },
		func(m *handlers.Message) { m.AddRecipient("<b\x00>") }, "+",
	},
	{
		"add-recipient-params", protocol.ActionAddRecipientWithParams,
		func(m *handlers.Message) { m.AddRecipient("<b@example.com>", "NOTIFY=NEVER") },
		func(m *handlers.Message) { m.AddRecipient("<b@example.com>", "NOTIFY=NEVER", "") },
		func(m *handlers.Message) { m.AddRecipient("<b@example.com>", "a\nb") }, "2",
	},
	{
		"delete-recipient", protocol.ActionDeleteRecipient,
		func(m *handlers.Message) { m.DeleteRecipient("<b@example.com>") },
		func(m *handlers.Message) { m.DeleteRecipient("") },
		func(m *handlers.Message) { m.DeleteRecipient("<b\n>") }, "-",
	},
	{
		"replace-body", protocol.ActionChangeBody,
		func(m *handlers.Message) { m.ReplaceBody([]byte("New\r\n")) }, nil, nil, "b",
	},
	{
		"quarantine", protocol.ActionQuarantine,
		func(m *handlers.Message) { m.Quarantine("virus") },
		func(m *handlers.Message) { m.Quarantine("") },
		func(m *handlers.Message) { m.Quarantine("a\nb") }, "q",
	},
	{"progress", 0, func(m *handlers.Message) { m.Progress() }, nil, nil, ""},
}

// Each check comes before those below it.
func TestMessageChecks(t *testing.T) {
	for _, ch := range changes {
		check := func(when string, m *handlers.Message, f func(*handlers.Message), want error) {
			t.Helper()
			if f == nil {
				return
			}
			_ = m.ClearErr()
			f(m)
			if want == nil {
				checkIs(t, m.Err())
				return
			}
			e, ok := errors.AsType[*handlers.OpError](m.Err())
			if !ok || !errors.Is(e, want) || e.Op != ch.op || e.Need != ch.need || e.State != protocol.StateEndOfMessage {
				t.Errorf("%s %s: %+v, want %v", ch.op, when, m.Err(), want)
			}
		}
		c, m, _ := atEnd(t, 1<<20, protocol.ActionsAll)
		check("good", m, ch.do, nil)
		check("wrong", m, ch.wrong, protocol.ErrInvalidArgument)
		check("empty", m, ch.empty, protocol.ErrEmpty)
		_ = m.ClearErr()
		packets, failed, err := c.Conclude(m)
		if err != nil || failed || codesOf(packets) != ch.code {
			t.Errorf("%s: packets %s, failed %v, error %v", ch.op, codesOf(packets), failed, err)
		}

		c, m, _ = atEnd(t, 1<<20, protocol.ActionsAll&^ch.need)
		if ch.need != 0 {
			check("without its action", m, ch.do, protocol.ErrInvalidAction)
			check("wrong without its action", m, ch.wrong, protocol.ErrInvalidAction)
		}
		check("empty without its action", m, ch.empty, protocol.ErrEmpty)
		_ = m.ClearErr()
		_, _, _ = c.Conclude(m)
		check("after the answer", m, ch.do, protocol.ErrInvalidState)
		check("empty after the answer", m, ch.empty, protocol.ErrEmpty)
		c.Finish()
		_ = m.ClearErr()
		ch.do(m)
		checkIs(t, m.Err(), handlers.ErrSessionClosed)
		if ch.empty != nil {
			_ = m.ClearErr()
			ch.empty(m)
			checkIs(t, m.Err(), handlers.ErrSessionClosed)
		}
	}
}

// The first error sticks: nothing after it is done, until it is taken.
func TestMessageErrorSticks(t *testing.T) {
	c, m, o := atEnd(t, 1<<20, protocol.ActionsAll)
	m.AddHeader("X-A", "1")
	m.AddHeader("", "1")
	first := m.Err()
	for _, ch := range changes {
		ch.do(m)
	}
	m.Flush()
	if n, err := m.Body().Write([]byte("x")); n != 0 || !isErr(err, first) {
		t.Errorf("wrote %d, error %v", n, err)
	}
	if !isErr(m.Err(), first) {
		t.Errorf("error %v, want %v", m.Err(), first)
	}
	if got := o.flushed(); got != "" {
		t.Errorf("flushed %s", got)
	}
	packets, failed, err := c.Conclude(m)
	if packets != nil || !failed || !isErr(err, first) {
		t.Errorf("packets %q, failed %v, error %v", packets, failed, err)
	}
	if r := c.Session().Result(); r.Quarantined || len(r.AddedHeaders) != 1 {
		t.Errorf("result %+v", r)
	}

	c, m, _ = atEnd(t, 1<<20, protocol.ActionsAll)
	m.AddHeader("", "1")
	if err := m.ClearErr(); !errors.Is(err, protocol.ErrEmpty) || m.Err() != nil || m.ClearErr() != nil {
		t.Errorf("cleared %v, left %v", err, m.Err())
	}
	m.AddHeader("X-A", "1")
	if packets, failed, err := c.Conclude(m); codesOf(packets) != "h" || failed || err != nil {
		t.Errorf("packets %s, failed %v, error %v", codesOf(packets), failed, err)
	}
}

func TestMessageCan(t *testing.T) {
	_, m, _ := atEnd(t, 0, protocol.ActionAddHeaders|protocol.ActionQuarantine)
	for want, can := range map[protocol.Actions]bool{
		0: true, protocol.ActionAddHeaders: true, protocol.ActionAddHeaders | protocol.ActionQuarantine: true,
		protocol.ActionChangeBody: false, protocol.ActionChangeBody | protocol.ActionAddHeaders: false,
	} {
		if m.Can(want) != can {
			t.Errorf("Can(%v) = %v", want, !can)
		}
	}
}

func TestMessageChunk(t *testing.T) {
	c := newControl()
	if m := c.Message(nil, &outlet{}, nil); m.Chunk() != nil {
		t.Errorf("chunk %q", m.Chunk())
	}
	if m := c.Message(view("x"), &outlet{}, nil); string(m.Chunk()) != "x" {
		t.Errorf("chunk %q", m.Chunk())
	}
}
