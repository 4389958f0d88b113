package script

import (
	"time"

	"millstream/protocol"
)

// perform has the filter do what it does at an event, and returns its answer.
func (b *bareMilter) perform(code protocol.Code, subject string, ev any) Reply {
	for _, do := range b.script.On(code.String(), subject) {
		if r, ok := do.(Reply); ok {
			return r
		}
		Perform(do, b, ev)
	}
	return Reply{}
}

// subject returns what a line of a filter can be for.
func subject(cmd protocol.Command) string {
	switch c := cmd.(type) {
	case *protocol.Connect:
		return c.Host.String()
	case *protocol.Helo:
		return c.Name.String()
	case *protocol.MailFrom:
		return c.Addr.String()
	case *protocol.RcptTo:
		return c.Addr.String()
	case *protocol.Header:
		return c.Name.String()
	}
	return ""
}

// smtpReply returns the text for the SMTP client; nil if there is none that can be
// sent.
func smtpReply(r Reply) *protocol.SMTPReply {
	if !r.SMTP {
		return nil
	}
	var lines []string
	if r.Text != "" {
		lines = []string{r.Text}
	}
	text, err := protocol.NewSMTPReply(r.Code, r.Enhanced, lines...)
	if err != nil {
		return nil // the answer goes without it
	}
	return text
}

// LookupMacro is [Session].
func (b *bareMilter) LookupMacro(name string) (value string, ok bool) { return b.macros.Lookup(name) }

// SetTimeout is [Session].
func (*bareMilter) SetTimeout(time.Duration) {}

// SetPacketBuffer is [Session].
func (*bareMilter) SetPacketBuffer(int) {}

// negotiate answers an offer. An error ends the connection.
func (b *bareMilter) negotiate(offer protocol.Options) error {
	n := &bareNegotiation{protocol.Request{Actions: b.actions, Steps: b.steps()}}
	if n.Actions == 0 {
		n.Actions = offer.Normal().Actions
	}
	if offer.Version < protocol.MinVersion {
		return protocol.ErrVersionTooOld // without an answer
	}
	r := b.perform(protocol.CodeNegotiate, "", n)
	effect, _ := b.machine.Apply(r.Status, b.fallback) // what is not legal refuses the connection
	if b.script.Takes(protocol.CodeNegotiate.String()) && effect.Status != protocol.StatusContinue {
		n.Actions, n.Steps = protocol.ActionsAll, b.steps()
	}
	agreed, err := protocol.Agree(offer, n.Request)
	if effect.Status == protocol.StatusReject {
		err = protocol.ErrNegotiation
	}
	if err != nil {
		b.out = protocol.AppendReply(b.out, protocol.StatusReject, nil)
		return err
	}
	b.machine.Agreed(agreed)
	b.granted = agreed.Granted.Actions
	b.out = agreed.Append(b.out)
	return nil
}

// steps returns what follows from the filter: nothing is to be sent that it does not
// take, and nothing waited for that it does not answer. Envelope-from always comes,
// and is waited for where an abort is.
func (b *bareMilter) steps() protocol.Steps {
	steps := protocol.StepSkip
	for code := range protocol.Code(0x80) {
		event := code.String()
		switch answers := b.answers(event); {
		case !code.IsCommand():
		case code == protocol.CodeMailFrom:
			if !answers && !b.answers(protocol.CodeAbort.String()) {
				steps |= protocol.NoReply(code)
			}
		case !b.script.Takes(event):
			steps |= protocol.NoEvent(code)
		case !answers:
			steps |= protocol.NoReply(code)
		}
	}
	return steps
}

// answers reports whether the MTA is to wait for what the filter says to an event.
func (b *bareMilter) answers(event string) bool {
	return b.script.Answers(event) && !b.script.Observes(event)
}

// bareNegotiation is the event at the beginning.
type bareNegotiation struct{ protocol.Request }

// SetActions is [Negotiation].
func (n *bareNegotiation) SetActions(a protocol.Actions) { n.Actions = a }

// SetSteps is [Negotiation].
func (n *bareNegotiation) SetSteps(s protocol.Steps) { n.Steps = s }

// Require is [Negotiation].
func (n *bareNegotiation) Require(a protocol.Actions) { n.Required |= a }

// RequestMacros is [Negotiation].
func (n *bareNegotiation) RequestMacros(stage protocol.Stage, names ...string) {
	n.Macros.Add(stage, names...)
}
