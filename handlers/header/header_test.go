package header_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/header"
	"millstream/handlers/when"
	"millstream/protocol"
)

// built returns the handler of a configuration, with its texts around it.
func built(c header.Config) (handlers.Handler, error) {
	g := when.NewGroup(nil)
	h, err := header.New(c, func(source string) (header.Text, error) { return g.Template(source) })
	if err != nil {
		return nil, err
	}
	return g.Around(h), nil
}

// changesOf returns the changes that a configuration makes to a message.
func changesOf(t *testing.T, c header.Config, fields ...handlers.Field) []string {
	t.Helper()
	c.Check(func(key, text string) { t.Errorf("%s: %s", key, text) })
	h, err := built(c)
	if err != nil {
		t.Fatal(err)
	}
	s := handlertest.New(t, h)
	s.Do(&protocol.Connect{Host: protocol.View("client.example"), Addr: protocol.Addr{
		Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.7"), Port: 4711,
	}})
	s.Do(&protocol.Helo{Name: protocol.View("helo\x01.example")})
	s.Do(&protocol.MailFrom{Addr: protocol.View("<a@example.com>"), Params: protocol.Params("SIZE=123\x00")})
	for _, to := range []string{"<b@example.net>", "<c@example.net>"} {
		s.Do(&protocol.RcptTo{Addr: protocol.View(to)})
	}
	for _, f := range fields {
		s.Do(&protocol.Header{Name: protocol.View(f.Name), Value: protocol.View(f.Value)})
	}
	s.Do(&protocol.Body{Chunk: protocol.View("hello")})
	s.Macros(protocol.CodeEndOfMessage, "i", "Q1", "auth_authen", "joe")
	out := s.EndOfMessage()
	if out.Status != protocol.StatusContinue {
		t.Errorf("status %v: %v", out.Status, s.Failures())
	}
	changes := make([]string, len(out.Changes))
	for i, change := range out.Changes {
		changes[i] = strings.TrimSpace(fmt.Sprintf("%v %d %s: %s", change.Code, change.Index, change.Name, change.Value))
	}
	return changes
}

// TestChanges makes changes of all kinds.
func TestChanges(t *testing.T) {
	came := []handlers.Field{
		{Name: "Subject", Value: "one"},
		{Name: "X-Spam", Value: "no"},
		{Name: "subject", Value: "two\n three"},
		{Name: "x-spam", Value: "maybe\rX"},
		{Name: "A", Value: "b"},
	}
	tests := []struct {
		name string
		c    header.Config
		want []string
	}{
		{"remove", header.Config{Remove: []string{"X-Spam", "None"}}, []string{"change-header 2 X-Spam:", "change-header 1 X-Spam:"}},
		{
			"rename",
			header.Config{Rename: []header.Rename{{Name: "X-Spam", To: "X-Old"}}},
			[]string{"change-header 2 X-Spam:", "change-header 1 X-Spam:", "add-header 0 X-Old: no", "add-header 0 X-Old: maybe X"},
		},
		{
			"change all",
			header.Config{Change: []header.Change{{Name: "Subject", Value: "[{{queue_id}}] {{old}}"}}},
			[]string{"change-header 1 Subject: [Q1] one", "change-header 2 Subject: [Q1] two\n three"},
		},
		{"change first", header.Config{Change: []header.Change{{Name: "Subject", Value: "x", Which: "first"}}}, []string{"change-header 1 Subject: x"}},
		{"change last", header.Config{Change: []header.Change{{Name: "Subject", Value: "x", Which: "last"}}}, []string{"change-header 2 Subject: x"}},
		{"change to nothing", header.Config{Change: []header.Change{{Name: "A", Value: "", Which: "all"}}}, []string{"change-header 1 A:"}},
		{"change what is not there", header.Config{Change: []header.Change{{Name: "B", Value: "x", Which: "last"}}}, []string{}},
		{"insert", header.Config{Insert: []header.Insert{{Name: "B", Value: "c", Index: 3}}}, []string{"insert-header 3 B: c"}},
		{
			"order",
			header.Config{
				Add: []header.Field{{Name: "C", Value: "1"}}, Insert: []header.Insert{{Name: "B", Value: "1", Index: 0}},
				Change: []header.Change{{Name: "A", Value: "1"}}, Remove: []string{"X-Spam"},
			},
			[]string{"change-header 2 X-Spam:", "change-header 1 X-Spam:", "change-header 1 A: 1", "insert-header 0 B: 1", "add-header 0 C: 1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := changesOf(t, tt.c, came...); !slices.Equal(got, tt.want) {
				t.Errorf("%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

// TestChangeToNothing checks that a value without text does not remove the field.
func TestChangeToNothing(t *testing.T) {
	h, err := built(header.Config{Change: []header.Change{{Name: "A", Value: "{{macro('none', 'helo')}}"}}})
	if err != nil {
		t.Fatal(err)
	}
	out := handlertest.New(t, h).Send(handlertest.Mail{From: "<a@b>", To: []string{"<c@d>"}, Headers: []handlers.Field{{Name: "A", Value: "b"}}})
	if len(out.Changes) != 1 || string(out.Changes[0].Value) != " " {
		t.Errorf("%v", out.Changes)
	}
}

// TestFacts has every fact in a value, and checks that no more is asked of the MTA than
// it takes.
func TestFacts(t *testing.T) {
	tests := []struct {
		fact, want string
		needs      handlers.Kinds
	}{
		{"queue_id", "Q1", 0},
		{"client_addr", "192.0.2.7", handlers.Of(handlers.KindConnect)},
		{"client_name", "client.example", handlers.Of(handlers.KindConnect)},
		{"helo", "helo .example", handlers.Of(handlers.KindHelo)},
		{"sender", "a@example.com", handlers.Of(handlers.KindEnvelopeFrom)},
		{"rcpt_count", "2", handlers.Of(handlers.KindEnvelopeFrom, handlers.KindEnvelopeRecipient, handlers.KindResponse)},
		{"declared_size", "123", handlers.Of(handlers.KindEnvelopeFrom)},
		{"size", "5", handlers.Of(handlers.KindEnvelopeFrom, handlers.KindBody)},
		{" queue_id ", "Q1", 0},
		{"macro('auth_authen')", "joe", 0},
		{`macro("i")`, "Q1", 0},
		{"macro('none', 'helo')", "", 0},
		{`sender == "" ? "none" : upper(sender)`, "A@EXAMPLE.COM", handlers.Of(handlers.KindEnvelopeFrom)},
	}
	for _, tt := range tests {
		c := header.Config{Add: []header.Field{{Name: "X", Value: "<{{" + tt.fact + "}}>"}}}
		if got := changesOf(t, c); len(got) != 1 || got[0] != "add-header 0 X: <"+tt.want+">" {
			t.Errorf("%s: %q", tt.fact, got)
		}
		h, err := built(c)
		want := handlers.Wants{Events: tt.needs | handlers.Of(handlers.KindEndOfMessage), Replies: handlers.Of(handlers.KindEndOfMessage)}
		if err != nil || h.Wants() != want {
			t.Errorf("%s: wants %v, want %v", tt.fact, h.Wants(), want)
		}
	}
	times := changesOf(t, header.Config{Add: []header.Field{{Name: "X", Value: "{{session}} {{now}} {{begun}} {{took}}"}}})
	if parts := strings.Fields(times[0]); len(parts) != 7 || !strings.HasSuffix(parts[4], "Z") || !strings.HasSuffix(parts[6], "s") {
		t.Errorf("%q", times)
	}
}

// TestCheck has every mistake there is.
func TestCheck(t *testing.T) {
	c := header.Config{
		Remove: []string{"A:"},
		Rename: []header.Rename{{Name: "A", To: "a"}, {Name: "", To: "B"}},
		Insert: []header.Insert{{Name: "A", Value: "a\nB: c", Index: 0}},
		Add:    []header.Field{{Name: "A B", Value: "{{qid}}"}},
	}
	handlertest.Wrong(t, c.Check,
		"insert[0].value: it has a line break", "remove[0]: \"A:\" is no name", "rename[0].to: it is the name",
		"rename[1].name: \"\" is no name", "add[0].name: \"A B\" is no name")
	if _, err := built(c); err == nil {
		t.Error("it was built")
	}
	told := 0
	for _, broken := range []header.Config{
		{Change: []header.Change{{Name: "A", Value: "{{old"}}},
		{Change: []header.Change{{Name: "A", Value: "{{upper(old)}}"}}},
		{Insert: []header.Insert{{Name: "A", Value: "{{old}}"}}},
	} {
		if _, err := built(broken); err == nil {
			t.Errorf("%v: it was built", broken)
		}
	}
	new(header.Config).Check(func(key, _ string) { told++ })
	if told != 1 {
		t.Errorf("an empty one: %d mistakes", told)
	}
}

// FuzzValue has a value come to a header field with whatever a client says: it stays one
// field.
func FuzzValue(f *testing.F) {
	f.Add("{{helo}}; {{client_name}} {{macro('i')}}", "mx\r\nBcc: x", "Q\x00")
	f.Add("{{", "}}", "{{helo}}")
	f.Fuzz(func(t *testing.T, value, helo, macro string) {
		h, err := built(header.Config{Add: []header.Field{{Name: "X", Value: value}}})
		if err != nil {
			return
		}
		s := handlertest.New(t, h)
		s.Do(&protocol.Helo{Name: protocol.View(strings.ReplaceAll(helo, "\x00", ""))})
		s.Do(&protocol.MailFrom{Addr: protocol.View("<a@b>")})
		s.Macros(protocol.CodeEndOfMessage, "i", strings.ReplaceAll(macro, "\x00", ""))
		out := s.EndOfMessage()
		if out.Status != protocol.StatusContinue || len(out.Changes) != 1 || strings.ContainsAny(string(out.Changes[0].Value), "\r\n") {
			t.Errorf("%v %v: %v", out.Status, out.Changes, s.Failures())
		}
	})
}

// TestTexts checks that each text is told with its place, what stands around the value so
// far by itself.
func TestTexts(t *testing.T) {
	c := header.Config{
		Change: []header.Change{{Name: "A", Value: "a {{old}}{{ old }} {{helo}}"}},
		Insert: []header.Insert{{Name: "A", Value: "{{i}}"}},
		Add:    []header.Field{{Name: "A", Value: "b"}, {Name: "A", Value: "c"}},
	}
	var got []string
	c.Texts(func(key string, at int, text string) { got = append(got, fmt.Sprintf("%s %d %q", key, at, text)) })
	want := []string{
		`change[0].value 0 "a "`, `change[0].value 9 ""`, `change[0].value 18 " {{helo}}"`,
		`insert[0].value 0 "{{i}}"`, `add[0].value 0 "b"`, `add[1].value 0 "c"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestFailing checks that a value that cannot be worked out is a failure.
func TestFailing(t *testing.T) {
	for _, c := range []header.Config{
		{Change: []header.Change{{Name: "A", Value: "{{rcpts[7]}}"}}},
		{Insert: []header.Insert{{Name: "A", Value: "{{rcpts[7]}}"}}},
		{Add: []header.Field{{Name: "A", Value: "{{rcpts[7]}}"}}},
	} {
		h, err := built(c)
		if err != nil {
			t.Fatal(err)
		}
		s := handlertest.New(t, h)
		out := s.Send(handlertest.Mail{From: "<a@b>", To: []string{"<c@d>"}, Headers: []handlers.Field{{Name: "A", Value: "b"}}})
		if out.Status != protocol.StatusTempFail || len(s.Failures()) != 1 {
			t.Errorf("%v: %v, %v", c, out.Status, s.Failures())
		}
	}
}
