package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"millstream/actors"
	"millstream/protocol"
	"millstream/protocol/script"
)

// Lines of a dialog that are longer than longLine bytes are shortened to shortLine.
const (
	longLine  = 160
	shortLine = 100
)

// A dialog shows the events of a tap as people read them.
type dialog struct {
	out, errOut io.Writer
	full, once  bool
	to          *recorder // nil if nothing is recorded
	sessions    map[uint64]*dialogSession
}

// dialogSession is what is known of a session that is shown.
type dialogSession struct {
	sent   bool       // the last line is a packet of the MTA: another one can join it
	record *recording // nil if it is not recorded
}

// show shows an event. over says that no more is to be shown.
func (d *dialog) show(e *actors.TapEvent) (over bool, err error) {
	if e.Kind == actors.TapMissed {
		fmt.Fprintf(d.errOut, "millstream: %d sessions began that the server had no room for\n", e.Missed)
		return false, nil
	}
	s := d.sessions[e.Session]
	if e.Kind == actors.TapSession {
		if d.once && len(d.sessions) > 0 {
			return false, nil
		}
		s = &dialogSession{}
		if s.record, err = d.to.begin(e); err != nil {
			return false, err
		}
		d.sessions[e.Session] = s
	}
	if s == nil { // it began while another one was the only one to be shown
		return false, nil
	}
	if err := d.lines(s, e); err != nil {
		return false, err
	}
	if e.Kind != actors.TapEnd {
		return false, nil
	}
	delete(d.sessions, e.Session)
	return d.once, s.record.end(d.errOut, true)
}

// lines prints the lines of an event, and records them.
func (d *dialog) lines(s *dialogSession, e *actors.TapEvent) error {
	if e.Missed > 0 {
		note := fmt.Sprintf("# %d packets are missing here, %d bytes", e.Missed, e.MissedBytes)
		s.record.miss(e.Missed, note)
		if err := d.print(e, note); err != nil {
			return err
		}
	}
	step := stepOf(s, e)
	s.sent = e.Kind == actors.TapSent
	s.record.step(e, step)
	return d.print(e, d.text(e, step))
}

// print prints a line of a session.
func (d *dialog) print(e *actors.TapEvent, text string) error {
	_, err := fmt.Fprintf(d.out, "%6d %9.3f  %s\n", e.Session, e.At.Seconds(), text)
	return err
}

// stepOf returns the line of a script that an event is.
func stepOf(s *dialogSession, e *actors.TapEvent) script.Step {
	switch e.Kind {
	case actors.TapSession:
		peer := strings.TrimSuffix(e.Peer.String(), ":") // a Unix socket without a name
		return script.Comment(fmt.Sprintf("# session %d of %s at %s, begun %s",
			e.Session, peer, e.Listener, e.Began.Format(time.RFC3339)))
	case actors.TapSent:
		return script.Sent(e.Packet, e.Joined && s.sent)
	case actors.TapAnswered:
		return script.Received(e.Packet)
	case actors.TapLeft:
		return &script.Send{Leave: "close"}
	case actors.TapReset:
		return &script.Send{Leave: "reset"}
	case actors.TapClosed:
		return &script.Receive{Close: true}
	case actors.TapEnd:
		return script.Comment("# the session is over")
	}
	return script.Comment("# " + string(e.Kind))
}

// text returns the line of an event for people: what a packet means, if that can be
// told, rather than its bytes.
func (d *dialog) text(e *actors.TapEvent, step script.Step) string {
	code, body, n, _ := protocol.Frame(e.Packet, len(e.Packet))
	if send, ok := step.(*script.Send); ok && send.Command == nil && n > 0 {
		if c, err := new(protocol.Decoder).Decode(code, body); err == nil {
			step = &script.Send{Joined: send.Joined, Command: c}
		}
	}
	text := step.String()
	if d.full || len(text) <= longLine || code == protocol.CodeNegotiate || code == protocol.CodeMacro {
		return text
	}
	cut := shortLine
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%s… (%d bytes)", text[:cut], len(body))
}

// interrupt ends the recording of the sessions that go on.
func (d *dialog) interrupt() (err error) {
	for _, id := range slices.Sorted(maps.Keys(d.sessions)) {
		if more := d.sessions[id].record.end(d.errOut, false); err == nil {
			err = more
		}
	}
	return err
}
