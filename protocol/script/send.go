package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"millstream/protocol"
)

// Send is a line of the MTA. One of Command, Raw and Leave is set.
type Send struct {
	Joined  bool // in the same write as the line before
	Command protocol.Command
	Raw     Raw
	Leave   string // "close" or "reset"
}

// A Raw is any bytes, in the pieces in which they were written down.
type Raw []RawPiece

// A RawPiece is a byte in hexadecimal, or a string that is repeated.
type RawPiece struct {
	Text  string
	Times int // 0 for a byte in hexadecimal
}

// String returns the line.
func (l *Send) String() string {
	arrow := "-> "
	if l.Joined {
		arrow = "+> "
	}
	switch {
	case l.Command != nil:
		return arrow + commandWord(l.Command.Code()) + arguments(l.Command)
	case l.Leave != "":
		return arrow + l.Leave
	}
	return arrow + "raw" + l.Raw.String()
}

// Append appends what is sent to dst.
func (l *Send) Append(dst []byte) []byte {
	if l.Command != nil {
		return l.Command.Append(dst)
	}
	for _, p := range l.Raw {
		dst = append(dst, strings.Repeat(p.Text, max(p.Times, 1))...)
	}
	return dst
}

// String returns the pieces, each with a space before it.
func (r Raw) String() string {
	var b strings.Builder
	for _, p := range r {
		switch p.Times {
		case 0:
			fmt.Fprintf(&b, " %02x", p.Text)
		case 1:
			b.WriteString(" " + strconv.Quote(p.Text))
		default:
			fmt.Fprintf(&b, " %q*%d", p.Text, p.Times)
		}
	}
	return b.String()
}

// commandWords has the words of administrators for what the protocol calls
// otherwise.
var commandWords = map[protocol.Code]string{
	protocol.CodeMacro: "macro", protocol.CodeMailFrom: "mail", protocol.CodeRcptTo: "rcpt",
}

// commandWord returns the word for a command.
func commandWord(c protocol.Code) string {
	if word, ok := commandWords[c]; ok {
		return word
	}
	return c.String()
}

// commandFor returns the command that a word stands for; 0 if there is none.
func commandFor(word string) protocol.Code {
	for c := range protocol.Code(0x80) {
		if c.IsCommand() && commandWord(c) == word {
			return c
		}
	}
	return 0
}

// arguments returns what follows the word of a command.
func arguments(c protocol.Command) string {
	switch c := c.(type) {
	case *protocol.Negotiate:
		return offerText(c.Offer)
	case *protocol.Macro:
		if !c.Stage.IsCommand() {
			return fmt.Sprintf(" 0x%02x", byte(c.Stage)) + macros(c)
		}
		return " " + commandWord(c.Stage) + macros(c)
	case *protocol.Connect:
		return " " + quoteWord(c.Host.String()) + " " + quoteWord(c.Addr.String())
	case *protocol.Helo:
		return " " + quoteWord(c.Name.String())
	case *protocol.MailFrom:
		return envelope(c.Addr, c.Params)
	case *protocol.RcptTo:
		return envelope(c.Addr, c.Params)
	case *protocol.Unknown:
		return " " + quoteText(c.Line.String())
	case *protocol.Header:
		return " " + field(c.Name.String(), c.Value.String())
	case *protocol.Body:
		return " " + quoteText(c.Chunk.String())
	case *protocol.EndOfMessage:
		if c.Chunk != nil {
			return " " + quoteText(c.Chunk.String())
		}
	}
	return ""
}

func envelope(addr protocol.View, params protocol.Params) string {
	return " " + quoteWord(addr.String()) + quoteWords(slices.Values(params.Strings()))
}

// macros returns names and values, each with a space before it.
func macros(m *protocol.Macro) string {
	var b strings.Builder
	for name, value := range m.All() {
		b.WriteString(" " + quoteKey(name.String(), '=') + "=" + quoteWord(value.String()))
	}
	return b.String()
}

// field returns a header field.
func field(name, value string) string {
	text := quoteKey(name, ':') + ":"
	if value != "" {
		text += " " + quoteText(value)
	}
	return text
}

// send reads a line of the MTA.
func (s *scanner) send(joined bool) (Step, error) {
	const want = "a command, raw, close or reset"
	s.done()
	start := s.pos
	word, err := s.word(want)
	if err != nil {
		return nil, err
	}
	l := &Send{Joined: joined}
	switch code := commandFor(word); {
	case code != 0:
		l.Command, err = s.command(code)
	case word == "raw":
		l.Raw, err = s.raw()
	case !joined && (word == "close" || word == "reset"):
		l.Leave = word
	default:
		return nil, s.fail(start, want)
	}
	if err != nil {
		return nil, err
	}
	return l, s.end()
}
