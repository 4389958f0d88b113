package script

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"millstream/protocol"
)

// Receive is a line of the milter: an answer, or one of those that are none.
type Receive struct {
	Answer  protocol.Answer // if Code is set
	Raw     []byte          // a packet that makes no sense
	Nothing bool            // no answer comes
	Close   bool            // the milter closes the connection
	Begins  string          // any answer whose line goes on so behind its arrow
}

// String returns the line.
func (l *Receive) String() string {
	switch {
	case l.Begins != "":
		return "<~ " + l.Begins
	case l.Nothing:
		return "<- nothing"
	case l.Close:
		return "<- close"
	case l.Answer.Code == 0:
		var r Raw
		for _, b := range l.Raw {
			r = append(r, RawPiece{Text: string([]byte{b})})
		}
		return "<- raw" + r.String()
	}
	return "<- " + answerText(&l.Answer)
}

// answerText returns an answer as it stands in a script.
func answerText(a *protocol.Answer) string {
	word := a.Code.String()
	name, value := a.Name.String(), a.Value.String()
	switch a.Code {
	case protocol.CodeNegotiate:
		return word + agreedText(a.Offer, &a.Macros)
	case protocol.CodeReplyText:
		return a.Status().String() + " " + quoteText(name)
	case protocol.CodeAddHeader:
		return word + " " + field(name, value)
	case protocol.CodeInsertHeader, protocol.CodeChangeHeader:
		return word + " " + strconv.FormatUint(uint64(a.Index), 10) + " " + field(name, value)
	case protocol.CodeAddRecipientParams:
		return protocol.CodeAddRecipient.String() + " " + quoteWord(name) + " " + quoteText(value)
	case protocol.CodeChangeFrom:
		word += " " + quoteWord(name)
		if a.Value != nil {
			word += " " + quoteText(value)
		}
		return word
	case protocol.CodeAddRecipient, protocol.CodeDeleteRecipient:
		return word + " " + quoteWord(name)
	case protocol.CodeQuarantine:
		return word + " " + quoteText(name)
	case protocol.CodeReplaceBody:
		return word + " " + quoteText(value)
	}
	return word
}

// suits reports whether a line of the milter is one that was expected.
func (l *Receive) suits(got Step) bool {
	line := got.String()
	if l.Begins == "" {
		return line == l.String()
	}
	return strings.HasPrefix(line, "<- "+l.Begins)
}

const wantAnswer = "an answer such as continue, nothing or close"

// receive reads a line of the milter.
func (s *scanner) receive() (Step, error) {
	s.done()
	start := s.pos
	word, err := s.word(wantAnswer)
	if err != nil {
		return nil, err
	}
	l := &Receive{}
	switch word {
	case "nothing":
		l.Nothing = true
	case "close":
		l.Close = true
	case "raw":
		raw, err := s.raw()
		if err != nil {
			return nil, err
		}
		l.Raw = (&Send{Raw: raw}).Append(nil)
	default:
		l.Answer, err = s.answer(word, start)
	}
	if err != nil {
		return nil, err
	}
	return l, s.end()
}

// begins reads how an answer begins.
func (s *scanner) begins() (Step, error) {
	s.done()
	start := s.pos
	word, err := s.word(wantAnswer)
	if err != nil {
		return nil, err
	}
	if answerFor(word) == 0 || s.text[start] == '"' {
		return nil, s.fail(start, "the beginning of an answer such as add-header X-Test: yes")
	}
	text := s.text[start:]
	if strings.ContainsFunc(text, notPrint) || !utf8.ValidString(text) {
		return nil, s.fail(start, "a text that prints")
	}
	s.pos = len(s.text)
	return &Receive{Begins: text}, nil
}

// answerFor returns the code that a word stands for; 0 if there is none.
func answerFor(word string) protocol.Code {
	for c := range protocol.Code(0x80) {
		if (!c.IsCommand() || c == protocol.CodeNegotiate) && c.String() == word {
			switch c {
			case protocol.CodeReplyText, protocol.CodeAddRecipientParams, protocol.CodeSymbolList:
				return 0 // no words of their own
			}
			return c
		}
	}
	return 0
}

// answer reads what follows the word of an answer, which begins at start.
func (s *scanner) answer(word string, start int) (a protocol.Answer, err error) {
	a.Code = answerFor(word)
	switch a.Code {
	case protocol.CodeNegotiate:
		a.Offer, a.Macros, err = s.agreed()
	case protocol.CodeReject, protocol.CodeTempFail:
		err = s.replyText(&a)
	case protocol.CodeAddHeader:
		err = s.fieldOf(&a)
	case protocol.CodeInsertHeader, protocol.CodeChangeHeader:
		if a.Index, err = s.index(); err == nil {
			err = s.fieldOf(&a)
		}
	case protocol.CodeChangeFrom, protocol.CodeAddRecipient:
		err = s.addressOf(&a)
	case protocol.CodeDeleteRecipient:
		a.Name, err = s.argument("an address such as <a@example>")
	case protocol.CodeQuarantine:
		a.Name, err = s.textArgument()
	case protocol.CodeReplaceBody:
		var body string
		body, err = s.rest()
		a.Value = protocol.View(body)
	default:
		if strings.HasPrefix(a.Code.String(), "0x") {
			err = s.fail(start, wantAnswer)
		}
	}
	return a, err
}

// textArgument reads a text that ends with a NUL on the wire.
func (s *scanner) textArgument() (protocol.View, error) {
	text, err := s.string(s.rest)
	return protocol.View(text), err
}

// replyText reads the text of an SMTP reply, if there is one.
func (s *scanner) replyText(a *protocol.Answer) error {
	if s.done() {
		return nil
	}
	class, want := byte('5'), "an SMTP reply such as 550 5.7.1 no"
	if a.Code == protocol.CodeTempFail {
		class, want = '4', "an SMTP reply such as 451 4.7.1 later"
	}
	start := s.pos
	text, err := s.textArgument()
	if err == nil && (len(text) < 3 || text[0] != class) {
		err = s.fail(start, want)
	}
	*a = protocol.Answer{Code: protocol.CodeReplyText, Name: text}
	return err
}

func (s *scanner) fieldOf(a *protocol.Answer) error {
	name, value, err := s.field()
	a.Name, a.Value = protocol.View(name), protocol.View(value)
	return err
}

// index reads the place of a header.
func (s *scanner) index() (uint32, error) {
	s.done()
	start := s.pos
	word, err := s.word("the place of a header")
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(word, 10, 32)
	if err != nil {
		return 0, s.fail(start, "the place of a header")
	}
	return uint32(n), nil
}

// addressOf reads an address and perhaps its parameters.
func (s *scanner) addressOf(a *protocol.Answer) (err error) {
	if a.Name, err = s.argument("an address such as <a@example>"); err != nil || s.done() {
		return err
	}
	if a.Code == protocol.CodeAddRecipient {
		a.Code = protocol.CodeAddRecipientParams
	}
	a.Value, err = s.textArgument()
	return err
}
