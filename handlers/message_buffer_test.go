package handlers_test

import (
	"bytes"
	"math"
	"strings"
	"sync"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

func TestMessageBuffer(t *testing.T) {
	const size = 11 // of the packet of each header
	header := func(m *handlers.Message) { m.AddHeader("X-A", "1") }
	tests := []struct {
		name    string
		buffer  int
		changes []func(*handlers.Message)
		flushed string
		left    string
	}{
		{"none", 0, []func(*handlers.Message){header, header, changes[3].do}, "h h m", ""},
		{"one", size, []func(*handlers.Message){header, header, header}, "hh", "h"},
		{"just not two", 2*size - 1, []func(*handlers.Message){header, header, header}, "hh", "h"},
		{"two", 2 * size, []func(*handlers.Message){header, header}, "", "hh"},
		{"large", 1 << 20, []func(*handlers.Message){header, header}, "", "hh"},
		{"flush", 1 << 20, []func(*handlers.Message){header, (*handlers.Message).Flush, (*handlers.Message).Flush, header}, "h", "h"},
		{"progress", 1 << 20, []func(*handlers.Message){header, (*handlers.Message).Progress, (*handlers.Message).Progress, header}, "hp p", "h"},
		{"quarantine comes last", 0, []func(*handlers.Message){func(m *handlers.Message) { m.Quarantine("x") }, header}, "h", "q"},
	}
	for _, tt := range tests {
		c, m, o := atEnd(t, tt.buffer, protocol.ActionsAll)
		for _, f := range tt.changes {
			f(m)
		}
		packets, failed, err := c.Conclude(m)
		if o.flushed() != tt.flushed || codesOf(packets) != tt.left || failed || err != nil {
			t.Errorf("%s: flushed %q, left %q, error %v; want %q, %q", tt.name, o.flushed(), codesOf(packets), err, tt.flushed, tt.left)
		}
	}
}

// The outlet keeps what it is given, so the message must not use it again.
func TestMessageLeavesFlushedBytesAlone(t *testing.T) {
	c, m, o := atEnd(t, 0, protocol.ActionsAll)
	names := []string{"X-A", "X-B", "X-C", "X-D"}
	for _, name := range names {
		m.AddHeader(name, "1")
	}
	for i, b := range o.flushes {
		if !bytes.Contains(b, []byte(names[i])) {
			t.Errorf("flush %d is now %q", i, b)
		}
	}
	if _, _, err := c.Conclude(m); err != nil {
		t.Error(err)
	}
}

func TestMessageFlushAfterTheAnswer(t *testing.T) {
	c, m, o := atEnd(t, 1<<20, protocol.ActionsAll)
	m.AddHeader("X-A", "1")
	_, _, _ = c.Conclude(m)
	m.Flush()
	c.Prolong(m)
	if got := o.flushed(); got != "" {
		t.Errorf("flushed %s", got)
	}
}

func TestProlong(t *testing.T) {
	c, m, o := atEnd(t, 1<<20, protocol.ActionsAll)
	m.AddHeader("X-A", "1")
	c.Prolong(m)
	c.Prolong(m)
	m.ReplaceBody([]byte("x"))
	c.Prolong(m) // the MTA waits on for a piece of the body too
	c.Prolong(m)
	m.ReplaceBody([]byte("x"))
	checkIs(t, m.Err())
	m.AddHeader("X-B", "1")
	c.Prolong(m)
	if got := o.flushed(); got != "hp p b bhp" {
		t.Errorf("flushed %s", got)
	}
}

// The changes of each goroutine keep their order.
func TestMessageFromSeveralGoroutines(t *testing.T) {
	const writers, each = 4, 50
	c, m, o := atEnd(t, 64, protocol.ActionsAll)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				m.AddHeader("X-"+string(rune('A'+w)), strings.Repeat("i", i))
				m.Quarantine("x")
				_ = m.Err()
				_ = m.Can(protocol.ActionAddHeaders)
				_ = c.Facts()
			}
		})
	}
	wg.Go(func() {
		for range each {
			m.Flush()
			c.Prolong(m)
		}
	})
	wg.Wait()
	packets, failed, err := c.Conclude(m)
	if failed || err != nil {
		t.Fatal(err)
	}
	all := append(bytes.Join(o.flushes, nil), packets...)
	next := map[string]int{}
	for len(all) > 0 {
		code, payload, n, err := protocol.Frame(all, math.MaxInt32)
		if err != nil || n == 0 {
			t.Fatalf("packets %q: %v", all, err)
		}
		if all = all[n:]; code != protocol.CodeAddHeader {
			continue
		}
		a, _ := protocol.DecodeAnswer(code, payload)
		if len(a.Value) != next[a.Name.String()] {
			t.Errorf("%s: value %d comes where %d is due", a.Name, len(a.Value), next[a.Name.String()])
		}
		next[a.Name.String()]++
	}
	for w := range writers {
		if got := next["X-"+string(rune('A'+w))]; got != each {
			t.Errorf("%d headers of writer %d", got, w)
		}
	}
}
