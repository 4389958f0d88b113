package handlers_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

func TestReplies(t *testing.T) {
	tests := []struct {
		reply handlers.Reply
		want  protocol.Status
		log   string
	}{
		{handlers.Reply{}, protocol.StatusDefault, "default"},
		{handlers.Continue, protocol.StatusContinue, "continue"},
		{handlers.Accept, protocol.StatusAccept, "accept"},
		{handlers.Reject, protocol.StatusReject, "reject"},
		{handlers.TempFail, protocol.StatusTempFail, "tempfail"},
		{handlers.Discard, protocol.StatusDiscard, "discard"},
		{handlers.Skip, protocol.StatusSkip, "skip"},
		{handlers.NoReply, protocol.StatusNoReply, "no-reply"},
		{handlers.AllOptions, protocol.StatusAllOptions, "all-options"},
		{later(handlers.Accept), protocol.StatusProgress, "progress"},
		{handlers.Reject.With(550, "5.7.1", "go away"), protocol.StatusReject, "550 5.7.1 go away"},
		{handlers.TempFail.With(450, ""), protocol.StatusTempFail, "450 "},
	}
	for _, tt := range tests {
		checkStatus(t, tt.reply, tt.want)
		if got := slog.AnyValue(tt.reply).Resolve().String(); got != tt.log {
			t.Errorf("%v is logged as %q, want %q", tt.want, got, tt.log)
		}
	}
}

func TestWith(t *testing.T) {
	long := strings.Repeat("x", 1000)
	tests := []struct {
		name     string
		reply    handlers.Reply
		code     int
		enhanced string
		lines    []string
		text     string
		err      error
	}{
		{"reject", handlers.Reject, 550, "5.7.1", []string{"no"}, "550 5.7.1 no", nil},
		{"tempfail", handlers.TempFail, 451, "4.7.1", []string{"try", "later"}, "451-4.7.1 try\r\n451 4.7.1 later", nil},
		{"no enhanced code", handlers.Reject, 550, "", []string{"no"}, "550 no", nil},
		{"no text", handlers.Reject, 550, "5.7.1", nil, "550 5.7.1", nil},
		{"reject with 4xx", handlers.Reject, 450, "", []string{"no"}, "", protocol.ErrInvalidCode},
		{"tempfail with 5xx", handlers.TempFail, 550, "", []string{"no"}, "", protocol.ErrInvalidCode},
		{"continue", handlers.Continue, 550, "", []string{"no"}, "", protocol.ErrInvalidCode},
		{"accept with 2xx", handlers.Accept, 250, "", []string{"yes"}, "", protocol.ErrInvalidCode},
		{"code too high", handlers.Reject, 600, "", []string{"no"}, "", protocol.ErrInvalidCode},
		{"enhanced of another class", handlers.Reject, 550, "4.7.1", []string{"no"}, "", protocol.ErrInvalidCode},
		{"enhanced malformed", handlers.Reject, 550, "5.7", []string{"no"}, "", protocol.ErrInvalidCode},
		{"line too long", handlers.Reject, 550, "", []string{long}, "", protocol.ErrInvalidArgument},
		{"control byte", handlers.Reject, 550, "", []string{"a\x00b"}, "", protocol.ErrInvalidArgument},
	}
	for _, tt := range tests {
		r := tt.reply.With(tt.code, tt.enhanced, tt.lines...)
		if r.Status() != tt.reply.Status() || r.Failed() {
			t.Errorf("%s: %v, failed %v; the verdict is lost", tt.name, r.Status(), r.Failed())
		}
		switch {
		case tt.err != nil:
			if !errors.Is(r.Err(), tt.err) || r.SMTP() != nil {
				t.Errorf("%s: error %v, text %v; want %v", tt.name, r.Err(), r.SMTP(), tt.err)
			}
		case r.Err() != nil || r.SMTP().String() != tt.text:
			t.Errorf("%s: error %v, text %v; want %q", tt.name, r.Err(), r.SMTP(), tt.text)
		}
	}
	again := handlers.Reject.With(999, "").With(550, "", "no")
	if again.Err() != nil || again.SMTP().String() != "550 no" {
		t.Errorf("a second text: error %v, text %v", again.Err(), again.SMTP())
	}
}

// A wrong text costs the text, not the verdict, and is reported when it is used.
func TestWithIsReportedOnce(t *testing.T) {
	s := handlertest.New(t, answering[*protocol.Helo](handlers.Reject.With(450, "", "no")))
	out := s.Do(&protocol.Helo{})
	if out.Status != protocol.StatusReject || out.Text != "" {
		t.Errorf("%v %q", out.Status, out.Text)
	}
	if errs := s.Failures(); len(errs) != 1 || !errors.Is(errs[0], protocol.ErrInvalidCode) {
		t.Errorf("failures %v", errs)
	}
}

// With a pending reply the text waits for the verdict.
func TestWithPending(t *testing.T) {
	r := ask(newControl(), answering[*protocol.Helo](later(handlers.Reject).With(550, "", "no")), &protocol.Helo{})
	if r.Status() != protocol.StatusReject || r.SMTP().String() != "550 no" {
		t.Errorf("%v %v", r.Status(), r.SMTP())
	}
	r = ask(newControl(), answering[*protocol.Helo](later(handlers.Continue).With(550, "", "no")), &protocol.Helo{})
	if r.Status() != protocol.StatusContinue || !errors.Is(r.Err(), protocol.ErrInvalidCode) {
		t.Errorf("%v, error %v", r.Status(), r.Err())
	}
}

func TestFailed(t *testing.T) {
	why := errors.New("no")
	for _, r := range []handlers.Reply{handlers.Failed(why), handlers.Failed(why).With(550, "", "no")} {
		if !r.Failed() || !isErr(r.Err(), why) || r.SMTP() != nil {
			t.Errorf("failed %v, error %v, text %v", r.Failed(), r.Err(), r.SMTP())
		}
	}
	if handlers.TempFail.Failed() {
		t.Error("a reply has failed")
	}
}

func TestThen(t *testing.T) {
	to := func(r handlers.Reply) func(handlers.Reply) handlers.Reply {
		return func(handlers.Reply) handlers.Reply { return r }
	}
	checkStatus(t, handlers.Accept.Then(to(handlers.Reject)), protocol.StatusReject)
	base := later(handlers.Continue)
	var seen protocol.Status
	note := func(r handlers.Reply) handlers.Reply {
		seen = r.Status()
		return later(handlers.Discard)
	}
	tests := []struct {
		name  string
		reply handlers.Reply
		want  protocol.Status
	}{
		{"one", base.Then(to(handlers.Reject)), protocol.StatusReject},
		{"another of the same", base.Then(to(handlers.TempFail)), protocol.StatusTempFail},
		{"two", base.Then(to(handlers.Reject)).Then(note), protocol.StatusDiscard},
		{"pending in between", base.Then(to(later(handlers.Reject))).Then(note).Then(to(handlers.Accept)), protocol.StatusAccept},
	}
	for _, tt := range tests {
		seen = protocol.StatusReject
		r := ask(newControl(), answering[*protocol.Helo](tt.reply), &protocol.Helo{})
		if r.Status() != tt.want || seen != protocol.StatusReject {
			t.Errorf("%s: %v after %v, want %v", tt.name, r.Status(), seen, tt.want)
		}
	}
	same := func(r handlers.Reply) handlers.Reply { return r }
	long := later(handlers.Continue).Then(same).Then(same).Then(same)
	rejects := long.Then(to(handlers.Reject))
	long.Then(to(handlers.Accept)) // does not change the other one
	checkStatus(t, ask(newControl(), answering[*protocol.Helo](rejects), &protocol.Helo{}), protocol.StatusReject)
	failed := handlers.Async(func(context.Context) handlers.Reply { panic("no") })
	r := ask(newControl(), answering[*protocol.Helo](failed.Then(func(r handlers.Reply) handlers.Reply {
		if !r.Failed() {
			t.Error("a panic is not told")
		}
		return r
	})), &protocol.Helo{})
	checkPanic(t, r, "no")
}
