package when_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
		[]handlers.Event{mail("<a@x>"), rcpt("<a@y>"), &protocol.Unknown{}, rcpt("<b@y>"), &protocol.Unknown{}, rcpt("<c@y>"), theEnd},
		"envelope-recipient <b@y> response(envelope-recipient) unknown response(unknown) response(end-of-message)",
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

// lastOf returns the last of several errors.
func lastOf(list []error) error {
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}

// A recipient that is refused, by the MTA or by another handler, does not count.
func TestRefusedRecipients(t *testing.T) {
	refuse := handlers.On(func(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
		switch c.Mailbox().String() {
		case "bad@y":
			return handlers.Reject
		case "later@y":
			return handlers.TempFail
		}
		return handlers.Continue
	})
	tests := []struct {
		source string
		rcpts  string
		want   string
	}{
		{`rcpt endsWith "@y"`, "a@y bad@y", "end-of-message"},
		{`rcpt == "bad@y"`, "a@y bad@y", ""},
		{`rcpt == "later@y"`, "later@y a@y", ""},
		{`rcpt == "refused@y"`, "refused@y a@y", ""},
		{`rcpt_count == 1 && rcpts == ["a@y"]`, "bad@y a@y later@y refused@y bad@y", "end-of-message"},
		{`rcpt_count == 2 && join(rcpts, " ") == "a@y b@y"`, "a@y bad@y b@y", "end-of-message"},
	}
	for _, tt := range tests {
		for name, chain := range map[string]func(a, b handlers.Handler) handlers.Handler{
			"before": func(a, b handlers.Handler) handlers.Handler { return handlers.Chain(a, b) },
			"after":  func(a, b handlers.Handler) handlers.Handler { return handlers.Chain(b, a) },
		} {
			var j journal
			s := handlertest.New(t, chain(refuse, guard(t, tt.source, j.taking(eom))))
			s.Do(mail("<a@x>"))
			for to := range strings.FieldsSeq(tt.rcpts) {
				mailer := "smtp"
				if to == "refused@y" {
					mailer = "error"
				}
				s.Control().Update(func(f *handlers.Facts) { f.Options.Steps |= protocol.StepRcptRejected })
				s.Macros(protocol.CodeRcptTo, "rcpt_mailer", mailer)
				s.Do(rcpt("<" + to + ">"))
			}
			s.EndOfMessage()
			if got := j.take(); got != tt.want {
				t.Errorf("%s, refused %s: told of %q, want %q", tt.source, name, got, tt.want)
			}
		}
	}
}

// A handler that is passed over wants no more of the body, unless it is counted.
func TestSkip(t *testing.T) {
	skip := handlers.On(func(*handlers.Session, *protocol.Body) handlers.Reply { return handlers.Skip })
	tests := []struct {
		source string
		want   protocol.Status
	}{
		{`sender == "b@x"`, protocol.StatusSkip},
		{`sender == "a@x"`, protocol.StatusSkip}, // h itself
		{`in_network("trusted")`, protocol.StatusSkip},
		{`size_so_far > 5`, protocol.StatusContinue}, // h, but the rest is counted
		{`stage == "data"`, protocol.StatusContinue},
	}
	for _, tt := range tests {
		s := handlertest.New(t, guard(t, tt.source, skip))
		s.Do(mail("<a@x>"))
		if got := s.Do(chunk).Status; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.source, got, tt.want)
		}
	}
}

// Who has skipped is told of no more, though more comes.
func TestSkipWhileCounted(t *testing.T) {
	calls := 0
	h := handlers.Chain(
		handlers.Go(func(*handlers.Session, *protocol.Body) handlers.Reply {
			calls++
			return handlers.Skip
		}),
	)
	play(t, guard(t, `size_so_far > 5`, h), mail("<a@x>"), chunk, chunk, chunk, theEnd)
	if calls != 1 {
		t.Errorf("told %d times", calls)
	}
}

// A message is decided once, also where time goes by; before a message each event is.
func TestHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := &when.Names{Location: time.UTC}
		p, err := when.Compile(`hour == 0 && weekday == "saturday"`, names) // as it is when a bubble begins
		if err != nil {
			t.Fatal(err)
		}
		var j journal
		h, err := when.Handler(p, j.taking(connected, heloKind, from, eom))
		if err != nil {
			t.Fatal(err)
		}
		s := play(t, h, connect("192.0.2.1"), mail("<a@x>"))
		time.Sleep(time.Hour)
		s.EndOfMessage()
		s.Do(&protocol.Helo{})
		s.Do(mail("<b@x>"))
		s.EndOfMessage()
		if got := j.take(); got != "connect envelope-from <a@x> end-of-message" {
			t.Errorf("told of %s", got)
		}
	})
}

func TestStageErrors(t *testing.T) {
	tests := []struct {
		source string
		takes  []handlers.Kind
		want   string // "" if they fit
	}{
		{`sender == "a"`, kinds(connected, from), `sender is known from envelope-from on, but the handler takes connect`},
		{`sender == "a" && header("To") == "b"`, kinds(dataKind, eom), `header("To") is known from end-of-header on, but the handler takes data`},
		{`size > 3`, kinds(bodyKind), `size is known from end-of-message on, but the handler takes body`},
		{`result("spamcheck").failed`, kinds(from, eom), `result("spamcheck").failed is known from end-of-message on, but the handler takes envelope-from`},
		{`sender == "a"`, kinds(established, negotiate, macroKind, from, unknownKind, aborted, response, processed, timeout, failure, finished), ""},
		{`helo == "a"`, kinds(heloKind), ""},
		{`rcpt == "a"`, kinds(to, headerKind), ""},
	}
	for _, tt := range tests {
		var j journal
		_, err := when.Handler(compile(t, tt.source), j.taking(tt.takes...))
		if tt.want == "" && err == nil {
			continue
		}
		var e *when.StageError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), ": "+tt.want+": use names") {
			t.Errorf("%s: %v, want %s", tt.source, err, tt.want)
		}
	}
}

// What a handler only has sent is no event that it takes.
func TestNeedBeforeStage(t *testing.T) {
	var j journal
	h := guard(t, `sender == "a@x"`, handlers.Chain(handlers.Need(connected, heloKind), j.taking(from)))
	if w := h.Wants(); w.Events != handlers.Of(connected, heloKind, from) || w.Replies != handlers.Of(from) {
		t.Errorf("wants %+v", w)
	}
	play(t, h, connect("192.0.2.1"), mail("<a@x>"))
	if got := j.take(); got != "envelope-from <a@x>" {
		t.Errorf("told of %s", got)
	}
}

// What is asked of the MTA is what the handler and the expression use; the MTA does not
// wait for what only the expression uses.
func TestWants(t *testing.T) {
	tests := []struct {
		source          string
		events, replies handlers.Kinds
	}{
		{`true`, handlers.Of(eom), handlers.Of(eom)},
		{`in_network("trusted")`, handlers.Of(connected, eom), handlers.Of(eom)},
		{`rcpt_count > 3`, handlers.Of(from, to, response, eom), handlers.Of(eom)},
		{`header("A") == ""`, handlers.Of(from, headerKind, eom), handlers.Of(eom)},
		{`size > 3`, handlers.Of(from, bodyKind, eom), handlers.Of(eom)},
	}
	for _, tt := range tests {
		if w := guard(t, tt.source, end(new(bool))).Wants(); w.Events != tt.events || w.Replies != tt.replies {
			t.Errorf("%s: wants %b %b, want %b %b", tt.source, w.Events, w.Replies, tt.events, tt.replies)
		}
	}
}

func TestEvalError(t *testing.T) {
	var j journal
	s := handlertest.New(t, guard(t, `headers("X")[3] == "a"`, j.taking(eom)))
	s.Do(mail("<a@x>"))
	out := s.EndOfMessage()
	var e *when.EvalError
	if err := lastOf(s.Failures()); !errors.As(err, &e) || e.Source != `headers("X")[3] == "a"` || errors.Unwrap(err) == nil {
		t.Errorf("failed with %v", err)
	}
	if out.Status != protocol.StatusTempFail || j.take() != "" {
		t.Errorf("answered %v", out.Status)
	}
}

func TestNothing(t *testing.T) {
	if _, err := when.Handler(nil, end(new(bool))); !errors.Is(err, handlers.ErrNull) {
		t.Error(err)
	}
	if _, err := when.Handler(compile(t, `true`), nil); !errors.Is(err, handlers.ErrNull) {
		t.Error(err)
	}
}

// A message whose beginning is forgotten is not decided.
func TestResetMessage(t *testing.T) {
	var j journal
	reset := handlers.On(func(s *handlers.Session, _ *protocol.Data) handlers.Reply {
		s.ResetMessage()
		return handlers.Continue
	})
	play(t, handlers.Chain(reset, guard(t, `sender == "a@x"`, j.taking(from, eom))), mail("<a@x>"), &protocol.Data{}, theEnd)
	if got := j.take(); got != "envelope-from <a@x>" {
		t.Errorf("told of %s", got)
	}
}
