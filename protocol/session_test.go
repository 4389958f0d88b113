package protocol

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// A smallSession is the least that answers an MTA: it says Continue to everything,
// and adds a header at the end of a message.
type smallSession struct {
	t       *testing.T
	m       *Machine
	decoder Decoder
	macros  Macros
	in, out []byte
	told    []string // what handlers are told
}

// feed takes bytes from the MTA.
func (s *smallSession) feed(b []byte) {
	s.in = append(s.in, b...)
	for {
		code, body, n, err := Frame(s.in, DefaultMaxPacketSize)
		if err != nil {
			s.t.Fatal(err)
		}
		if n == 0 {
			return
		}
		command, err := s.decoder.Decode(code, body)
		if err != nil {
			s.t.Fatal(err)
		}
		s.take(command)
		s.in = slices.Delete(s.in, 0, n) // borrowed Views are void from here
	}
}

// take handles one command.
func (s *smallSession) take(command Command) {
	code := command.Code()
	turn, err := s.m.Receive(code)
	if err != nil {
		s.t.Fatal(err)
	}
	if turn.Aborts != StateInvalid {
		s.tell("abort(" + turn.Aborts.String() + ")")
		s.answer(code)
		if code != CodeAbort {
			s.take(command)
		}
		return
	}
	s.macros.Arrive(code)
	if turn.Pending || code == CodeMacro {
		s.tell(code.String())
	}
	switch {
	case code == CodeMacro:
		s.macros.Define(command.(*Macro))
	case turn.Pending:
		if n, ok := command.(*Negotiate); ok {
			s.agree(n.Offer)
		}
		s.answer(code)
	case code == CodeQuit:
		s.m.Finish()
		s.tell(s.m.State().String())
	default:
		s.out = AppendReply(s.out, turn.Answer, nil)
	}
}

func (s *smallSession) tell(event string) { s.told = append(s.told, event) }

func (s *smallSession) agree(offer Options) {
	a, err := Agree(offer, allEvents)
	if err != nil {
		s.t.Fatal(err)
	}
	s.m.Agreed(a)
	s.out = a.Append(s.out)
}

// answer answers what is pending.
func (s *smallSession) answer(next Code) {
	code := s.m.Pending()
	var err error
	if code == CodeEndOfMessage {
		if s.out, err = AppendAddHeader(s.out, "X-Spam", "no"); err != nil {
			s.t.Fatal(err)
		}
	}
	effect, err := s.m.Apply(StatusContinue, StatusTempFail)
	if err != nil {
		s.t.Fatal(err)
	}
	if code != CodeNegotiate {
		s.out = AppendReply(s.out, effect.Answer, nil)
	}
	s.macros.Answered(code)
	if effect.Ends {
		s.tell("message-processed(" + effect.Status.String() + ")")
		s.macros.EndMessage(next)
	}
}

// wholeSession is one connection with two messages, the second of which is given
// up: packets of the vectors.
var wholeSession = []struct {
	mta, milter string
	told        string
}{
	{"negotiate", "agreement", "negotiate"},
	{"macro-connect connect-inet", "continue", "define-macro connect"},
	{"helo", "continue", "helo"},
	{"mail", "continue", "envelope-from"},
	{"rcpt", "continue", "envelope-recipient"},
	{"data", "continue", "data"},
	{"header", "continue", "header"},
	{"end-of-header", "continue", "end-of-header"},
	{"body", "continue", "body"},
	{"end-of-message", "add-header continue", "end-of-message message-processed(continue)"},
	{"abort", "", ""},
	{
		"mail abort quit", "continue",
		"envelope-from abort(envelope-from-replied) message-processed(abort) finished",
	},
}

// packets returns the packets of several vectors.
func packets(t *testing.T, names string) (b []byte) {
	t.Helper()
	for name := range strings.FieldsSeq(names) {
		b = append(b, vector(t, name)...)
	}
	return b
}

// TestWholeSession plays a connection, in pieces of several sizes.
func TestWholeSession(t *testing.T) {
	for _, size := range []int{1 << 20, 1, 3, 7} {
		s := &smallSession{t: t, m: NewMachine()}
		for _, step := range wholeSession {
			s.out, s.told = nil, nil
			for piece := range slices.Chunk(packets(t, step.mta), size) {
				s.feed(piece)
			}
			if want := packets(t, step.milter); !bytes.Equal(s.out, want) {
				t.Errorf("%s in pieces of %d: answered %q, want %q", step.mta, size, s.out, want)
			}
			if told := strings.Join(s.told, " "); told != step.told {
				t.Errorf("%s in pieces of %d: handlers are told %q, want %q", step.mta, size, told, step.told)
			}
			if step.mta == "body" {
				if value, ok := s.macros.Lookup("j"); !ok || value != "mx.example.org" {
					t.Errorf("macro j is %q, %v", value, ok)
				}
			}
		}
	}
}

// TestFlows plays what real MTAs send. A word is a command, and what it gets: the
// letter of the answer, "abort" if it gives up a message, or "." for nothing.
func TestFlows(t *testing.T) {
	tests := []struct{ name, flow string }{
		{"postfix, one message", "O=O D=. C=c D=. H=c D=. M=c D=. R=c D=. T=c D=. L=c D=. L=c D=. N=c D=. B=c D=. E=c A=. A=. Q=."},
		{"postfix, sender refused", "O=O C=c H=c M=r A=. Q=."},
		{"postfix, the only recipient refused", "O=O C=c H=c M=c R=r A=abort A=. Q=."},
		{"postfix, recipient accepted for all", "O=O C=c H=c M=c R=a A=. A=. Q=."},
		{"postfix, message discarded at a header", "O=O C=c H=c M=c R=c T=c L=d A=. A=. Q=."},
		{"postfix, message refused at its end", "O=O C=c H=c M=c R=c T=c L=c N=c B=c E=r A=. A=. Q=."},
		{"postfix, TLS", "O=O C=c H=c A=. H=c M=c R=c T=c L=c N=c B=c E=c A=. A=. Q=."},
		{"postfix, TLS the other way round", "O=O C=c H=c H=c A=. M=c R=c A=abort Q=."},
		{"postfix, client begins again", "O=O C=c H=c M=c R=c A=abort M=c R=c T=c L=c N=c E=c A=. Q=."},
		{"sendmail, two messages", "O=O D=. C=c D=. H=c D=. M=c D=. R=c T=c L=c L=c N=c B=c D=. E=c M=c R=c T=c L=c N=c B=c E=t Q=."},
		{"sendmail, helo refused", "O=O C=c H=r M=c R=c T=c L=c N=c B=c E=c Q=."},
		{"sendmail, another filter refuses", "O=O C=c H=c M=c R=c T=c L=c A=abort M=c A=abort Q=."},
		{"unknown command", "O=O C=c U=r H=c M=c U=c R=c U=t T=c L=c N=c B=c E=c U=r Q=."},
		{"client leaves in a message", "O=O C=c H=c M=c R=c Q=abort"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := NewMachine()
			for i, word := range strings.Fields(tt.flow) {
				c, want, _ := strings.Cut(word, "=")
				if got := flowStep(t, m, Code(c[0]), want); got != want {
					t.Errorf("word %d, %s: got %s", i+1, word, got)
				}
			}
		})
	}
}

// flowStep gives m a command, has it answered with the status whose packet is
// wanted, and returns what the MTA gets.
func flowStep(t *testing.T, m *Machine, c Code, want string) string {
	t.Helper()
	turn, err := m.Receive(c)
	if err != nil {
		return err.Error()
	}
	if !turn.Pending {
		return packetLetter(turn.Answer)
	}
	s := StatusAllOptions
	if c != CodeNegotiate {
		s = (&Answer{Code: Code(want[0])}).Status()
	}
	effect, err := m.Apply(s, StatusTempFail)
	switch {
	case err != nil:
		return err.Error()
	case turn.Aborts != StateInvalid:
		return "abort"
	case c == CodeNegotiate:
		m.Agreed(Agreement{})
		return "O"
	}
	return packetLetter(effect.Answer)
}
