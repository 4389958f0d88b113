package rule_test

import (
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/rule"
	"millstream/protocol"
)

type (
	rules  = []rule.Rule
	events = []handlers.Event
)

// letter is a message of a client to two recipients.
func letter() events {
	return events{
		from("192.0.2.1"), helo("mx.example.org"), mail("<a@example.org>"), rcpt("<b@example.com>"), rcpt("<boss@example.com>"),
		data, header("Subject", "hello"), endHeaders, body(100), end,
	}
}

// Each action is taken as soon as the expression is known.
func TestActions(t *testing.T) {
	const refused = "reject 554 5.7.1 refused by a rule"
	tests := []struct {
		name string
		rule rule.Rule
		want string // of the letter, as far as it came
	}{
		{"client", rule.Rule{When: `in_network("trusted")`, Action: "reject"}, "connect " + refused},
		{"not that client", rule.Rule{When: `in_network("10.0.0.0/8")`, Action: "reject"}, ""},
		{"all", rule.Rule{Action: "tempfail"}, "connect tempfail 451 4.7.1 try again later"},
		{"client accepted", rule.Rule{When: `in_network("trusted")`, Action: "accept"}, "connect accept"},
		{"client discarded", rule.Rule{When: `in_network("trusted")`, Action: "discard"}, "envelope-from discard"},
		{
			"helo with text",
			rule.Rule{When: `helo endsWith ".org"`, Action: "tempfail", Code: 450, Enhanced: "4.2.0", Text: "{{helo}} at {{client_addr}}:\n100% no\n"},
			"helo tempfail 450-4.2.0 mx.example.org at 192.0.2.1:|450 4.2.0 100% no",
		},
		{"sender", rule.Rule{When: `sender == "a@example.org"`, Action: "reject", Text: "not\nyou"}, "envelope-from reject 554-5.7.1 not|554 5.7.1 you"},
		{"sender accepted", rule.Rule{When: `sender == "a@example.org"`, Action: "accept"}, "envelope-from accept"},
		{"recipients so far", rule.Rule{When: `rcpt_count > 1`, Action: "reject"}, "envelope-recipient " + refused},
		{"recipients in the end", rule.Rule{When: `rcpt_count == 1`, Action: "discard"}, ""},
		{"all recipients", rule.Rule{When: `rcpt_count == 2`, Action: "discard"}, "data discard"},
		{"subject", rule.Rule{When: `header("Subject") == "hello"`, Action: "reject", Text: `{{header("Subject")}}, {{rcpt_count}}`}, "end-of-header reject 554 5.7.1 hello, 2"},
		{"size so far", rule.Rule{When: `size_so_far > 99`, Action: "reject"}, "body " + refused},
		{"size", rule.Rule{When: `size == 100`, Action: "discard"}, "end-of-message discard"},
		{"accepted with changes", rule.Rule{When: `sender != ""`, Action: "accept", AddHeaders: []string{"X-A: b"}}, "end-of-message accept; add-header X-A 0 b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := handlertest.New(t, filter(t, tt.rule))
			if got := first(s, letter()...); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if list := s.Failures(); len(list) > 0 {
				t.Errorf("failures %v", list)
			}
		})
	}
}

// The first rule that holds ends them, also where a later one could be asked sooner; one
// with continue does not.
func TestOrder(t *testing.T) {
	trusted := rule.Rule{When: `in_network("trusted")`}
	hello := rule.Rule{When: `header("Subject") == "hello"`}
	tag := func(when, tag string, more bool) rule.Rule {
		return rule.Rule{When: when, Subject: tag, Continue: more}
	}
	tests := []struct {
		name  string
		rules rules
		want  string
	}{
		{"exception", rules{trusted, {Action: "reject"}}, ""},
		{"late exception", rules{hello, {When: `sender != ""`, Action: "reject"}}, ""},
		{"late exception that is none", rules{{When: `header("Subject") == "x"`}, {When: `sender != ""`, Action: "reject"}}, "end-of-header reject 554 5.7.1 refused by a rule"},
		{"first of two", rules{tag(`sender != ""`, "[a]", false), tag(`helo != ""`, "[b]", false)}, "change-header Subject 1 [a] hello"},
		{"both", rules{tag(`size > 0`, "[a]", true), tag(`helo != ""`, "[b]", true)}, "change-header Subject 1 [a] [b] hello"},
		{"continue does not keep back", rules{tag(`size > 0`, "[a]", true), {When: `sender != ""`, Action: "reject"}}, "envelope-from reject 554 5.7.1 refused by a rule"},
		{"accept keeps changes", rules{tag(`sender != ""`, "[a]", true), {When: `in_network("trusted")`, Action: "accept"}}, "end-of-message accept; change-header Subject 1 [a] hello"},
		{"changes before the exception", rules{tag(`true`, "[a]", true), trusted, tag(`helo != ""`, "[b]", false)}, "change-header Subject 1 [a] hello"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := handlertest.New(t, filter(t, tt.rules...))
			if got := first(s, letter()...); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A rule about the recipient decides for each; those behind it are for the others.
func TestRecipients(t *testing.T) {
	no := rule.Rule{When: `rcpt startsWith "no@"`, Action: "reject", Text: "no {{rcpt}}"}
	drop := rule.Rule{When: `rcpt startsWith "drop@"`, Action: "discard"}
	boss := rule.Rule{When: `in_list("vip", rcpt)`}
	moved := rule.Rule{When: `rcpt_domain == "old.example"`, RewriteRecipient: `{{split(rcpt, "@")[0]}}@new.example`, AddHeaders: []string{"X-Moved: {{rcpt_count}}"}, Continue: true}
	spam := rule.Rule{When: `header("Subject") == "spam"`, Action: "reject", Text: "spam"}
	sender := rule.Rule{When: `sender startsWith "bad@"`, Action: "tempfail"}
	tests := []struct {
		name  string
		rules rules
		mail  string // sender, recipients; then the subject
		want  string
	}{
		{"refused alone", rules{no}, "a@x no@x b@x; hi", "envelope-recipient reject 554 5.7.1 no no@x"},
		{"left out", rules{drop}, "a@x drop@x b@x drop@x; hi", "delete-recipient <drop@x>"},
		{"nobody left", rules{drop}, "a@x drop@x drop@y; hi", "end-of-message discard"},
		{"nobody left but who was refused", rules{no, drop}, "a@x no@x drop@y; hi", "envelope-recipient reject 554 5.7.1 no no@x; end-of-message discard"},
		{"sender behind", rules{boss, sender}, "bad@x boss@example.com b@x; hi", "envelope-recipient tempfail 451 4.7.1 try again later"},
		{"header behind, some left", rules{boss, spam}, "a@x boss@example.com b@x; spam", "end-of-header reject 554 5.7.1 spam"},
		{"header behind, none left", rules{boss, spam}, "a@x boss@example.com; spam", ""},
		{
			"rewritten",
			rules{moved},
			"a@x a@old.example b@x B@old.example a@old.example; hi",
			"add-header X-Moved 0 4; delete-recipient <a@old.example>; delete-recipient <B@old.example>; add-recipient <a@new.example>; add-recipient <B@new.example>",
		},
		{"rewritten for none", rules{moved}, "a@x b@x; hi", ""},
		{"rewritten and left out", rules{moved, {When: `rcpt startsWith "c@"`, Action: "discard"}}, "a@x c@old.example b@x; hi", "add-header X-Moved 0 2; delete-recipient <c@old.example>"},
		{"all rewritten", rules{{When: `sender == "a@x"`, RewriteRecipient: "trap@x"}}, "a@x b@x c@x; hi", "delete-recipient <b@x>; delete-recipient <c@x>; add-recipient <trap@x>"},
		{"to itself", rules{{RewriteRecipient: "<{{rcpt}}>"}}, "a@x b@x; hi", ""},
		{"behind a header", rules{{When: `header("Subject") == "hi"`}, drop}, "a@x drop@x b@x; hi", ""},
		{"behind a header that is another", rules{{When: `header("Subject") == "ho"`}, drop}, "a@x drop@x b@x; hi", "delete-recipient <drop@x>"},
		{"refused behind us", rules{{When: `rcpt startsWith "gone@"`, Subject: "[a]"}}, "a@x gone@x b@x; hi", "envelope-recipient reject"},
		{
			"count and recipient",
			rules{{When: `rcpt_count == 2 && rcpt == "c@x"`, Quarantine: "odd", Continue: true}, {When: `rcpt == "b@x"`, Subject: "[b]"}},
			"a@x b@x c@x; hi",
			"change-header Subject 1 [b] hi; quarantine odd",
		},
	}
	gone := handlers.On(func(_ *handlers.Session, c *protocol.RcptTo) handlers.Reply {
		if strings.HasPrefix(c.Mailbox().String(), "gone@") {
			return handlers.Reject
		}
		return handlers.Continue
	})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := handlertest.New(t, handlers.Chain(filter(t, tt.rules...), gone))
			for range 2 { // nothing is left of the first message
				people, subject, _ := strings.Cut(tt.mail, "; ")
				list := events{}
				for i, addr := range strings.Fields(people) {
					if i == 0 {
						list = append(list, mail("<"+addr+">"))
					} else {
						list = append(list, rcpt("<"+addr+">"))
					}
				}
				list = append(list, header("Subject", subject))
				got := told(s, list...)
				if answer := told(s, endHeaders); answer != "" {
					got = join(got, answer)
				} else {
					got = join(got, told(s, end))
				}
				if got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			}
			if list := s.Failures(); len(list) > 0 {
				t.Errorf("failures %v", list)
			}
		})
	}
}

func join(a, b string) string { return strings.TrimPrefix(strings.TrimSuffix(a+"; "+b, "; "), "; ") }

// A recipient that the MTA has refused is not asked about.
func TestRefusedByTheMTA(t *testing.T) {
	s := handlertest.New(t, filter(t, rule.Rule{When: `rcpt == "b@x"`, Action: "reject"}, rule.Rule{When: `rcpt == "c@x"`, Action: "discard"}))
	told(s, mail("<a@x>"))
	s.Control().Update(func(f *handlers.Facts) { f.Options.Steps |= protocol.StepRcptRejected })
	s.Macros(protocol.CodeRcptTo, "{rcpt_mailer}", "error")
	if got := told(s, rcpt("<b@x>")); got != "" {
		t.Error(got)
	}
	s.Macros(protocol.CodeRcptTo, "{rcpt_mailer}", "smtp")
	if got := told(s, rcpt("<c@x>"), end); got != "end-of-message discard" {
		t.Error(got)
	}
}
