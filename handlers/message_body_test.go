package handlers_test

import (
	"bytes"
	"io"
	"math"
	"slices"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// The pieces of a new body follow each other.
func TestMessageBodyRun(t *testing.T) {
	body := func(m *handlers.Message) { m.ReplaceBody([]byte("x")) }
	for _, ch := range changes {
		_, m, _ := atEnd(t, 1<<20, protocol.ActionsAll)
		ch.do(m) // before it anything may come
		body(m)
		body(m)
		checkIs(t, m.Err())
		ch.do(m)
		body(m)
		closes := ch.op != "replace-body" && ch.op != "quarantine" // which goes out last
		if !closes {
			checkIs(t, m.Err())
			continue
		}
		checkIs(t, m.Err(), handlers.ErrBodyInterleaved, protocol.ErrInvalidState)
		_ = m.ClearErr()
		ch.do(m)
		checkIs(t, m.Err()) // the others go on
	}
}

func TestMessageBody(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 70000)
	tests := []struct {
		name   string
		write  func(*handlers.Message)
		pieces []int
		size   int64
	}{
		{"none", func(*handlers.Message) {}, nil, -1},
		{"empty", func(m *handlers.Message) { m.ReplaceBody(nil) }, []int{0}, 0},
		{"small", func(m *handlers.Message) { m.ReplaceBody([]byte("abc")) }, []int{3}, 3},
		{"several", func(m *handlers.Message) {
			m.ReplaceBody([]byte("abc"))
			m.ReplaceBody(nil)
			m.ReplaceBody([]byte("de"))
		}, []int{3, 0, 2}, 5},
		{"big", func(m *handlers.Message) { m.ReplaceBody(big) }, []int{65535, 4465}, 70000},
		{"whole pieces", func(m *handlers.Message) { m.ReplaceBody(big[:65535]) }, []int{65535}, 65535},
		{"writer", func(m *handlers.Message) {
			n, err := io.Copy(m.Body(), io.LimitReader(bytes.NewReader(big), 100))
			if n != 100 || err != nil {
				t.Errorf("copied %d, error %v", n, err)
			}
		}, []int{100}, 100},
	}
	for _, tt := range tests {
		c, m, _ := atEnd(t, 1<<20, protocol.ActionsAll)
		tt.write(m)
		size := c.Session().Result().NewBodySize
		packets, _, _ := c.Conclude(m)
		var pieces []int
		for len(packets) > 0 {
			_, chunk, n, _ := protocol.Frame(packets, math.MaxInt32)
			pieces = append(pieces, len(chunk))
			packets = packets[n:]
		}
		if !slices.Equal(pieces, tt.pieces) || size != tt.size {
			t.Errorf("%s: pieces %v, %d bytes; want %v, %d", tt.name, pieces, size, tt.pieces, tt.size)
		}
	}
}

// Only what may block waits while too much is on its way.
func TestMessageWaits(t *testing.T) {
	write := func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
		m.AddHeader("X-A", "1")
		m.ReplaceBody([]byte("x"))
		m.ReplaceBody([]byte("x"))
		return handlers.Continue
	}
	tests := []struct {
		name    string
		handler handlers.Handler
		waits   int
	}{
		{"on", handlers.On(write), 0},
		{"go", handlers.Go(write), 2},
		{"on after go", handlers.Chain(handlers.Go(pass[*handlers.Message]), handlers.On(write)), 0},
		{"failed", handlers.Go(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			m.AddHeader("", "")
			m.ReplaceBody([]byte("x"))
			return handlers.Continue
		}), 0},
	}
	for _, tt := range tests {
		c, m, o := atEnd(t, 0, protocol.ActionsAll)
		ask(c, tt.handler, m)
		if o.waits != tt.waits {
			t.Errorf("%s: waits %d times, want %d", tt.name, o.waits, tt.waits)
		}
	}
}
