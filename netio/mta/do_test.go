package mta

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"millstream/protocol"
)

var commands = []protocol.Command{
	&protocol.Connect{Host: protocol.View("mx")}, &protocol.Helo{Name: protocol.View("mx")},
	&protocol.MailFrom{Addr: protocol.View("<a@example.com>")}, &protocol.RcptTo{Addr: protocol.View("<b@example.com>")},
	&protocol.Data{}, &protocol.Unknown{Line: protocol.View("HELP")},
	&protocol.Header{Name: protocol.View("A"), Value: protocol.View("b")}, &protocol.EndOfHeader{},
	&protocol.Body{Chunk: protocol.View("x")}, &protocol.EndOfMessage{},
}

// Which verdicts may answer which command.
func TestDoVerdicts(t *testing.T) {
	const all = "continue accept reject tempfail discard"
	may := map[protocol.Code]string{
		protocol.CodeConnect: "continue accept reject tempfail", protocol.CodeHelo: "continue accept reject tempfail",
		protocol.CodeUnknown: "continue accept reject tempfail", protocol.CodeBody: all + " skip",
	}
	statuses := []protocol.Status{
		protocol.StatusContinue, protocol.StatusAccept, protocol.StatusReject, protocol.StatusTempFail,
		protocol.StatusDiscard, protocol.StatusSkip,
	}
	for _, cmd := range commands {
		allowed, special := may[cmd.Code()]
		if !special {
			allowed = all
		}
		for _, s := range statuses {
			f := &filter{wants: protocol.Request{Steps: protocol.StepSkip}, say: on(cmd.Code(), answer(s))}
			a, changes, err := f.agreed(t).Do(cmd)
			switch good := slices.Contains(strings.Fields(allowed), s.String()); {
			case good && (err != nil || a.Status() != s || changes != nil):
				t.Errorf("%v to %v: %v, %v, %v", s, cmd.Code(), a.Status(), changes, err)
			case !good && (!errors.Is(err, protocol.ErrProtocol) || !strings.HasSuffix(err.Error(), s.String()+" answers "+cmd.Code().String())):
				t.Errorf("%v to %v: %v", s, cmd.Code(), err)
			}
		}
	}
}

func TestDoText(t *testing.T) {
	for code, want := range map[int]protocol.Status{550: protocol.StatusReject, 421: protocol.StatusTempFail} {
		f := &filter{say: on(protocol.CodeHelo, refusal(t, code, "100% no"))}
		a, _, err := f.agreed(t).Do(&protocol.Helo{})
		if err != nil || a.Status() != want || !strings.HasSuffix(a.Name.String(), "100% no") {
			t.Errorf("%d: %v %q, %v", code, a.Status(), a.Name, err)
		}
	}
}

func TestDoErrors(t *testing.T) {
	type events = func(protocol.Command) []byte
	end, header := protocol.CodeEndOfMessage, protocol.CodeHeader
	changed := packet(protocol.CodeAddHeader, "X\x00y\x00")
	body := packet(protocol.CodeReplaceBody, "x")
	progress := protocol.AppendProgress(nil)
	tests := []struct {
		name string
		cmd  protocol.Command
		say  events
		err  error
		text string
	}{
		{"skip not agreed on", &protocol.Body{}, on(protocol.CodeBody, answer(protocol.StatusSkip)), protocol.ErrProtocol, "skip was not agreed on"},
		{"negotiate again", &protocol.Helo{}, on(protocol.CodeHelo, (&protocol.Negotiate{Offer: Offer()}).Append(nil)), protocol.ErrProtocol, "negotiate answers helo"},
		{"change before the end", &protocol.Header{Name: protocol.View("x")}, on(header, changed), protocol.ErrProtocol, "add-header answers header"},
		{"progress before the end", &protocol.Header{Name: protocol.View("x")}, on(header, progress), protocol.ErrProtocol, "progress answers header"},
		{"shutdown", &protocol.EndOfMessage{}, on(end, packet(protocol.CodeShutdown, "")), protocol.ErrProtocol, "shutdown answers end-of-message"},
		{"connection failure", &protocol.EndOfMessage{}, on(end, packet(protocol.CodeConnectionFailure, "")), protocol.ErrProtocol, "connection-failure answers"},
		{"symbol list", &protocol.EndOfMessage{}, on(end, packet(protocol.CodeSymbolList, "")), protocol.ErrUnexpectedCommand, ""},
		{"action not agreed on", &protocol.EndOfMessage{}, on(end, packet(protocol.CodeQuarantine, "x\x00")), protocol.ErrProtocol, "quarantine was not agreed on"},
		{"body in pieces", &protocol.EndOfMessage{}, on(end, slices.Concat(body, changed, body)), protocol.ErrProtocol, "replace-body again after add-header"},
		{"progress in the body", &protocol.EndOfMessage{}, on(end, slices.Concat(body, progress, body)), protocol.ErrProtocol, "replace-body again after progress"},
		{"two verdicts", &protocol.Helo{}, on(protocol.CodeHelo, slices.Concat(answer(protocol.StatusContinue), answer(protocol.StatusContinue))), protocol.ErrProtocol, "5 bytes beside the answer to helo"},
		{"change behind the verdict", &protocol.EndOfMessage{}, on(end, slices.Concat(answer(protocol.StatusAccept), changed)), protocol.ErrProtocol, "bytes beside the answer"},
		{"empty change", &protocol.EndOfMessage{}, on(end, packet(protocol.CodeAddHeader, "")), protocol.ErrMissingNull, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &filter{say: tt.say, wants: protocol.Request{Actions: protocol.ActionAddHeaders | protocol.ActionChangeBody}}
			a, changes, err := f.agreed(t).Do(tt.cmd)
			if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Do = %v, want %v and %q", err, tt.err, tt.text)
			}
			if a.Code != 0 || changes != nil {
				t.Errorf("Do = %v, %v with an error", a, changes)
			}
		})
	}
}

func TestDoPeerCloses(t *testing.T) {
	for _, sent := range []string{"", "\x00\x00\x00\x01"} {
		f := &filter{}
		f.say = func(cmd protocol.Command) []byte {
			if cmd.Code() != protocol.CodeHelo {
				return nil
			}
			f.conn.Write([]byte(sent)) //nolint:errcheck // its end sees
			f.conn.Close()
			return quiet
		}
		_, _, err := f.agreed(t).Do(&protocol.Helo{})
		if sent == "" && (!errors.Is(err, io.EOF) || err.Error() != "milter: no answer to helo: EOF") {
			t.Error(err)
		}
		if sent != "" && !errors.Is(err, protocol.ErrUnexpectedEnd) {
			t.Error(err)
		}
	}
}

func TestDoChanges(t *testing.T) {
	answers, err := protocol.AppendAddHeader(nil, "X-Spam", "no")
	if err != nil {
		t.Fatal(err)
	}
	answers = append(answers, protocol.AppendProgress(nil)...)
	large := bytes.Repeat([]byte("0123456789"), 10_000)
	answers = protocol.AppendReplaceBody(answers, large)
	answers = append(answers, packet(protocol.CodeQuarantine, "virus\x00")...)
	answers = append(answers, refusal(t, 451, "later")...)
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			f := &filter{wants: protocol.Request{Actions: protocol.ActionsAll}, say: on(protocol.CodeEndOfMessage, answers)}
			c := f.start(t, pair)
			if _, _, err := c.Negotiate(Offer()); err != nil {
				t.Fatal(err)
			}
			a, changes, err := c.Do(&protocol.EndOfMessage{})
			if err != nil || a.Name.String() != "451 later" {
				t.Fatalf("Do = %v %q, %v", a.Code, a.Name, err)
			}
			for i := range c.in { // changes do not need it any more
				c.in[i] = '!'
			}
			var codes []protocol.Code
			var body []byte
			for _, change := range changes {
				codes = append(codes, change.Code)
				if change.Code == protocol.CodeReplaceBody {
					body = append(body, change.Value...)
				}
			}
			b := protocol.CodeReplaceBody
			if !slices.Equal(codes, []protocol.Code{protocol.CodeAddHeader, b, b, protocol.CodeQuarantine}) || !bytes.Equal(body, large) {
				t.Errorf("changes %v, body of %d", codes, len(body))
			}
			if h, q := changes[0], changes[3]; h.Name.String() != "X-Spam" || h.Value.String() != "no" || q.Name.String() != "virus" {
				t.Errorf("changes %q %q, %q", h.Name, h.Value, q.Name)
			}
		})
	}
}

// What is not sent and what is not answered is not waited for.
func TestDoSteps(t *testing.T) {
	f := &filter{wants: protocol.Request{
		Steps: protocol.StepNoHelo | protocol.StepNoUnknown | protocol.StepNoReplyMail | protocol.StepNoReplyHeader,
	}}
	c := f.agreed(t)
	for _, cmd := range commands {
		a, _, err := c.Do(cmd, protocol.NewMacro(cmd.Code(), "i", "1"))
		want := protocol.StatusContinue
		switch cmd.Code() {
		case protocol.CodeHelo, protocol.CodeUnknown, protocol.CodeMailFrom, protocol.CodeHeader:
			want = protocol.StatusDefault
		}
		if err != nil || a.Status() != want {
			t.Errorf("%v: %v, %v; want %v", cmd.Code(), a.Status(), err, want)
		}
	}
	sameLines(
		t, f.end(t, c), "negotiate", "macros of connect i=1", "connect mx unknown", "macros of helo i=1",
		"macros of envelope-from i=1", "mail <a@example.com>", "macros of envelope-recipient i=1", "rcpt <b@example.com>",
		"macros of data i=1", "data", "macros of unknown i=1", "macros of header i=1", `header A "b"`,
		"macros of end-of-header i=1", "end-of-header", "macros of body i=1", `body "x"`,
		"macros of end-of-message i=1", "end-of-message", "quit",
	)
}

func TestDoSkip(t *testing.T) {
	f := &filter{wants: protocol.Request{Steps: protocol.StepSkip}}
	f.say = on(protocol.CodeBody, answer(protocol.StatusSkip))
	c := f.agreed(t)
	for _, message := range []string{"1", "2"} {
		for _, cmd := range []protocol.Command{
			&protocol.Body{Chunk: protocol.View(message)}, &protocol.Unknown{}, &protocol.Body{}, &protocol.EndOfMessage{},
		} {
			if _, _, err := c.Do(cmd); err != nil {
				t.Fatal(err)
			}
		}
	}
	sameLines(t, f.end(t, c), "negotiate", `body "1"`, "unknown", "end-of-message", `body "2"`, "unknown", "end-of-message", "quit")
}

func TestDoUnanswered(t *testing.T) {
	f := &filter{}
	c := f.agreed(t)
	for _, cmd := range []protocol.Command{protocol.NewMacro(protocol.CodeHelo), &protocol.Abort{}, &protocol.QuitNewConnection{}} {
		if a, _, err := c.Do(cmd); err != nil || a.Code != 0 {
			t.Errorf("%v: %v, %v", cmd.Code(), a.Code, err)
		}
	}
	sameLines(t, f.end(t, c), "negotiate", "macros of helo", "abort", "quit-new-connection", "quit")
}

func TestWrites(t *testing.T) {
	for dialect, want := range map[Dialect]int{Postfix: 1, Sendmail: 2} {
		f := &filter{}
		var count *counting
		c := f.start(t, func(tb testing.TB) (ours, theirs net.Conn) {
			ours, theirs = socket(tb)
			count = &counting{Conn: ours}
			return count, theirs
		})
		c.SetDialect(dialect)
		if _, _, err := c.Do(&protocol.Helo{}, protocol.NewMacro(protocol.CodeHelo, "i", "1"), protocol.NewMacro(protocol.CodeHelo)); err != nil {
			t.Fatal(err)
		}
		if count.writes != want {
			t.Errorf("%v: %d writes, want %d", dialect, count.writes, want)
		}
		sameLines(t, f.end(t, c), "macros of helo i=1", "macros of helo", "helo ", "quit")
	}
}
