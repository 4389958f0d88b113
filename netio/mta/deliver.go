package mta

import "millstream/protocol"

// A delivery is a message, or the client before it, on its way through a milter.
type delivery struct {
	Narrator
	c   *Conn
	out Outcome
	err error
}

func (c *Conn) delivery(m *Mail) delivery {
	return delivery{Narrator: Narrator{Dialect: c.dialect, Terms: &c.terms, Client: c.client, Mail: m}, c: c}
}

// Greet tells the milter of an SMTP client: connect and helo, with their macros.
// An answer other than Continue is the outcome of each message of this client, and
// Deliver sends none of them. The same Conn may be used for another client after
// Send of a protocol.QuitNewConnection.
func (c *Conn) Greet(client *Client) (Outcome, error) {
	c.client, c.verdict = client, Outcome{}
	d := c.delivery(&Mail{})
	if !d.step(&client.Connect) || !d.step(&client.Helo) {
		c.verdict = d.out
		return d.out, d.err
	}
	return Outcome{Status: protocol.StatusContinue, Stage: protocol.CodeHelo}, c.flush()
}

// Deliver sends a message and returns its outcome: sender, recipients, data,
// headers, body and end, as far as the milter wants them, with the macros that it
// asked for or that the MTA sends by default. It stops at the first verdict, as
// MTAs do. A refused recipient is left out; if all are, the message is aborted.
//
// Commands without an answer are gathered and written with the next one that has
// an answer.
func (c *Conn) Deliver(m *Mail) (Outcome, error) {
	if !c.verdict.Status.IsPass() {
		return c.verdict, nil
	}
	d := c.delivery(m)
	if d.step(&m.From) && d.recipients() && d.step(&protocol.Data{}) && d.headers() && d.body() {
		d.step(&c.end)
	}
	return d.out, d.err
}

// step sends a command and its macros, and reports whether the message goes on.
func (d *delivery) step(cmd protocol.Command) bool {
	a, ok := d.do(cmd)
	if !ok {
		return false
	}
	s := a.Status()
	if (s.IsPass() || s == protocol.StatusSkip) && cmd.Code() != protocol.CodeEndOfMessage {
		return true
	}
	d.settle(cmd.Code(), &a)
	return false
}

// do sends a command and its macros, and waits for the answer if there is one; ok
// is false after an error.
func (d *delivery) do(cmd protocol.Command) (a protocol.Answer, ok bool) {
	code := cmd.Code()
	d.c.out = d.define(d.c.out, code)
	waits := d.c.Sends(code) && d.c.Waits(code)
	if d.err = d.c.gather(cmd); d.err != nil {
		return a, false
	}
	if !waits && d.Dialect != Sendmail && len(d.c.out) < maxGathered {
		return a, true
	}
	if d.err = d.c.flush(); d.err == nil && waits {
		a, d.out.Changes, d.err = d.c.await(code)
	}
	return a, d.err == nil
}

// settle makes a the end of the message.
func (d *delivery) settle(stage protocol.Code, a *protocol.Answer) {
	d.out.Status, d.out.Stage, d.out.Text = a.Status(), stage, a.Name.String()
}

// recipients sends the recipients, of which one at least must be taken.
func (d *delivery) recipients() bool {
	to := d.Mail.To
	for i := range to {
		d.To = &to[i]
		a, ok := d.do(d.To)
		if !ok {
			return false
		}
		switch s := a.Status(); s {
		case protocol.StatusDefault, protocol.StatusContinue:
			d.Queued = true
		case protocol.StatusReject, protocol.StatusTempFail:
			d.out.Refused = append(d.out.Refused, Refusal{i, s, a.Name.String()})
		default:
			d.settle(protocol.CodeRcptTo, &a)
			return false
		}
	}
	n := len(d.out.Refused)
	if n == 0 || n < len(to) {
		return true
	}
	last := &d.out.Refused[n-1]
	d.out.Status, d.out.Stage, d.out.Text = last.Status, protocol.CodeRcptTo, last.Text
	d.err = d.c.Send(&protocol.Abort{})
	return false
}

// headers sends the headers and their end.
func (d *delivery) headers() bool {
	if d.c.Sends(protocol.CodeHeader) {
		for _, h := range d.Mail.Headers {
			h.Value = d.Terms.value(h.Value)
			d.c.header = h
			if !d.step(&d.c.header) {
				return false
			}
		}
	}
	return !d.c.Sends(protocol.CodeEndOfHeader) || d.step(&protocol.EndOfHeader{})
}

// body sends the body, until the milter has enough of it.
func (d *delivery) body() bool {
	size := d.Terms.Options.Steps.MaxChunk()
	for rest := d.Mail.Body; len(rest) > 0 && d.c.Sends(protocol.CodeBody); {
		n := min(size, len(rest))
		d.c.chunk.Chunk = rest[:n]
		if !d.step(&d.c.chunk) {
			return false
		}
		rest = rest[n:]
	}
	return true
}
