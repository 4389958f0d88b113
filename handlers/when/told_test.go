package when_test

import (
	"errors"
	"slices"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/when"
	"millstream/protocol"
)

// Short names for the kinds of the tables.
const (
	established = handlers.KindEstablished
	negotiate   = handlers.KindNegotiate
	macroKind   = handlers.KindMacro
	connected   = handlers.KindConnect
	heloKind    = handlers.KindHelo
	from        = handlers.KindEnvelopeFrom
	to          = handlers.KindEnvelopeRecipient
	dataKind    = handlers.KindData
	headerKind  = handlers.KindHeader
	bodyKind    = handlers.KindBody
	eom         = handlers.KindEndOfMessage
	unknownKind = handlers.KindUnknown
	aborted     = handlers.KindAbort
	response    = handlers.KindResponse
	processed   = handlers.KindMessageProcessed
	timeout     = handlers.KindTimeout
	failure     = handlers.KindError
	finished    = handlers.KindFinished
)

func kinds(list ...handlers.Kind) []handlers.Kind { return list }

var (
	theEnd = &protocol.EndOfMessage{}
	chunk  = &protocol.Body{Chunk: view("0123456789")}
)

var toldTests = []struct {
	name   string
	source string
	takes  []handlers.Kind
	events []handlers.Event
	want   string
}{
	{
		"each message is decided for itself", `sender == "a@x"`, kinds(from, to, eom, processed, finished),
		[]handlers.Event{mail("<a@x>"), rcpt("<1@y>"), theEnd, mail("<b@x>"), rcpt("<2@y>"), theEnd, mail("<a@x>"), theEnd},
		"envelope-from <a@x> envelope-recipient <1@y> end-of-message message-processed envelope-from <a@x> end-of-message message-processed finished",
	},
	{
		"never met", `sender == "a@x"`, kinds(from, aborted, processed, finished),
		[]handlers.Event{mail("<b@x>"), &protocol.Abort{}, mail("<c@x>"), theEnd},
		"",
	},
	{
		"abort", `sender == "a@x"`, kinds(from, aborted, response, processed),
		[]handlers.Event{mail("<a@x>"), &protocol.Abort{}, mail("<b@x>"), &protocol.Abort{}},
		"envelope-from <a@x> response(envelope-from) abort response(abort) message-processed",
	},
	{
		"the next message gives up the last", `sender == "a@x"`, kinds(from, aborted, processed),
		[]handlers.Event{mail("<a@x>"), mail("<b@x>"), mail("<a@x>")},
		"envelope-from <a@x> abort message-processed envelope-from <a@x>",
	},
	{
		"another client", `in_network("trusted")`, kinds(connected, from, finished),
		[]handlers.Event{connect("192.0.2.1"), mail("<a@x>"), theEnd, &protocol.QuitNewConnection{}, connect("10.0.0.1"), mail("<b@x>"), theEnd},
		"connect envelope-from <a@x> finished",
	},
	{
		"connection-level, all of it", `in_network("trusted")`, kinds(established, negotiate, macroKind, connected, heloKind, unknownKind, response, finished),
		[]handlers.Event{
			protocol.NewMacro(protocol.CodeConnect, "j", "x"), connect("192.0.2.1"),
			protocol.NewMacro(protocol.CodeHelo, "j", "x"), &protocol.Helo{}, &protocol.Unknown{},
		},
		"connection-established negotiate response(negotiate) connect response(connect) define-macro helo response(helo) unknown response(unknown) finished",
	},
	{
		"what comes first is told whatever follows", `sender == "a@x"`, kinds(established, negotiate, response, finished),
		[]handlers.Event{connect("192.0.2.1"), mail("<b@x>"), theEnd},
		"connection-established negotiate response(negotiate) finished",
	},
	{
		"a second helo is decided again", `helo == "b"`, kinds(heloKind, from, eom),
		[]handlers.Event{&protocol.Helo{Name: view("a")}, &protocol.Helo{Name: view("b")}, mail("<a@x>"), theEnd},
		"helo envelope-from <a@x> end-of-message",
	},
	{
		"a macro decides for the message", `authenticated`, kinds(from, eom),
		[]handlers.Event{
			protocol.NewMacro(protocol.CodeMailFrom, "auth_authen", "a"), mail("<a@x>"),
			protocol.NewMacro(protocol.CodeEndOfMessage, "auth_authen", ""), theEnd,
			protocol.NewMacro(protocol.CodeMailFrom, "i", "a"), mail("<b@x>"), theEnd,
		},
		"envelope-from <a@x> end-of-message",
	},
	{
		"each recipient", `rcpt == "b@y"`, kinds(to, dataKind, eom, processed),
		[]handlers.Event{
			mail("<a@x>"), rcpt("<a@y>"), rcpt("<b@y>"), rcpt("<c@y>"), &protocol.Data{}, theEnd,
			mail("<a@x>"), rcpt("<a@y>"), &protocol.Data{}, theEnd,
		},
		"envelope-recipient <b@y> data end-of-message message-processed",
	},
	{
		"each recipient, for a handler that takes none", `rcpt_domain == "y"`, kinds(eom),
		[]handlers.Event{mail("<a@x>"), rcpt("<a@Y>"), theEnd, mail("<a@x>"), rcpt("<a@z>"), theEnd},
		"end-of-message",
	},
	{
		"each recipient, and what is answered", `rcpt == "b@y"`, kinds(to, response, unknownKind),
		[]handlers.Event{mail("<a@x>"), rcpt("<a@y>"), &protocol.Unknown{}, rcpt("<b@y>"), rcpt("<c@y>"), &protocol.Unknown{}, theEnd},
		"envelope-recipient <b@y> response(envelope-recipient) unknown response(unknown) response(end-of-message)",
	},
	{
		"before the client is known", `client_addr != "192.0.2.9"`, kinds(macroKind, connected),
		[]handlers.Event{
			protocol.NewMacro(protocol.CodeConnect, "j", "x"), connect("192.0.2.1"), protocol.NewMacro(protocol.CodeHelo, "j", "x"),
		},
		"connect define-macro",
	},
	{
		"an unknown command before and after helo", `helo != "x"`, kinds(unknownKind),
		[]handlers.Event{connect("192.0.2.1"), &protocol.Unknown{}, &protocol.Helo{Name: view("a")}, &protocol.Unknown{}},
		"unknown",
	},
	{
		"passed over at all it takes", `stage == "end-of-message"`, kinds(from, processed),
		[]handlers.Event{mail("<a@x>"), theEnd},
		"",
	},
	{
		"a macro of each recipient, for a handler that takes none", `macro("rcpt_addr") == "b"`, kinds(eom),
		[]handlers.Event{
			mail("<a@x>"), protocol.NewMacro(protocol.CodeRcptTo, "rcpt_addr", "b"), rcpt("<b@y>"),
			protocol.NewMacro(protocol.CodeRcptTo, "rcpt_addr", "a"), rcpt("<a@y>"), theEnd,
		},
		"end-of-message",
	},
	{
		"a macro of each recipient", `macro("rcpt_addr") == "b"`, kinds(to, eom),
		[]handlers.Event{
			mail("<a@x>"), protocol.NewMacro(protocol.CodeRcptTo, "rcpt_addr", "a"), rcpt("<a@y>"),
			protocol.NewMacro(protocol.CodeRcptTo, "rcpt_addr", "b"), rcpt("<b@y>"), theEnd,
		},
		"envelope-recipient <b@y> end-of-message",
	},
	{
		"a count that grows", `rcpt_count > 1`, kinds(to, eom),
		[]handlers.Event{mail("<a@x>"), rcpt("<a@y>"), rcpt("<b@y>"), rcpt("<c@y>"), theEnd},
		"envelope-recipient <b@y> envelope-recipient <c@y> end-of-message",
	},
	{
		"headers", `header("X") == "1"`, kinds(bodyKind, eom),
		[]handlers.Event{mail("<a@x>"), header("X", "1"), chunk, theEnd, mail("<a@x>"), header("X", "2"), chunk, theEnd, mail("<a@x>"), chunk, theEnd},
		"body end-of-message",
	},
	{
		"size so far", `size_so_far > 10`, kinds(bodyKind, eom),
		[]handlers.Event{mail("<a@x>"), chunk, chunk, chunk, theEnd, mail("<a@x>"), chunk, theEnd},
		"body body end-of-message",
	},
	{
		"stage", `stage in ["envelope-from", "body"]`, kinds(connected, from, bodyKind, eom, aborted, response, processed),
		[]handlers.Event{connect("192.0.2.1"), mail("<a@x>"), chunk, theEnd},
		"envelope-from <a@x> response(envelope-from) body response(body) message-processed",
	},
	{
		"a journal", `sender_domain == "x"`, kinds(processed),
		[]handlers.Event{mail("<a@x>"), theEnd, mail("<a@y>"), theEnd, mail("<a@x>"), &protocol.Abort{}},
		"message-processed message-processed",
	},
	{
		"a journal of whole messages", `header("X") == "1"`, kinds(processed),
		[]handlers.Event{mail("<a@x>"), header("X", "1"), &protocol.EndOfHeader{}, theEnd, mail("<a@x>"), header("X", "1"), &protocol.Abort{}},
		"message-processed",
	},
	{
		"what concerns the connection", `sender == "a@x"`, kinds(from, timeout, failure, finished),
		[]handlers.Event{
			mail("<b@x>"), &handlers.Failure{Err: errors.New("first")}, theEnd,
			mail("<a@x>"), &handlers.Failure{Err: errors.New("second")}, &handlers.Timeout{},
		},
		"envelope-from <a@x> error error timeout finished",
	},
	{
		"macros of what follows", `sender == "a@x"`, kinds(macroKind, to),
		[]handlers.Event{
			protocol.NewMacro(protocol.CodeMailFrom, "i", "Q"), mail("<a@x>"), protocol.NewMacro(protocol.CodeRcptTo, "i", "Q"), rcpt("<b@y>"),
			mail("<b@x>"), protocol.NewMacro(protocol.CodeRcptTo, "i", "Q"), rcpt("<b@y>"),
		},
		"define-macro envelope-recipient <b@y>",
	},
}

func TestTold(t *testing.T) {
	for _, tt := range toldTests {
		t.Run(tt.name, func(t *testing.T) {
			var j journal
			s := handlertest.New(t, guard(t, tt.source, j.taking(tt.takes...)))
			for _, ev := range tt.events {
				if s.Do(ev); errors.As(lastOf(s.Failures()), new(*when.EvalError)) {
					t.Error("failed")
				}
			}
			if slices.Contains(tt.takes, finished) {
				s.Close()
			}
			if got := j.take(); got != tt.want {
				t.Errorf("told of\n     %s\nwant %s", got, tt.want)
			}
		})
	}
}
