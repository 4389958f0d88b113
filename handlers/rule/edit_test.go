package rule_test

import (
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/rule"
	"millstream/protocol"
)

func TestChanges(t *testing.T) {
	tests := []struct {
		name string
		rule rule.Rule
		want string
	}{
		{"headers", rule.Rule{AddHeaders: []string{"X-A:b", "X-C: {{sender}} of {{client_addr}}", "X-D:"}}, "add-header X-A 0 b; add-header X-C 0 a@example.org of 192.0.2.1; add-header X-D"},
		{"quarantine", rule.Rule{Quarantine: `from {{sender}}`}, "quarantine from a@example.org"},
		{"quarantine without a reason", rule.Rule{Quarantine: `{{header("X")}}`}, "quarantine rule[0]"},
		{"sender", rule.Rule{Sender: "bounce+{{sender_domain}}@example.net"}, "change-from <bounce+example.org@example.net>"},
		{"null sender", rule.Rule{Sender: "<>"}, "change-from <>"},
		{"recipients added", rule.Rule{AddRecipients: []string{"x@y", "<x@y>", "{{sender}}"}}, "add-recipient <x@y>; add-recipient <a@example.org>"},
		{"recipients deleted", rule.Rule{DeleteRecipients: []string{"B@EXAMPLE.com", "c@example.com"}}, "delete-recipient <b@example.com>"},
		{"exchanged", rule.Rule{AddRecipients: []string{"<boss@example.com>"}, DeleteRecipients: []string{"boss@example.com"}}, "delete-recipient <boss@example.com>; add-recipient <boss@example.com>"},
		{"no header of a stranger", rule.Rule{Subject: `[{{header("X-Tag")}}]`}, "change-header Subject 1 [a Bcc: b] hello"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := handlertest.New(t, filter(t, tt.rule))
			list := letter()
			list = append(list[:6], append(events{header("X-Tag", "a\n\tBcc: b")}, list[6:]...)...)
			if got := told(s, list...); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if list := s.Failures(); len(list) > 0 {
				t.Errorf("failures %v", list)
			}
		})
	}
}

// What an MTA does not allow is left out and said once; what must be done fails.
func TestNotAllowed(t *testing.T) {
	all := rule.Rule{
		AddHeaders: []string{"X-A: b", "X-B: c"}, Subject: "[a]", Sender: "x@y", AddRecipients: []string{"c@x"},
		DeleteRecipients: []string{"b@example.com"}, RewriteRecipient: "d@x",
	}
	h, log := logged(t, all)
	for range 3 {
		s := handlertest.New(t, h)
		s.Control().Update(func(f *handlers.Facts) { f.Options.Actions = protocol.ActionAddHeaders })
		if got := told(s, letter()...); got != "add-header X-A 0 b; add-header X-B 0 c" {
			t.Error(got)
		}
		if list := s.Failures(); len(list) > 0 {
			t.Errorf("failures %v", list)
		}
	}
	for _, change := range []string{"subject", "sender", "add_recipients", "delete_recipients", "rewrite_recipient"} {
		if n := strings.Count(log.String(), "rule=rule[0] change="+change); n != 1 {
			t.Errorf("%s is logged %d times", change, n)
		}
	}
	if strings.Contains(log.String(), "change=add_headers") {
		t.Error(log)
	}
	for name, r := range map[string]rule.Rule{
		"add_headers":       {AddHeaders: []string{"X-A: b"}, Required: true},
		"subject":           {Subject: "[a]", Required: true},
		"rewrite_recipient": {RewriteRecipient: "d@x", Required: true},
		"quarantine":        {Quarantine: "x"},
		"discard":           {When: `rcpt == "b@example.com"`, Action: "discard"},
	} {
		h, log := logged(t, r)
		s := handlertest.New(t, h)
		s.Control().Update(func(f *handlers.Facts) { f.Options.Actions = protocol.ActionAddRecipient })
		got, failed := told(s, letter()...), s.Failures()
		if got != "end-of-message tempfail" || len(failed) != 1 || !strings.Contains(failed[0].Error(), "rule[0]."+name+" cannot be done") || log.Len() > 0 {
			t.Errorf("%s: %s, %v, logged %q", name, got, failed, log)
		}
	}
}

// A value that is no address is a change that cannot be made.
func TestNoAddress(t *testing.T) {
	h, log := logged(t, rule.Rule{AddRecipients: []string{`{{header("Subject")}} x`}, AddHeaders: []string{"X-A: b"}})
	if got := told(handlertest.New(t, h), letter()...); got != "add-header X-A 0 b" || !strings.Contains(log.String(), `\"hello x\" is no address`) {
		t.Errorf("%s, logged %s", got, log)
	}
	h = filter(t, rule.Rule{Sender: `{{header("X-None")}}`, Required: true})
	if got := told(handlertest.New(t, h), letter()...); got != "end-of-message tempfail" {
		t.Error(got)
	}
}

// An expression that cannot be worked out fails where it is asked.
func TestFails(t *testing.T) {
	const broken = `headers("X")[2] == "a"`
	const brokenRcpt = `split(rcpt, "@")[1] == "x"`
	tests := []struct {
		name string
		rule rule.Rule
		want string
	}{
		{"condition", rule.Rule{When: broken, Action: "reject"}, "end-of-header tempfail"},
		{"condition of changes", rule.Rule{When: broken, Subject: "x"}, "end-of-message tempfail"},
		{"text", rule.Rule{When: `header_count > 0`, Action: "reject", Text: `{{headers("X")[2]}}`}, "end-of-header tempfail"},
		{"text of a change", rule.Rule{AddHeaders: []string{`X: {{headers("X")[2]}}`}}, "end-of-message tempfail"},
		{"recipient", rule.Rule{When: brokenRcpt, Action: "reject"}, "envelope-recipient tempfail"},
		{"recipient not answered", rule.Rule{When: brokenRcpt, Subject: "x"}, "end-of-message tempfail"},
		{"rewriting", rule.Rule{RewriteRecipient: `{{split(rcpt, "@")[1]}}`}, "end-of-message tempfail"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := handlertest.New(t, filter(t, tt.rule))
			got := first(s, mail("<a@x>"), rcpt("<postmaster>"), header("X", "1"), endHeaders, end)
			if list := s.Failures(); got != tt.want || len(list) != 1 {
				t.Errorf("got %s, %v, want %s", got, list, tt.want)
			}
		})
	}
}

// A message that somebody else has failed is not touched.
func TestFailedBefore(t *testing.T) {
	broken := handlers.On(func(_ *handlers.Session, m *handlers.Message) handlers.Reply {
		m.AddHeader("", "x")
		return handlers.Continue
	})
	h, log := logged(t, rule.Rule{Subject: "[a]"})
	s := handlertest.New(t, handlers.Chain(broken, h))
	if got := told(s, letter()...); got != "end-of-message tempfail" || len(s.Failures()) != 1 || log.Len() > 0 {
		t.Errorf("%s, logged %s", got, log)
	}
}

func TestTooManyRecipients(t *testing.T) {
	s := handlertest.New(t, filter(t, rule.Rule{When: `rcpt == "b@x"`, Subject: "[a]"}))
	told(s, mail("<a@x>"))
	for range 10001 {
		told(s, rcpt("<b@x>"))
	}
	if got := told(s, end); got != "end-of-message tempfail" {
		t.Error(got)
	}
}
