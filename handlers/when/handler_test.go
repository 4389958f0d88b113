package when_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/when"
	"millstream/protocol"
)

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
			s := handlertest.New(t, chain(refuse, guard(t, tt.source, handlers.Chain(
				j.taking(eom), handlers.Observe(func(*handlers.Session, *handlers.Response) {}),
			))))
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
	h := handlers.Go(func(*handlers.Session, *protocol.Body) handlers.Reply {
		calls++
		return handlers.Skip
	})
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
	err := lastOf(s.Failures())
	const want = `milter: expression "headers(\"X\")[3] == \"a\"", 1:13: index out of range: 3 (array length is 0)`
	if _, ok := errors.AsType[*when.EvalError](err); !ok || err.Error() != want || errors.Unwrap(err) == nil {
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
