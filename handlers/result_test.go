package handlers_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

func TestResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		verdicts := map[string]handlers.Reply{
			"<r@example.net>": handlers.Reject, "<t@example.net>": handlers.TempFail.With(451, "4.7.1", "later"),
		}
		s := handlertest.New(t, handlers.Chain(
			handlers.Go(func(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
				<-time.After(time.Second)
				return verdicts[c.Addr.String()]
			}),
			handlers.On(pass[*protocol.Header]), handlers.On(pass[*protocol.Body]),
			handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
				m.AddHeader("X-A", "1")
				m.InsertHeader(0, "X-B", "2")
				m.ChangeHeader("X-C", 1, "3")
				m.ChangeHeader("X-D", 1, "")
				m.DeleteHeader("X-E", 1)
				m.ChangeFrom("<new@example.com>", "SIZE=1")
				m.AddRecipient("<d@example.net>")
				m.AddRecipient("<e@example.net>", "NOTIFY=NEVER")
				m.DeleteRecipient("<b@example.net>")
				m.ReplaceBody([]byte("New"))
				m.Quarantine("virus")
				return handlers.Accept
			}),
		))
		start := time.Now()
		s.Do(&protocol.MailFrom{Addr: view("<a@example.com>"), Params: protocol.NewParams("SIZE=9", "BODY=8BITMIME")})
		for _, to := range []string{"<b@example.net>", "<r@example.net>", "<t@example.net>", "<c@example.net>"} {
			s.Do(rcpt(to))
		}
		<-time.After(time.Minute)
		s.Do(header("Subject", "hi"))
		s.Do(header("Empty", ""))
		s.Do(body("abc"))
		s.Do(&protocol.EndOfMessage{Chunk: view("de")})
		want := &handlers.Result{
			From: "<a@example.com>", FromParams: []string{"SIZE=9", "BODY=8BITMIME"},
			Recipients: []string{"<b@example.net>", "<c@example.net>"},
			TempFailed: []string{"<t@example.net>"}, Rejected: []string{"<r@example.net>"},
			Headers:  []handlers.Field{{Name: "Subject", Value: "hi"}, {Name: "Empty"}},
			BodySize: 5, State: protocol.StateEndOfMessageReplied, Status: protocol.StatusAccept,
			Quarantined: true, QuarantineReason: "virus",
			AddedHeaders:   []handlers.Field{{Name: "X-A", Value: "1"}, {Name: "X-B", Value: "2"}, {Name: "X-C", Value: "3"}},
			RemovedHeaders: []string{"X-D", "X-E"}, ChangedFrom: "<new@example.com>",
			AddedRecipients: []string{"<d@example.net>", "<e@example.net>"}, DeletedRecipients: []string{"<b@example.net>"},
			NewBodySize: 3,
			Start:       start, End: start.Add(time.Minute + 4*time.Second), HandlerTime: 4 * time.Second,
		}
		got := s.Results()[0]
		if !reflect.DeepEqual(got, want) {
			t.Errorf("\n got %+v\nwant %+v", got, want)
		}
		if got.Elapsed() != time.Minute+4*time.Second {
			t.Errorf("elapsed %v", got.Elapsed())
		}
	})
}

// Each way in which a message ends.
func TestResultStatus(t *testing.T) {
	tests := []struct {
		name    string
		handler handlers.Handler
		cmds    []protocol.Command
		status  protocol.Status
		state   protocol.State
	}{
		{"taken", handlers.Need(), []protocol.Command{mail("<a>"), &protocol.EndOfMessage{}}, protocol.StatusContinue, protocol.StateEndOfMessageReplied},
		{"refused at once", answering[*protocol.MailFrom](handlers.Reject), []protocol.Command{mail("<a>")}, protocol.StatusReject, protocol.StateEnvelopeFromReplied},
		{"discarded at a recipient", answering[*protocol.RcptTo](handlers.Discard), []protocol.Command{mail("<a>"), rcpt("<b>")}, protocol.StatusDiscard, protocol.StateEnvelopeRecipientReplied},
		{"abort", handlers.Need(), []protocol.Command{mail("<a>"), rcpt("<b>"), &protocol.Abort{}}, protocol.StatusAbort, protocol.StateEnvelopeRecipientReplied},
		{"abort after an unknown command", handlers.On(pass[*protocol.Unknown]), []protocol.Command{
			mail("<a>"), &protocol.Unknown{Line: view("HELP")}, &protocol.Abort{},
		}, protocol.StatusAbort, protocol.StateUnknownReplied},
		{"abort after a refused recipient", answering[*protocol.RcptTo](handlers.Reject), []protocol.Command{
			mail("<a>"), rcpt("<b>"), &protocol.Abort{},
		}, protocol.StatusAbort, protocol.StateEnvelopeRecipientReplied},
		{"quit", handlers.Need(), []protocol.Command{mail("<a>"), &protocol.Quit{}}, protocol.StatusAbort, protocol.StateEnvelopeFromReplied},
		{"failed", handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply { panic("no") }), []protocol.Command{
			mail("<a>"), &protocol.EndOfMessage{},
		}, protocol.StatusTempFail, protocol.StateEndOfMessageReplied},
	}
	for _, tt := range tests {
		s := handlertest.New(t, tt.handler)
		for _, cmd := range tt.cmds {
			s.Do(cmd)
		}
		r := s.Results()
		if len(r) != 1 || r[0].Status != tt.status || r[0].State != tt.state {
			t.Errorf("%s: %d results, %+v; want %v in %v", tt.name, len(r), r[0], tt.status, tt.state)
		}
	}
}

// Commands that the MTA was told not to send are counted all the same, once each.
func TestResultOfWhatWasNotWanted(t *testing.T) {
	s := handlertest.New(t, handlers.On(pass[*protocol.Body]))
	s.Do(&protocol.Helo{Name: view("one")})
	s.Do(&protocol.Helo{Name: view("two")})
	if got := s.Control().Session().Helo(); got != "two" {
		t.Errorf("helo %q", got)
	}
	s.Do(mail("<a>"))
	for _, cmd := range []protocol.Command{rcpt("<b>"), rcpt("<c>"), header("X-A", "1"), header("X-B", "2")} {
		s.Macros(cmd.Code(), "x", "1")
		s.Do(cmd)
	}
	if got := s.Control().Session().Macro("x"); got != "1" { // of the recipient
		t.Errorf("macro x is %q", got)
	}
	r := s.Control().Session().Result()
	if !slices.Equal(r.Recipients, []string{"<b>", "<c>"}) || len(r.Headers) != 2 {
		t.Errorf("result %+v", r)
	}
}

// What is left of a message that was refused belongs to no message.
func TestResultAfterTheEnd(t *testing.T) {
	c := inMessage(t, 0, mail("<a>"))
	receive(t, c, protocol.StatusDiscard, rcpt("<b>"))
	c.EndMessage(0)
	receive(t, c, protocol.StatusContinue, rcpt("<c>"), &protocol.Data{}, header("X-A", "1"), body("x"), &protocol.EndOfMessage{})
	if r := c.Session().Result(); r != nil {
		t.Errorf("result %+v", r)
	}
	receive(t, c, protocol.StatusContinue, mail("<d>"))
	if r := c.Session().Result(); r.From != "<d>" || r.Recipients != nil || r.BodySize != 0 {
		t.Errorf("result %+v", r)
	}
}

// Pieces of the body that nobody is told of count.
func TestResultOfSkippedBody(t *testing.T) {
	s := handlertest.New(t, answering[*protocol.Body](handlers.Skip))
	s.Do(mail("<a>"))
	for range 3 {
		s.Do(body("abc"))
	}
	s.EndOfMessage()
	if r := s.Results(); r[0].BodySize != 9 {
		t.Errorf("%d bytes of body", r[0].BodySize)
	}
}

// A recipient that the MTA refused is so whatever the handler says.
func TestResultRcptRefused(t *testing.T) {
	var refused []bool
	s := handlertest.New(t, handlers.Chain(
		handlers.On(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
			n.SetSteps(n.Steps() | protocol.StepRcptRejected)
			return handlers.Continue
		}),
		handlers.On(func(s *handlers.Session, _ *protocol.RcptTo) handlers.Reply {
			refused = append(refused, s.RcptRefused())
			return handlers.Continue
		}),
	))
	s.Do(mail("<a>"))
	s.Do(rcpt("<b>"))
	s.Macros(protocol.CodeRcptTo, "rcpt_mailer", "error", "rcpt_host", "5.1.1")
	s.Do(rcpt("<c>"))
	s.Macros(protocol.CodeRcptTo, "rcpt_mailer", "smtp")
	s.Do(rcpt("<d>"))
	s.EndOfMessage()
	r := s.Results()[0]
	if !slices.Equal(refused, []bool{false, true, false}) || !slices.Equal(r.Rejected, []string{"<c>"}) ||
		!slices.Equal(r.Recipients, []string{"<b>", "<d>"}) {
		t.Errorf("refused %v, result %+v", refused, r)
	}
}

// Where recipients are not answered, none is refused.
func TestResultWithoutReplies(t *testing.T) {
	c := inMessage(t, protocol.StepNoReplyRcpt, mail("<a>"))
	for _, s := range []protocol.Status{protocol.StatusNoReply, protocol.StatusContinue, protocol.StatusReject} {
		if _, err := c.Receive(rcpt("<"+s.String()+">"), time.Now()); err != nil {
			t.Fatal(err)
		}
		_, _ = c.Apply(protocol.CodeRcptTo, s, protocol.StatusTempFail, 0)
	}
	if r := c.Session().Result(); !slices.Equal(r.Recipients, []string{"<no-reply>", "<continue>", "<reject>"}) || r.Rejected != nil {
		t.Errorf("result %+v", r)
	}
}

// A result does not change, and does not keep the bytes of the MTA.
func TestResultIsACopy(t *testing.T) {
	cmd := mail("<a>")
	c := inMessage(t, 0, cmd, rcpt("<b>"), header("X-A", "1"))
	clear(cmd.Addr)
	before := c.Session().Result()
	if before.Elapsed() != 0 || before.Status != protocol.StatusContinue || before.State != protocol.StateHeaderReplied {
		t.Errorf("so far %+v", before)
	}
	copied := *before
	before.Recipients[0], before.Headers[0].Name = "changed", "changed"
	receive(t, c, protocol.StatusContinue, header("X-B", "2"))
	if len(before.Headers) != 1 || copied.From != "<a>" {
		t.Errorf("changed to %+v", before)
	}
	if r := c.Session().Result(); r.Recipients[0] != "<b>" || r.Headers[0].Name != "X-A" || len(r.Headers) != 2 {
		t.Errorf("now %+v", r)
	}
}

// One message leaves nothing for the next one.
func TestResultOfTheNextMessage(t *testing.T) {
	n := 0
	s := handlertest.New(t, handlers.Chain(handlers.On(pass[*protocol.RcptTo]), handlers.On(pass[*protocol.Header]),
		handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
			if n++; n == 1 {
				m.AddHeader("X-A", "1")
				m.DeleteHeader("X-B", 1)
				m.ChangeFrom("<x>")
				m.AddRecipient("<x>")
				m.DeleteRecipient("<x>")
				m.ReplaceBody([]byte("x"))
				m.Quarantine("x")
			}
			return handlers.Continue
		})))
	long := strings.Repeat("x", 100<<10) // so much is not kept for the next one
	s.Send(handlertest.Mail{To: []string{"<b>"}, Headers: []handlers.Field{{Name: "X", Value: long}}, Body: "x"})
	s.Send(handlertest.Mail{To: []string{"<b>"}, Headers: []handlers.Field{{Name: "X", Value: "y"}}})
	s.Send(handlertest.Mail{})
	r := s.Results()[2]
	r.Start, r.End, r.HandlerTime = time.Time{}, time.Time{}, 0
	want := &handlers.Result{
		From: "<>", NewBodySize: -1, State: protocol.StateEndOfMessageReplied, Status: protocol.StatusContinue,
	}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("\n got %+v\nwant %+v", r, want)
	}
}

func TestResultLimits(t *testing.T) {
	tests := []struct {
		name       string
		limits     handlers.ResultLimits
		headers    int
		recipients int
		refused    int
		truncated  bool
	}{
		{"within", handlers.ResultLimits{Headers: 5, HeaderBytes: 100, Recipients: 5}, 5, 5, 5, false},
		{"headers", handlers.ResultLimits{Headers: 4, HeaderBytes: 100, Recipients: 5}, 4, 5, 5, true},
		{"bytes", handlers.ResultLimits{Headers: 5, HeaderBytes: 19, Recipients: 5}, 4, 5, 5, true},
		{"each list of recipients", handlers.ResultLimits{Headers: 5, HeaderBytes: 100, Recipients: 3}, 5, 3, 3, true},
		{"no headers are kept", handlers.ResultLimits{Recipients: 5}, 0, 5, 5, false},
	}
	for _, tt := range tests {
		c := handlers.NewControl(context.Background(), handlers.Facts{}, &tt.limits)
		receive(t, c, protocol.StatusContinue, &protocol.Negotiate{Offer: offer})
		c.Agree(protocol.Agreement{})
		receive(t, c, protocol.StatusContinue, mail("<a>"))
		for i := range 5 {
			receive(t, c, protocol.StatusContinue, rcpt(fmt.Sprintf("<%d>", i)))
			receive(t, c, protocol.StatusReject, rcpt(fmt.Sprintf("<r%d>", i)))
		}
		for range 5 {
			receive(t, c, protocol.StatusContinue, header("X-A", "1"))
		}
		receive(t, c, protocol.StatusContinue, body("abc"))
		r := c.Session().Result()
		if len(r.Headers) != tt.headers || len(r.Recipients) != tt.recipients || len(r.Rejected) != tt.refused || r.Truncated != tt.truncated {
			t.Errorf("%s: %d headers, %d and %d recipients, truncated %v; want %+v", tt.name, len(r.Headers), len(r.Recipients), len(r.Rejected), r.Truncated, tt)
		}
		if r.BodySize != 3 || tt.recipients > 0 && r.Recipients[tt.recipients-1] != fmt.Sprintf("<%d>", tt.recipients-1) {
			t.Errorf("%s: result %+v", tt.name, r)
		}
	}
	want := handlers.ResultLimits{Headers: 2000, HeaderBytes: 1 << 20, Recipients: 10000}
	if handlers.DefaultResultLimits != want {
		t.Errorf("limits %+v, want %+v", handlers.DefaultResultLimits, want)
	}
}

// The limits hold for commands that nobody asked for, too.
func TestResultLimitsOfWhatWasNotWanted(t *testing.T) {
	c := handlers.NewControl(context.Background(), handlers.Facts{}, &handlers.ResultLimits{Recipients: 2})
	receive(t, c, protocol.StatusContinue, &protocol.Negotiate{Offer: offer})
	granted := protocol.Options{Version: 6, Steps: protocol.StepNoRcpt}
	c.Agree(protocol.Agreement{Granted: granted})
	receive(t, c, protocol.StatusContinue, mail("<a>"), rcpt("<b>"), rcpt("<c>"), rcpt("<d>"))
	if r := c.Session().Result(); len(r.Recipients) != 2 || !r.Truncated {
		t.Errorf("result %+v", r)
	}
}

// The macros of the next message stay when it gives up the last one.
func TestEndMessageKeepsMacros(t *testing.T) {
	c := inMessage(t, 0, protocol.NewMacro(protocol.CodeMailFrom, "i", "old"), mail("<a>"),
		protocol.NewMacro(protocol.CodeRcptTo, "r", "old"), rcpt("<b>"), protocol.NewMacro(protocol.CodeMailFrom, "i", "new"))
	turn, err := c.Receive(mail("<c>"), time.Now())
	if err != nil || turn.Aborts != protocol.StateEnvelopeRecipientReplied {
		t.Fatalf("%+v, error %v", turn, err)
	}
	_, _ = c.Apply(protocol.CodeAbort, protocol.StatusContinue, protocol.StatusTempFail, 0)
	c.EndMessage(protocol.CodeMailFrom)
	s := c.Session()
	if s.Macro("i") != "new" || s.Macro("r") != "" {
		t.Errorf("macros %q %q", s.Macro("i"), s.Macro("r"))
	}
}
