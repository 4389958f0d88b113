package actors

import (
	"math"
	"time"

	"millstream/protocol"
)

// taps is what the taps that were open when a session began keep of it. It belongs to
// the session, on its event loop; most sessions have none.
type taps []*tapped

// tapped is what one tap keeps of a session.
type tapped struct {
	tap     *Tap
	begin   TapEvent
	began   time.Time
	matched bool // it is shown
	other   bool // the SMTP client is one that is not looked for
	gap     bool // the last packet of the MTA is left out

	met     tapNeeds // of what the filter asks for
	named   bool     // the next message has a queue id that is looked for
	message bool     // a message is under way

	kept        []TapEvent // until it matches
	size        int        // of kept
	client      int        // where in kept the SMTP client begins; -1 before
	first, last int        // where the first message begins, and the one under way; -1 before
	missed      int        // packets before the next event
	missedBytes int
}

// tapped returns what the open taps keep of a session that begins.
func (s *System) tapped(one *session) *taps {
	open := s.taps.Load()
	if open == nil {
		return nil
	}
	f := one.control.Facts()
	list := new(taps)
	for _, t := range *open {
		if !t.reserve(2 * tapEventSize) { // for its beginning and its end
			t.miss()
			continue
		}
		k := &tapped{tap: t, began: one.loop.stamp, client: -1, first: -1, last: -1, begin: TapEvent{
			Kind: TapSession, Session: one.id, Began: one.loop.stamp, Peer: f.Peer, Listener: f.Listener,
		}}
		k.match()
		*list = append(*list, k)
	}
	return list
}

// sent takes the whole packets of a read, before they are handled. What is no packet
// and ends the session is taken as it came.
func (t *taps) sent(b []byte, d *protocol.Decoder, limit int) {
	if t == nil {
		return
	}
	for joined := false; ; joined = true {
		cmd, n := firstCommand(b, d, limit)
		if n == 0 {
			return
		}
		for _, one := range *t {
			one.sent(cmd, b[:n], joined)
		}
		b = b[n:]
	}
}

// firstCommand returns the command that b begins with, and its size; 0 if it is not
// whole. It is nil if the packet is none, and all of b if there is no packet.
func firstCommand(b []byte, d *protocol.Decoder, limit int) (cmd protocol.Command, n int) {
	code, body, n, err := protocol.Frame(b, limit)
	if err != nil {
		return nil, len(b)
	}
	if n == 0 {
		return nil, 0
	}
	if cmd, err = d.Decode(code, body); err != nil {
		return nil, n
	}
	return cmd, n
}

// answered takes the packets of a write.
func (t *taps) answered(b []byte) {
	if t == nil {
		return
	}
	for joined := false; len(b) > 0; joined = true {
		_, _, n, err := protocol.Frame(b, math.MaxInt32)
		if n == 0 || err != nil { // to be safe: nothing but whole packets is written
			return
		}
		for _, one := range *t {
			one.answered(b[:n], joined)
		}
		b = b[n:]
	}
}

// lost tells that the MTA closed the connection, or that it broke.
func (t *taps) lost(err error) {
	if err != nil {
		t.tell(TapReset)
		return
	}
	t.tell(TapLeft)
}

// tell tells of the end of the connection.
func (t *taps) tell(k TapKind) {
	if t == nil {
		return
	}
	for _, one := range *t {
		if !one.other {
			one.add(k, nil, false)
		}
	}
}

// end ends the session.
func (t *taps) end() {
	if t == nil {
		return
	}
	for _, one := range *t {
		one.end()
	}
}

// sent takes a packet of the MTA; cmd is nil if it is none that is known.
func (t *tapped) sent(cmd protocol.Command, packet []byte, joined bool) {
	if t.tap.closed.Load() {
		t.kept = nil
		return
	}
	if !t.matched && !t.look(cmd) {
		return
	}
	t.gap = !t.add(TapSent, packet, joined)
}

// answered takes a packet to the MTA. One that answers nothing that is shown is left
// out too.
func (t *tapped) answered(packet []byte, joined bool) {
	switch {
	case t.other:
	case t.gap:
		t.leaveOut(packet)
	default:
		t.add(TapAnswered, packet, joined)
	}
}

// look looks at a command of a session that does not match yet. It returns false if it
// is of no interest, whatever comes.
func (t *tapped) look(cmd protocol.Command) bool {
	if _, ok := cmd.(*protocol.QuitNewConnection); ok {
		t.forgetClient()
		t.other, t.met, t.named = false, 0, false
		return false
	}
	if t.other {
		return false
	}
	if _, ok := cmd.(*protocol.Negotiate); !ok && t.client < 0 {
		t.client = len(t.kept)
	}
	f := &t.tap.filter
	switch c := cmd.(type) {
	case *protocol.Connect:
		ok := f.client(c.Addr)
		if t.other = !ok && f.needs&needClient != 0; t.other {
			t.forgetClient()
			return false
		}
		t.meet(needClient, ok)
	case *protocol.Macro:
		t.lookAtMacros(c)
	case *protocol.MailFrom:
		t.beginMessage()
		t.met &^= needOfMessage
		t.meet(needFrom, anyPattern(f.From, c.Addr))
		t.meet(needQueueID, t.named)
		t.named = false
	case *protocol.RcptTo:
		t.meet(needRecipient, anyPattern(f.Recipients, c.Addr))
	case *protocol.EndOfMessage, *protocol.Abort:
		t.message = false
		t.met &^= needOfMessage
	}
	t.match()
	return true
}

// lookAtMacros looks for the queue id. Before a message it is that of the next one.
func (t *tapped) lookAtMacros(m *protocol.Macro) {
	found := t.tap.filter.queueID(m)
	switch m.Stage {
	case protocol.CodeMailFrom:
		t.beginMessage()
		t.named = found
	case protocol.CodeConnect, protocol.CodeHelo:
		t.named = t.named || found
	default:
		t.meet(needQueueID, found)
	}
}

// meet notes that something is as it was asked for.
func (t *tapped) meet(need tapNeeds, ok bool) {
	if ok {
		t.met |= need
	}
}

// beginMessage notes where a message begins, unless its macros have told.
func (t *tapped) beginMessage() {
	if t.message {
		return
	}
	t.message, t.last = true, len(t.kept)
	if t.first < 0 {
		t.first = t.last
	}
}

// match shows the session if it has all that was asked for.
func (t *tapped) match() {
	if needs := t.tap.filter.needs; t.met&needs != needs {
		return
	}
	t.matched = true
	t.tap.push(append([]TapEvent{t.begin}, t.kept...)...)
	t.kept, t.size = nil, 0
}
