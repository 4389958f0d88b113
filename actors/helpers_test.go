package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// offer is what Postfix and Sendmail offer.
var offer = protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}

// samples has a command for each letter of a script. A digit makes another one of
// the same kind.
var samples = map[string]protocol.Command{
	"O":  &protocol.Negotiate{Offer: offer},
	"O0": &protocol.Negotiate{Offer: protocol.Options{Version: 1}},
	"O2": &protocol.Negotiate{Offer: protocol.Options{Version: 2, Actions: 0x3f, Steps: 0x7f}},
	"C":  &protocol.Connect{Host: protocol.View("client.example"), Addr: protocol.Addr{Family: protocol.FamilyUnknown}},
	"H":  &protocol.Helo{Name: protocol.View("client.example")},
	"M":  &protocol.MailFrom{Addr: protocol.View("<a@example.com>")},
	"R":  &protocol.RcptTo{Addr: protocol.View("<b@example.net>")},
	"R2": &protocol.RcptTo{Addr: protocol.View("<c@example.net>")},
	"T":  &protocol.Data{},
	"U":  &protocol.Unknown{Line: protocol.View("HELP")},
	"L":  &protocol.Header{Name: protocol.View("Subject"), Value: protocol.View("hi")},
	"N":  &protocol.EndOfHeader{},
	"B":  &protocol.Body{Chunk: protocol.View("Hello\r\n")},
	"E":  &protocol.EndOfMessage{},
	"E1": &protocol.EndOfMessage{Chunk: protocol.View("tail\r\n")},
	"A":  &protocol.Abort{},
	"Q":  &protocol.Quit{},
	"K":  &protocol.QuitNewConnection{},
}

// packets returns the packets of a script, such as "O C H M R E Q". Dx is the
// packet of macros for x.
func packets(script string) (b []byte) {
	for word := range strings.FieldsSeq(script) {
		if stage, ok := strings.CutPrefix(word, "D"); ok {
			b = protocol.NewMacro(protocol.Code(stage[0]), "i", "Q"+stage).Append(b)
			continue
		}
		b = samples[word].Append(b)
	}
	return b
}

// answers decodes what a session has written.
func answers(t testing.TB, b []byte) (list []protocol.Answer) {
	t.Helper()
	for len(b) > 0 {
		code, body, n, err := protocol.Frame(b, 1<<20)
		if err != nil || n == 0 {
			t.Fatalf("output %q: %v", b, err)
		}
		a, err := protocol.DecodeAnswer(code, body)
		if err != nil {
			t.Fatalf("answer %v: %v", code, err)
		}
		list = append(list, a.Clone())
		b = b[n:]
	}
	return list
}

func codesOf(list []protocol.Answer) (s string) {
	for _, a := range list {
		s += string(rune(a.Code))
	}
	return s
}

// quiet is a log that nobody reads.
var quiet = slog.New(slog.DiscardHandler)

// everything is all kinds of events.
const everything = handlers.Kinds(1<<(handlers.KindFinished+1) - 2)

// answerable are the kinds of events with an answer.
const answerable = everything &^ handlers.Unanswered

// brief is all events but those that tell of the same thing again.
var brief = everything &^ handlers.Of(handlers.KindEstablished, handlers.KindMacro, handlers.KindResponse,
	handlers.KindMessageProcessed)

// want compares two texts.
func want(t testing.TB, what, got, wanted string) {
	t.Helper()
	if got != wanted {
		t.Errorf("%s:\n got %s\nwant %s", what, got, wanted)
	}
}

// nameOf returns a word for an event, with what matters of it.
func nameOf(ev handlers.Event) string {
	name := handlers.KindOf(ev).String()
	switch e := ev.(type) {
	case *handlers.Abort:
		return fmt.Sprintf("%s(%v)", name, e.State)
	case *handlers.Response:
		silent := ""
		if e.Silent {
			silent = ",silent"
		}
		return fmt.Sprintf("%s(%v,%v%s)", name, e.To, e.Status, silent)
	case *handlers.Result:
		return fmt.Sprintf("%s(%v)", name, e.Status)
	case *handlers.Failure:
		return fmt.Sprintf("%s(%v,%s)", name, e.During, classOf(e.Err))
	case *handlers.Finished:
		if e.Err != nil {
			return fmt.Sprintf("%s(%s)", name, classOf(e.Err))
		}
	case *protocol.Macro:
		return fmt.Sprintf("%s(%c)", name, e.Stage)
	}
	return name
}

// classOf returns a word for an error.
func classOf(err error) string {
	for _, c := range []struct {
		err  error
		name string
	}{
		{protocol.ErrStatusNotAllowed, "status"},
		{protocol.ErrInvalidCode, "code"},
		{protocol.ErrTooMany, "too-many"},
		{protocol.ErrUnexpectedEnd, "end"},
		{protocol.ErrSequence, "sequence"},
		{protocol.ErrProtocol, "protocol"},
		{protocol.ErrNegotiation, "negotiation"},
		{protocol.ErrInvalidAction, "action"},
		{protocol.ErrEmpty, "empty"},
		{handlers.ErrTimeout, "timeout"},
		{handlers.ErrSessionClosed, "closed"},
		{handlers.ErrIO, "io"},
		{handlers.ErrNull, "null"},
	} {
		if errors.Is(err, c.err) {
			return c.name
		}
	}
	if _, ok := errors.AsType[*handlers.PanicError](err); ok {
		return "panic"
	}
	if _, ok := errors.AsType[*handlers.SlowError](err); ok {
		return "slow"
	}
	return err.Error()
}
