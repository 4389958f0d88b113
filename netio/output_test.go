package netio

import (
	"bytes"
	"io"
	"testing"
	"time"

	"millstream/actors"
	"millstream/handlers"
	"millstream/protocol"
)

// TestLastOutput checks that the answers to what came before a bad packet arrive,
// with input left unread behind it.
func TestLastOutput(t *testing.T) {
	s, _ := serve(t, Config{}, handlers.Shared(everything()))
	for range 20 {
		c := raw(t, s)
		input := (&protocol.Negotiate{Offer: offer}).Append(nil)
		input = (&protocol.Helo{Name: protocol.View("mx")}).Append(input)
		input = append(input, 0, 0, 0, 0)
		input = append(input, make([]byte, 600<<10)...) // more than one read takes
		go func() { _, _ = c.Write(input) }()
		got := readAll(t, c)
		if want := (&protocol.Agreement{}).Append(nil); len(got) != len(want)+5 || got[len(got)-1] != byte(protocol.CodeContinue) {
			t.Fatalf("answers %q", got)
		}
	}
}

// TestBackPressure has a handler write a body that is far larger than what may wait
// for an MTA that reads slowly: it is held up, and everything arrives.
func TestBackPressure(t *testing.T) {
	const size, limit = 64 << 20, 1 << 20
	written := make(chan int, size/1000)
	s, _ := serve(t, Config{Sessions: actors.Config{MaxOutbound: limit, AutoProgress: -1}}, handlers.Shared(handlers.Go(
		func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			w := m.Body()
			piece := bytes.Repeat([]byte("0123456789abcde\n"), 4096)
			for n := 0; n < size; n += len(piece) {
				if _, err := w.Write(piece); err != nil {
					return handlers.TempFail
				}
				written <- n + len(piece)
			}
			return handlers.Accept
		})))
	c := dial(t, s)
	mustDo(t, c.Send(&protocol.MailFrom{Addr: protocol.View("<>")}))
	mustDo(t, c.Send(&protocol.EndOfMessage{}))
	most := 0
	for held := false; !held; {
		select {
		case most = <-written:
		case <-time.After(500 * time.Millisecond):
			held = true
		}
	}
	if most >= size/2 {
		t.Errorf("%d bytes were written to an MTA that reads none", most)
	}
	total := 0
	for {
		a, err := c.Read()
		mustDo(t, err)
		if a.Code == protocol.CodeReplaceBody {
			total += len(a.Value)
			continue
		}
		if a.Status() != protocol.StatusAccept {
			t.Errorf("answer %v", a.Code)
		}
		break
	}
	if total != size {
		t.Errorf("%d bytes of body, want %d", total, size)
	}
}

// TestUnreadReplies checks that an MTA which asks and never reads is let go.
func TestUnreadReplies(t *testing.T) {
	s, _ := serve(t, Config{Sessions: actors.Config{MaxOutbound: 4096}}, handlers.Shared(everything()))
	c := raw(t, s)
	packets := (&protocol.Negotiate{Offer: offer}).Append(nil)
	_, err := c.Write(packets)
	mustDo(t, err)
	packets = packets[:0]
	for range 4096 {
		packets = (&protocol.Helo{Name: protocol.View("mx")}).Append(packets)
	}
	for err == nil {
		_, err = c.Write(packets)
	}
	eventually(t, "the session ends", func() bool { return s.Len() == 0 })
	_, _ = io.Copy(io.Discard, c)
}
