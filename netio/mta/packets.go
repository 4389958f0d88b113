package mta

import "millstream/protocol"

// Packets are a client or a message as an MTA writes it to a milter, as long as the
// milter goes on with everything. A load generator makes them once and writes them
// often. They are only read, so several connections may share them.
type Packets struct {
	Bytes []byte
	Steps []Step
	IDs   []int // where in Bytes a queue id begins, in order: it is Mail.ID each time
}

// A Step is a command with its macros.
type Step struct {
	Code    protocol.Code
	Command int  // where in Bytes the command begins, behind the macros
	End     int  // where the step ends, and the next begins; at Command if only the macros are sent
	Waits   bool // there is an answer
}

// Greeting returns connect and helo.
func (t *Terms) Greeting(d Dialect, client *Client) *Packets {
	p := composer{Narrator: Narrator{Dialect: d, Terms: t, Client: client, Mail: &Mail{}}}
	p.step(&client.Connect)
	p.step(&client.Helo)
	return &p.Packets
}

// Message returns sender, recipients, data, headers, body and end. The first
// recipient is taken to be good.
func (t *Terms) Message(d Dialect, client *Client, m *Mail) *Packets {
	p := composer{Narrator: Narrator{Dialect: d, Terms: t, Client: client, Mail: m}}
	p.ids = &p.IDs
	p.step(&m.From)
	for i := range m.To {
		p.To = &m.To[i]
		p.step(p.To)
		p.Queued = true
	}
	p.step(&protocol.Data{})
	if t.Sends(protocol.CodeHeader) {
		for _, h := range m.Headers {
			h.Value = t.value(h.Value)
			p.step(&h)
		}
	}
	if t.Sends(protocol.CodeEndOfHeader) {
		p.step(&protocol.EndOfHeader{})
	}
	size := t.Options.Steps.MaxChunk()
	for rest := m.Body; len(rest) > 0 && t.Sends(protocol.CodeBody); {
		n := min(size, len(rest))
		p.step(&protocol.Body{Chunk: rest[:n]})
		rest = rest[n:]
	}
	p.step(&protocol.EndOfMessage{})
	return &p.Packets
}

// A composer makes Packets.
type composer struct {
	Packets
	Narrator
}

// step appends a command and its macros.
func (p *composer) step(cmd protocol.Command) {
	s := Step{Code: cmd.Code()}
	p.Bytes = p.define(p.Bytes, s.Code)
	s.Command = len(p.Bytes)
	if p.Terms.Sends(s.Code) {
		p.Bytes = cmd.Append(p.Bytes)
		s.Waits = p.Terms.Waits(s.Code)
	}
	s.End = len(p.Bytes)
	p.Steps = append(p.Steps, s)
}
