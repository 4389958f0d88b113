package handlertest

import (
	"math"
	"sync"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// A Mail is a message to send.
type Mail struct {
	From    string // with its angle brackets; "" is the null sender
	To      []string
	Headers []handlers.Field
	Body    string // lines end in CRLF
}

// commands returns the commands that an MTA sends for m.
func (m *Mail) commands() []protocol.Command {
	from := m.From
	if from == "" {
		from = "<>"
	}
	list := []protocol.Command{&protocol.MailFrom{Addr: protocol.View(from)}}
	for _, to := range m.To {
		list = append(list, &protocol.RcptTo{Addr: protocol.View(to)})
	}
	list = append(list, &protocol.Data{})
	for _, h := range m.Headers {
		list = append(list, &protocol.Header{Name: protocol.View(h.Name), Value: protocol.View(h.Value)})
	}
	list = append(list, &protocol.EndOfHeader{})
	for body := m.Body; body != ""; {
		n := min(len(body), protocol.MaxBodyChunk)
		list = append(list, &protocol.Body{Chunk: protocol.View(body[:n])})
		body = body[n:]
	}
	return append(list, &protocol.EndOfMessage{})
}

// Send does a whole message: sender, recipients, headers, body and end, as far
// as the handler takes them. It stops at the first answer that ends the message. A
// message without a recipient left is given up, as an MTA does.
func (s *Session) Send(m Mail) (out Outcome) {
	s.t.Helper()
	s.ready()
	left := len(m.To)
	skip := s.agreed.Wire.Steps & protocol.StepNoEventMask // what the MTA does not send
	for _, cmd := range m.commands() {
		if step := protocol.NoEvent(cmd.Code()); step != 0 && skip.Has(step) {
			continue
		}
		out = s.Do(cmd)
		if !s.control.Machine().InMessage() {
			return out
		}
		switch out.Status {
		case protocol.StatusReject, protocol.StatusTempFail: // of a recipient
			if left--; left == 0 {
				s.Abort()
				return out
			}
		case protocol.StatusSkip:
			if s.agreed.Wire.Steps.Has(protocol.StepSkip) {
				skip |= protocol.StepNoBody
			}
		}
	}
	return out
}

// An Outcome is what an event came to.
type Outcome struct {
	Event   handlers.Kind
	Status  protocol.Status
	Text    string            // the SMTP reply, or ""
	Changes []protocol.Answer // of a Message, in order; owned
	Packets []byte            // what would be written
}

// decode returns o with the changes that are in its packets.
func (o Outcome) decode(t testing.TB) Outcome {
	t.Helper()
	for rest := o.Packets; len(rest) > 0; {
		code, body, n, err := protocol.Frame(rest, math.MaxInt32)
		if err == nil {
			var a protocol.Answer
			if a, err = protocol.DecodeAnswer(code, body); err == nil && !a.IsFinal() {
				o.Changes = append(o.Changes, a.Clone())
			}
		}
		if err != nil {
			t.Fatalf("handlertest: the MTA cannot read what was written: %v", err)
		}
		rest = rest[n:]
	}
	return o
}

// outlet has the changes that the handler flushed.
type outlet struct {
	mu      sync.Mutex
	packets [][]byte // kept as they are, as a real session does
}

// Flush is [handlers.Outlet].
func (o *outlet) Flush(packets []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.packets = append(o.packets, packets)
}

// Wait is [handlers.Outlet].
func (*outlet) Wait() {}

// take returns what was flushed since the last call.
func (o *outlet) take() (packets []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.packets {
		packets = append(packets, p...)
	}
	o.packets = nil
	return packets
}
