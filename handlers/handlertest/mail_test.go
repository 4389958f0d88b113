package handlertest_test

import (
	"context"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// all notes and answers everything of a message.
func all(j *journal) handlers.Handler {
	return handlers.Chain(
		noting[*protocol.MailFrom](j, handlers.Continue), noting[*protocol.RcptTo](j, handlers.Continue),
		noting[*protocol.Data](j, handlers.Continue), noting[*protocol.Header](j, handlers.Continue),
		noting[*protocol.EndOfHeader](j, handlers.Continue), noting[*protocol.Body](j, handlers.Continue),
		noting[*handlers.Message](j, handlers.Accept),
	)
}

// refuseOne refuses the first recipient.
func refuseOne() handlers.Handler {
	refused := false
	return handlers.On(func(*handlers.Session, *protocol.RcptTo) handlers.Reply {
		if !refused {
			refused = true
			return handlers.TempFail
		}
		return handlers.Continue
	})
}

var letter = handlertest.Mail{
	From: "<a@example.com>", To: []string{"<b@example.net>", "<c@example.net>"},
	Headers: []handlers.Field{{Name: "Subject", Value: "hi"}},
	Body:    strings.Repeat("x", 2*protocol.MaxBodyChunk+1),
}

var sendTests = []struct {
	name    string
	handler func(j *journal) handlers.Handler
	mail    handlertest.Mail
	told    string
	last    handlers.Kind
	status  protocol.Status
	result  protocol.Status
}{
	{
		"whole", all, letter,
		"envelope-from, envelope-recipient, envelope-recipient, data, header, end-of-header, body, body, body, end-of-message",
		handlers.KindEndOfMessage, protocol.StatusAccept, protocol.StatusAccept,
	},
	{
		"nothing but the end", func(j *journal) handlers.Handler { return noting[*handlers.Message](j, handlers.Continue) },
		letter, "end-of-message",
		handlers.KindEndOfMessage, protocol.StatusContinue, protocol.StatusContinue,
	},
	{
		"empty", all,
		handlertest.Mail{},
		"envelope-from, data, end-of-header, end-of-message",
		handlers.KindEndOfMessage, protocol.StatusAccept, protocol.StatusAccept,
	},
	{
		"stopped", func(j *journal) handlers.Handler {
			return handlers.Chain(noting[*protocol.Data](j, handlers.Discard), all(j))
		}, letter,
		"envelope-from, envelope-recipient, envelope-recipient, data",
		handlers.KindData, protocol.StatusDiscard, protocol.StatusDiscard,
	},
	{
		"no recipient left", func(j *journal) handlers.Handler {
			return handlers.Chain(noting[*protocol.RcptTo](j, handlers.Reject), all(j))
		}, letter,
		"envelope-from, envelope-recipient, envelope-recipient",
		handlers.KindEnvelopeRecipient, protocol.StatusReject, protocol.StatusAbort,
	},
	{
		"a recipient left", func(j *journal) handlers.Handler {
			return handlers.Chain(refuseOne(), noting[*handlers.Message](j, handlers.Continue))
		}, letter, "end-of-message",
		handlers.KindEndOfMessage, protocol.StatusContinue, protocol.StatusContinue,
	},
	{
		"skip", func(j *journal) handlers.Handler { return noting[*protocol.Body](j, handlers.Skip) },
		letter, "body",
		handlers.KindEndOfMessage, protocol.StatusContinue, protocol.StatusContinue,
	},
}

func TestSend(t *testing.T) {
	for _, tt := range sendTests {
		t.Run(tt.name, func(t *testing.T) {
			var j journal
			s := handlertest.New(t, tt.handler(&j))
			out := s.Send(tt.mail)
			if got := j.take(); got != tt.told {
				t.Errorf("told of\n     %s\nwant %s", got, tt.told)
			}
			if out.Event != tt.last || out.Status != tt.status {
				t.Errorf("at last %v %v, want %v %v", out.Event, out.Status, tt.last, tt.status)
			}
			if r := s.Results(); len(r) != 1 || r[0].Status != tt.result {
				t.Errorf("results %+v", r)
			}
			if s.Results() != nil || s.Failures() != nil {
				t.Error("told twice")
			}
			if from := "<>"; tt.mail.From == "" && s.Do(mail(from)).Event != handlers.KindEnvelopeFrom {
				t.Error("another message does not begin")
			}
		})
	}
}

// An MTA that cannot leave the body out sends it; the session answers for itself.
func TestSendToOldMTA(t *testing.T) {
	var j journal
	s := handlertest.New(t, noting[*protocol.Body](&j, handlers.Skip))
	if _, err := s.Negotiate(protocol.Options{Version: 2, Actions: 0x3f, Steps: 0x7f}); err != nil {
		t.Fatal(err)
	}
	s.Send(handlertest.Mail{Body: strings.Repeat("x", protocol.MaxBodyChunk+1)})
	if got := j.take(); got != "body" {
		t.Errorf("told of %s", got)
	}
	if got := s.Results()[0].BodySize; got != protocol.MaxBodyChunk+1 {
		t.Errorf("%d bytes of body", got)
	}
}

func TestOutcome(t *testing.T) {
	change := func(m *handlers.Message) {
		m.AddHeader("X-A", "1")
		m.Progress()
		m.ReplaceBody([]byte("New\r\n"))
		m.Quarantine("virus")
	}
	tests := []struct {
		name    string
		end     func(m *handlers.Message) handlers.Reply
		status  protocol.Status
		text    string
		codes   string
		changes string
	}{
		{"nothing", func(*handlers.Message) handlers.Reply { return handlers.Continue }, protocol.StatusContinue, "", "c", ""},
		{"changed", func(m *handlers.Message) handlers.Reply {
			change(m)
			return handlers.Accept
		}, protocol.StatusAccept, "", "hpbqa", "add-header X-A 1, progress, replace-body New, quarantine virus"},
		{"text", func(*handlers.Message) handlers.Reply {
			return handlers.Reject.With(550, "5.7.1", "100% spam")
		}, protocol.StatusReject, "550 5.7.1 100% spam", "y", ""},
		{"sticky error", func(m *handlers.Message) handlers.Reply {
			change(m)
			m.AddHeader("", "")
			return handlers.Accept
		}, protocol.StatusTempFail, "", "hpt", "add-header X-A 1, progress"},
		{"panic", func(m *handlers.Message) handlers.Reply {
			change(m)
			panic("no")
		}, protocol.StatusTempFail, "", "hpt", "add-header X-A 1, progress"},
		{"status not allowed", func(m *handlers.Message) handlers.Reply {
			change(m)
			return handlers.Skip
		}, protocol.StatusTempFail, "", "hpt", "add-header X-A 1, progress"},
		{"panic in a goroutine", func(m *handlers.Message) handlers.Reply {
			return handlers.Async(func(context.Context) handlers.Reply {
				change(m)
				panic("no")
			})
		}, protocol.StatusTempFail, "", "hpt", "add-header X-A 1, progress"},
		{"changed in a goroutine", func(m *handlers.Message) handlers.Reply {
			return handlers.Async(func(context.Context) handlers.Reply {
				change(m)
				return handlers.Accept
			})
		}, protocol.StatusAccept, "", "hpbqa", "add-header X-A 1, progress, replace-body New, quarantine virus"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := handlertest.New(t, handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
				return tt.end(m)
			}))
			out := s.Send(handlertest.Mail{From: "<a@example.com>"})
			if out.Status != tt.status || out.Text != tt.text || codes(t, out) != tt.codes {
				t.Errorf("%v %q, written %s; want %v %q, %s", out.Status, out.Text, codes(t, out), tt.status, tt.text, tt.codes)
			}
			var list []string
			for _, c := range out.Changes {
				list = append(list, strings.Join(strings.Fields(c.Code.String()+" "+string(c.Name)+" "+string(c.Value)), " "))
			}
			if got := strings.Join(list, ", "); got != tt.changes {
				t.Errorf("changes %s, want %s", got, tt.changes)
			}
		})
	}
}
