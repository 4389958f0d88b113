package main

import (
	"context"
	"fmt"
	"time"

	"millstream/netio/mta"
	"millstream/protocol"
)

// Answers of a stage that the milter was not asked.
const (
	notWanted   = "not wanted"
	notAnswered = "not answered"
)

// A sendDialog is the talk with the milter.
type sendDialog struct {
	*sendReport
	ctx    context.Context //nolint:containedctx // it lasts for one call of deliver
	conn   *mta.Conn
	macros *macroSource
}

// open connects.
func (d *sendDialog) open() error {
	ctx, cancel := context.WithTimeout(d.ctx, d.patience(protocol.CodeNegotiate))
	defer cancel()
	var err error
	if d.conn, err = mta.Dial(ctx, d.plan.socket); err == nil {
		d.conn.SetDialect(d.plan.dialect)
	}
	return err
}

// talk says everything, up to a verdict or an error.
func (d *sendDialog) talk() {
	if !d.ready(protocol.CodeNegotiate) {
		return
	}
	d.agreed, d.lists, d.err = d.conn.Negotiate(d.plan.offer)
	if d.err != nil {
		return
	}
	d.macros.Terms.Macros = d.lists
	if d.greet() && d.envelope() && d.content() {
		d.step(&protocol.EndOfMessage{}, "")
	}
	switch d.outcome.Stage {
	case 0, protocol.CodeConnect, protocol.CodeHelo, protocol.CodeEndOfMessage:
	default: // a message is begun, and goes no further
		_ = d.conn.Send(&protocol.Abort{}) // the verdict is known
	}
}

// ready puts the time limit of a command, and reports whether to go on.
func (d *sendDialog) ready(code protocol.Code) bool {
	d.err = d.conn.SetDeadline(time.Now().Add(d.patience(code)))
	if d.err == nil { // after the limit, as the end of ctx sets one, too
		d.err = d.ctx.Err()
	}
	return d.err == nil
}

// patience returns how long to wait for the answer to a command.
func (d *sendDialog) patience(code protocol.Code) time.Duration {
	switch {
	case d.plan.timeout > 0:
		return d.plan.timeout
	case code == protocol.CodeEndOfMessage:
		return contentTime
	}
	return commandTime
}

// greet tells of the client.
func (d *sendDialog) greet() bool {
	c := &d.plan.client
	what := c.Connect.Host.String()
	if a := c.Connect.Addr.String(); a != "" {
		what += " " + a
	}
	return d.step(&c.Connect, what) && d.step(&c.Helo, c.Helo.Name.String())
}

// envelope tells of the sender and the recipients, of which one at least must be
// taken.
func (d *sendDialog) envelope() bool {
	m := d.plan.mail
	d.macros.Mail = m
	if !d.step(&m.From, m.From.Addr.String()) {
		return false
	}
	for i := range m.To {
		if !d.recipient(i) {
			return false
		}
	}
	if n := len(d.outcome.Refused); n == len(m.To) {
		last := d.outcome.Refused[n-1]
		d.settle(protocol.CodeRcptTo, last.Status, last.Text)
		return false
	}
	d.macros.To = nil
	return d.step(&protocol.Data{}, "")
}

// recipient tells of one recipient. A refusal is of it alone.
func (d *sendDialog) recipient(i int) bool {
	to := &d.plan.mail.To[i]
	d.macros.To = to
	a, ok := d.do(to, to.Addr.String())
	if !ok {
		return false
	}
	switch s := a.Status(); s {
	case protocol.StatusReject, protocol.StatusTempFail:
		d.outcome.Refused = append(d.outcome.Refused, mta.Refusal{Recipient: i, Status: s, Text: a.Name.String()})
	case protocol.StatusDefault, protocol.StatusContinue:
		d.macros.Queued = true
	default:
		d.settle(protocol.CodeRcptTo, s, a.Name.String())
		return false
	}
	return true
}

// content sends header and body.
func (d *sendDialog) content() bool {
	if d.asked(protocol.CodeHeader) && !d.headers() {
		return false
	}
	if d.asked(protocol.CodeEndOfHeader) && !d.step(&protocol.EndOfHeader{}, "") {
		return false
	}
	return len(d.plan.mail.Body) == 0 || !d.asked(protocol.CodeBody) || d.body()
}

// asked reports whether the milter wants a command, and notes if not.
func (d *sendDialog) asked(code protocol.Code) bool {
	sends := d.conn.Sends(code)
	if !sends {
		d.stages = append(d.stages, sendStage{code: code, answer: notWanted})
	}
	return sends
}

// headers sends the headers.
func (d *sendDialog) headers() bool {
	keepsSpace := d.agreed.Steps.Has(protocol.StepHeaderLeadingSpace)
	for _, h := range d.plan.mail.Headers {
		if !keepsSpace && len(h.Value) > 0 && h.Value[0] == ' ' {
			h.Value = h.Value[1:]
		}
		if !d.step(&h, h.Name.String()) {
			return false
		}
	}
	return true
}

// body sends the body, until the milter has enough of it.
func (d *sendDialog) body() bool {
	size := d.agreed.Steps.MaxChunk()
	for rest := d.plan.mail.Body; len(rest) > 0 && d.conn.Sends(protocol.CodeBody); {
		n := min(size, len(rest))
		if !d.step(&protocol.Body{Chunk: rest[:n]}, fmt.Sprintf("%d bytes", n)) {
			return false
		}
		rest = rest[n:]
	}
	return true
}

// step sends a command and reports whether the mail goes on.
func (d *sendDialog) step(cmd protocol.Command, argument string) bool {
	a, ok := d.do(cmd, argument)
	if !ok {
		return false
	}
	s, code := a.Status(), cmd.Code()
	if (s.IsPass() || s == protocol.StatusSkip) && code != protocol.CodeEndOfMessage {
		return true
	}
	d.settle(code, s, a.Name.String())
	return false
}

// do sends a command with its macros, waits for the answer if there is one, and
// notes it; ok is false after an error.
func (d *sendDialog) do(cmd protocol.Command, argument string) (a protocol.Answer, ok bool) {
	code := cmd.Code()
	st := sendStage{code: code, argument: argument}
	sends := d.conn.Sends(code)
	st.answered = sends && d.conn.Waits(code)
	var macros []*protocol.Macro
	switch declined := d.agreed.Steps&protocol.NoEvent(code) != 0; {
	case sends:
		st.answer, macros = notAnswered, d.macros.of(code)
	case declined:
		st.answer, macros = notWanted, d.macros.of(code) // MTAs send the macros all the same
	default:
		st.answer = fmt.Sprintf("not in version %d", d.agreed.Version)
	}
	if !d.ready(code) {
		return a, false
	}
	begun := time.Now()
	var changes []protocol.Answer
	if a, changes, d.err = d.conn.Do(cmd, macros...); d.err != nil {
		return a, false
	}
	d.outcome.Changes = append(d.outcome.Changes, changes...)
	if st.answered {
		st.took, st.answer, st.text = time.Since(begun), a.Status().String(), a.Name.String()
	}
	d.stages = append(d.stages, st)
	return a, true
}

// settle makes an answer the verdict.
func (d *sendDialog) settle(stage protocol.Code, s protocol.Status, text string) {
	d.outcome.Stage, d.outcome.Status, d.outcome.Text = stage, s, text
}
