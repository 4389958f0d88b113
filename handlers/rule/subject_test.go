package rule_test

import (
	"io"
	"mime"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/rule"
	"millstream/protocol"
)

func TestTagged(t *testing.T) {
	long := strings.Repeat("x", 990)
	tests := []struct{ name, subject, tag, want string }{
		{"plain", "hello", "[a]", "[a] hello"},
		{"empty", "", "[a]", "[a]"},
		{"blank", "  ", "[a]", "  [a]"},
		{"no tag", "hello", " ", "hello"},
		{"leading space", " hello", "[a]", " [a] hello"},
		{"there already", "[a] hello", "[a]", "[a] hello"},
		{"in a reply", "Re: Fwd: [a] hello", "[a]", "Re: Fwd: [a] hello"},
		{"part of a word", "[a]b hello", "[a]", "[a] [a]b hello"},
		{"other case", "[A] hello", "[a]", "[a] [A] hello"},
		{"folded", "hello\n  world", "[a]", "[a] hello\n  world"},
		{"folded tag", "see\r\n my\r\n tag", "my tag", "see\r\n my\r\n tag"},
		{"encoded", "=?utf-8?q?gr=C3=BCn?=", "[a]", "[a] =?utf-8?q?gr=C3=BCn?="},
		{"encoded with tag", "=?UTF-8?B?W2FdIGdyw7xu?=", "[a]", "=?UTF-8?B?W2FdIGdyw7xu?="},
		{"other charset with tag", "=?koi8-r?Q?[a]_=F0=F2?=", "[a]", "=?koi8-r?Q?[a]_=F0=F2?="},
		{"broken encoding", "=?utf-8?x?a?= =?b", "[a]", "[a] =?utf-8?x?a?= =?b"},
		{"tag to encode", "hello", "[grün]", "=?utf-8?q?[gr=C3=BCn]?= hello"},
		{"both to encode", "=?utf-8?q?gr=C3=BCn?=", "[grün]", "=?utf-8?q?[gr=C3=BCn]_?= =?utf-8?q?gr=C3=BCn?="},
		{"8 bits", "gr\xfcn", "[a]", "[a] gr\xfcn"},
		{"long", long, "[a]", "[a]\n " + long},
		{"tag in lines", "hello", "[a\r\nBcc: x]", "[a Bcc: x] hello"},
		{"tag like an encoded word", "hello", "=?utf-8?q?x?=", "= ?utf-8?q?x?= hello"},
		{"bare line ends", "a\rb\nc\n", "[a]", "[a] a b\n c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := rule.Tagged(tt.subject, tt.tag)
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if again := rule.Tagged(got, tt.tag); again != got {
				t.Errorf("again %q", again)
			}
		})
	}
}

// FuzzTagged tags any Subject with any tag, twice: what comes of it can be sent, is read
// with the tag in front, has the rest as it was, and the second time changes nothing.
func FuzzTagged(f *testing.F) {
	for _, subject := range []string{"", "hello", " =?utf-8?q?gr=C3=BCn?=", "a\n b", "=?x?b?!?= =?", "\xff", "a\r\n\tb\r", "=?utf-8?q?a?b?="} {
		for _, tag := range []string{"[a]", "grün", "=?", "=?utf-8?q?b", " ", "=", strings.Repeat("ü", 90)} {
			f.Add(subject, tag)
		}
	}
	f.Fuzz(func(t *testing.T, subject, tag string) {
		got := rule.Tagged(subject, tag)
		if again := rule.Tagged(got, tag); again != got {
			t.Fatalf("%q tagged %q: %q, again %q", subject, tag, got, again)
		}
		if got == subject {
			return
		}
		if _, err := protocol.AppendChangeHeader(nil, "Subject", 1, got); err != nil {
			t.Errorf("%q: %v", got, err)
		}
		if rest := strings.Trim(subject, " \t"); !strings.ContainsAny(rest, "\r\n\x00") && !strings.HasSuffix(got, rest) {
			t.Errorf("%q tagged %q is %q", subject, tag, got)
		}
		decoder := mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil }}
		read, err := decoder.DecodeHeader(got)
		if err != nil {
			t.Fatal(err)
		}
		valid := strings.ToValidUTF8(tag, "?")
		if first := strings.Fields(valid)[0]; !strings.Contains(valid, "=?") && !strings.ContainsAny(first, "\x00\x7f") &&
			!hasControl(first) && !strings.HasPrefix(strings.TrimLeft(read, " \t"), first) {
			t.Errorf("%q tagged %q reads %q", subject, tag, read)
		}
	})
}

func hasControl(s string) bool { return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) }

// Filters of one chain tag one Subject.
func TestTagSubject(t *testing.T) {
	tagging := func(tags ...string) handlers.Handler {
		return handlers.Chain(rule.WatchSubject(), handlers.On(func(s *handlers.Session, m *handlers.Message) handlers.Reply {
			rule.TagSubject(s, m, tags...)
			return handlers.Continue
		}))
	}
	s := handlertest.New(t, handlers.Chain(tagging("[a]"), tagging("[b]", "[c]"), tagging("[a]")))
	for _, tt := range []struct {
		headers []handlers.Field
		want    string
	}{
		{[]handlers.Field{{Name: "subject", Value: "x"}, {Name: "Subject", Value: "[a] y"}}, "change-header Subject 1 [a] x; change-header Subject 1 [b] [c] [a] x"},
		{nil, "add-header Subject 0 [a]; change-header Subject 1 [b] [c] [a]"},
		{[]handlers.Field{{Name: "Subject", Value: "[c] [b] [a]"}}, ""},
		{[]handlers.Field{{Name: "Subject", Value: ""}}, "change-header Subject 1 [a]; change-header Subject 1 [b] [c] [a]"},
	} {
		if got := changes(s.Send(handlertest.Mail{From: "<a@x>", To: []string{"<b@x>"}, Headers: tt.headers})); got != tt.want {
			t.Errorf("%v:\ngot  %s\nwant %s", tt.headers, got, tt.want)
		}
	}
	if list := s.Failures(); len(list) > 0 {
		t.Errorf("failures %v", list)
	}
}
