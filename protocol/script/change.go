package script

import (
	"strings"
	"time"

	"millstream/protocol"
)

// change reads a change to a message.
func (s *scanner) change(word string, start int) (Do, error) {
	switch word {
	case flush, clearError:
		return Change{Word: word}, nil
	}
	code := answerFor(word)
	if protocol.ActionFor(code) == 0 && code != protocol.CodeProgress {
		return nil, s.fail(start, wantDo)
	}
	a, err := s.answer(word, start)
	return Change{Word: word, Answer: a}, err
}

const (
	flush      = "flush"
	clearError = "clear-error"
)

// Change changes the message.
type Change struct {
	Word   string
	Answer protocol.Answer
}

// String writes it as a script does.
func (c Change) String() string {
	if c.Answer.Code == 0 {
		return c.Word
	}
	return answerText(&c.Answer)
}

// A Message is the event at the end of a message, as in package handlers.
type Message interface {
	headerChanger
	envelopeChanger
	contentChanger
}

type headerChanger interface {
	AddHeader(name, value string)
	InsertHeader(index int, name, value string)
	ChangeHeader(name string, index int, value string)
}

type envelopeChanger interface {
	ChangeFrom(addr string, params ...string)
	AddRecipient(addr string, params ...string)
	DeleteRecipient(addr string)
}

type contentChanger interface {
	ReplaceBody(body []byte)
	Quarantine(reason string)
	Progress()
	Flush()
	ClearErr() error
}

// A Negotiation is the event at the beginning, as in package handlers.
type Negotiation interface {
	SetActions(protocol.Actions)
	SetSteps(protocol.Steps)
	Require(protocol.Actions)
	RequestMacros(stage protocol.Stage, names ...string)
}

// A Session is that of package handlers.
type Session interface {
	LookupMacro(name string) (value string, ok bool)
	SetTimeout(time.Duration)
	SetPacketBuffer(bytes int)
}

// Perform does what a filter does at an event and what is no answer.
func Perform(do Do, s Session, ev any) {
	m, _ := ev.(Message)
	n, _ := ev.(Negotiation)
	switch do := do.(type) {
	case Change:
		do.perform(m)
	case TellMacros:
		do.perform(s, m)
	case Ask:
		n.SetActions(do.Actions)
		n.SetSteps(do.Steps)
	case Require:
		n.Require(protocol.Actions(do))
	case AskMacros:
		n.RequestMacros(do.Stage, do.Names...)
	case Set:
		if do.Timeout >= 0 {
			s.SetTimeout(do.Timeout)
		} else {
			s.SetPacketBuffer(do.PacketBuffer)
		}
	case Panic:
		panic(string(do))
	}
}

// perform adds the headers.
func (m TellMacros) perform(s Session, msg Message) {
	for _, name := range m {
		told := name + " is not known"
		if value, ok := s.LookupMacro(name); ok {
			told = name + "=" + value
		}
		msg.AddHeader("X-Macro", told)
	}
}

// perform makes the change.
func (c Change) perform(m Message) {
	a := &c.Answer
	name, value := a.Name.String(), a.Value.String()
	switch a.Code {
	case protocol.CodeAddHeader:
		m.AddHeader(name, value)
	case protocol.CodeInsertHeader:
		m.InsertHeader(int(a.Index), name, value)
	case protocol.CodeChangeHeader:
		m.ChangeHeader(name, int(a.Index), value)
	case protocol.CodeChangeFrom:
		m.ChangeFrom(name, strings.Fields(value)...)
	case protocol.CodeAddRecipient, protocol.CodeAddRecipientParams:
		m.AddRecipient(name, strings.Fields(value)...)
	case protocol.CodeDeleteRecipient:
		m.DeleteRecipient(name)
	case protocol.CodeReplaceBody:
		m.ReplaceBody(a.Value)
	case protocol.CodeQuarantine:
		m.Quarantine(name)
	case protocol.CodeProgress:
		m.Progress()
	default:
		if c.Word == clearError {
			_ = m.ClearErr() // as was asked for
			return
		}
		m.Flush()
	}
}
