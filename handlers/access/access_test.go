package access_test

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/access"
	"millstream/handlers/handlertest"
	"millstream/handlers/lists"
	"millstream/protocol"
)

// Each subject is looked up at its stage, and each action does there what it can.
func TestVerdicts(t *testing.T) {
	const session = "connect 192.0.2.1 mail.example.com; helo mx.example.com; mail <a@example.com>; rcpt <b@example.net>; eom"
	tests := []struct {
		name string
		rule access.Rule
		want string // the answers to the session that are more than to go on
	}{
		{
			"client",
			access.Rule{LookUp: "client", Entries: []string{"192.0.2.0/24"}, Action: "reject"},
			"connect reject 554 5.7.1 access denied",
		},
		{"client not", access.Rule{LookUp: "client", Entries: []string{"192.0.3.0/24"}, Action: "reject"}, ""},
		{
			"client name",
			access.Rule{LookUp: "client_name", Entries: []string{".example.com"}, Action: "tempfail"},
			"connect tempfail 451 4.7.1 try again later",
		},
		{"client name alone", access.Rule{LookUp: "client_name", Kind: "names", Entries: []string{"example.com"}, Action: "reject"}, ""},
		{
			"helo",
			access.Rule{LookUp: "helo", Entries: []string{"mx.example.com"}, Action: "reject", Code: 550, Enhanced: "5.7.0", Text: "not\nyou"},
			"helo reject 550-5.7.0 not|550 5.7.0 you",
		},
		{"helo accept", access.Rule{LookUp: "helo", Entries: []string{"mx.example.com"}, Action: "accept"}, "helo accept"},
		{"sender", access.Rule{LookUp: "sender", Entries: []string{"a@example.com"}, Action: "discard"}, "mail discard"},
		{
			"sender domain",
			access.Rule{LookUp: "sender_domain", Entries: []string{"com"}, Action: "reject"},
			"mail reject 554 5.7.1 access denied",
		},
		{
			"sender held",
			access.Rule{LookUp: "sender", Entries: []string{"a@"}, Action: "quarantine", Text: "look at it"},
			"eom continue quarantine look at it",
		},
		{
			"client held",
			access.Rule{LookUp: "client", Entries: []string{"192.0.2.1"}, Action: "quarantine"},
			"eom continue quarantine access rule about client",
		},
		{
			"helo held",
			access.Rule{LookUp: "helo", Entries: []string{"example.com HOLD"}, Action: "reject"},
			"eom continue quarantine access rule about helo",
		},
		{"client discarded", access.Rule{LookUp: "client", Entries: []string{"192.0.2.1"}, Action: "discard"}, "eom discard"},
		{
			"recipient",
			access.Rule{LookUp: "recipient", Entries: []string{"b@example.net"}, Action: "reject"},
			"rcpt reject 554 5.7.1 access denied",
		},
		{
			"recipient domain",
			access.Rule{LookUp: "recipient_domain", Entries: []string{"example.net"}, Action: "tempfail", Text: "later"},
			"rcpt tempfail 451 4.7.1 later",
		},
		{"only recipient discarded", access.Rule{LookUp: "recipient", Entries: []string{"b@example.net"}, Action: "discard"}, "eom discard"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := handlertest.New(t, filter(t, tt.rule))
			if got := untilRefused(t, s, session); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if list := s.Failures(); len(list) > 0 {
				t.Errorf("failures %v", list)
			}
		})
	}
}

// untilRefused plays the script of a message until an answer is more than to go on, and
// returns that.
func untilRefused(t *testing.T, s *handlertest.Session, script string) string {
	t.Helper()
	for step := range strings.SplitSeq(script, ";") {
		if answer := play(t, s, step)[0]; !strings.HasSuffix(answer, " continue") {
			return answer
		}
	}
	return ""
}

// What stands behind an entry comes before the action of the rule.
func TestValues(t *testing.T) {
	file := write(t, "a@x.example OK", "b@x.example DUNNO", "c@x.example REJECT", "d@x.example REJECT go away",
		"e@x.example 450 4.2.0 full", "f@x.example 550", "g@x.example DEFER busy", "h@x.example DISCARD", "i@x.example accept",
		`j@x.example REJECT 552 5.2.2 one\ntwo`, "k@x.example HOLD why", "l@x.example", "m@x.example	Reject	5.1.0	tabs", "n@x.example TEMPFAIL",
		"o@x.example REJECT 100% sure")
	rules := []access.Rule{
		{LookUp: "sender", Files: []string{file}, Action: "reject", Code: 553, Text: "of the rule"},
		{LookUp: "sender_domain", Entries: []string{"x.example"}, Action: "tempfail", Text: "second rule"},
	}
	for sender, want := range map[string]string{
		"a": "continue",
		"b": "tempfail 451 4.7.1 second rule",
		"c": "reject 553 5.7.1 of the rule",
		"d": "reject 553 5.7.1 go away",
		"e": "tempfail 450 4.2.0 full",
		"f": "reject 550 5.7.1 of the rule",
		"g": "tempfail 451 4.7.1 busy",
		"h": "discard",
		"i": "accept",
		"j": "reject 552-5.2.2 one|552 5.2.2 two",
		"k": "continue",
		"l": "reject 553 5.7.1 of the rule",
		"m": "reject 553 5.1.0 tabs",
		"n": "tempfail 451 4.7.1 try again later",
		"o": "reject 553 5.7.1 100% sure",
		"p": "tempfail 451 4.7.1 second rule",
	} {
		s := handlertest.New(t, filter(t, rules...))
		if got := play(t, s, "mail <"+sender+"@x.example>")[0]; got != "mail "+want {
			t.Errorf("%s: %s, want %s", sender, got, want)
		}
		if sender == "k" {
			if got := play(t, s, "eom"); got[0] != "eom continue quarantine why" {
				t.Errorf("k: %s", got)
			}
		}
	}
	rules[0].Values = "ignore"
	s := handlertest.New(t, filter(t, rules...))
	if got := play(t, s, "mail <a@x.example>")[0]; got != "mail reject 553 5.7.1 of the rule" {
		t.Errorf("ignored value: %s", got)
	}
}

// The first rule that fits decides, also when a later one is about something that is
// known earlier.
func TestOrder(t *testing.T) {
	const (
		mailToPostmaster = "connect 192.0.2.1 x; helo x; mail <a@bad.example>; rcpt <postmaster@example.net>; rcpt <b@example.net>"
		friend           = "connect 192.0.2.1 x; helo x; mail <friend@bad.example>; rcpt <b@example.net>; eom"
	)
	postmaster := access.Rule{LookUp: "recipient", Entries: []string{"postmaster@"}, Action: "continue"}
	friends := access.Rule{LookUp: "sender", Entries: []string{"friend@bad.example"}, Action: "continue"}
	client := access.Rule{LookUp: "client", Entries: []string{"192.0.2.1"}, Action: "reject", Text: "client"}
	sender := access.Rule{LookUp: "sender_domain", Entries: []string{"bad.example"}, Action: "reject", Text: "sender"}
	helo := access.Rule{LookUp: "helo", Entries: []string{"x"}, Action: "continue"}
	dropped := access.Rule{LookUp: "client", Entries: []string{"192.0.2.1"}, Action: "discard"}
	tests := []struct {
		name   string
		rules  []access.Rule
		script string
		want   []string
	}{
		{"client first", []access.Rule{client, friends}, "connect 192.0.2.1 x", []string{"connect reject 554 5.7.1 client"}},
		{
			"friend first",
			[]access.Rule{friends, client},
			friend,
			[]string{"connect continue", "helo continue", "mail continue", "rcpt continue", "eom continue"},
		},
		{
			"friend first, not a friend",
			[]access.Rule{friends, client},
			"connect 192.0.2.1 x; helo x; mail <a@b.example>",
			[]string{"connect continue", "helo continue", "mail reject 554 5.7.1 client"},
		},
		{
			"helo first",
			[]access.Rule{helo, client, sender},
			friend,
			[]string{"connect continue", "helo continue", "mail continue", "rcpt continue", "eom continue"},
		},
		{
			"postmaster before sender",
			[]access.Rule{postmaster, sender},
			mailToPostmaster,
			[]string{"connect continue", "helo continue", "mail continue", "rcpt continue", "rcpt reject 554 5.7.1 sender"},
		},
		{
			"postmaster before client",
			[]access.Rule{postmaster, client},
			mailToPostmaster,
			[]string{"connect continue", "helo continue", "mail continue", "rcpt continue", "rcpt reject 554 5.7.1 client"},
		},
		{
			"sender before postmaster",
			[]access.Rule{sender, postmaster},
			"connect 192.0.2.1 x; helo x; mail <a@bad.example>",
			[]string{"connect continue", "helo continue", "mail reject 554 5.7.1 sender"},
		},
		{
			"dropped for all but the postmaster",
			[]access.Rule{postmaster, dropped},
			mailToPostmaster + "; eom",
			[]string{
				"connect continue", "helo continue", "mail continue", "rcpt continue", "rcpt continue",
				"eom continue delete-recipient <b@example.net>",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := play(t, handlertest.New(t, filter(t, tt.rules...)), tt.script)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// What was found for one recipient or one message says nothing of the next.
func TestRecipients(t *testing.T) {
	h := filter(t,
		access.Rule{LookUp: "recipient", Entries: []string{"drop@", "no@ REJECT", "wait@ DEFER"}, Action: "discard"},
		access.Rule{LookUp: "sender", Entries: []string{"bad@"}, Action: "reject", Text: "sender"},
	)
	s := handlertest.New(t, h)
	for _, tt := range []struct {
		script string
		want   []string
	}{
		{
			"mail <a@x.example>; rcpt <drop@x.example>; rcpt <ok@x.example>; rcpt <no@x.example>; rcpt <wait@x.example>; rcpt <DROP@x.example>; rcpt <drop@x.example>; eom",
			[]string{
				"mail continue", "rcpt continue", "rcpt continue", "rcpt reject 554 5.7.1 access denied",
				"rcpt tempfail 451 4.7.1 try again later", "rcpt continue", "rcpt continue",
				"eom continue delete-recipient <drop@x.example> delete-recipient <DROP@x.example>",
			},
		},
		{"mail <a@x.example>; rcpt <ok@x.example>; eom", []string{"mail continue", "rcpt continue", "eom continue"}},
		{"mail <bad@x.example>; rcpt <drop@x.example>; rcpt <ok@x.example>", []string{"mail continue", "rcpt continue", "rcpt reject 554 5.7.1 sender"}},
		{
			"abort; mail <a@x.example>; rcpt <ok@x.example>; rcpt <drop@x.example>; abort; mail <a@x.example>; rcpt <ok@x.example>; eom",
			[]string{"mail continue", "rcpt continue", "rcpt continue", "mail continue", "rcpt continue", "eom continue"},
		},
		{
			"mail <a@x.example>; rcpt <drop@x.example>; rcpt <drop@y.example>; eom",
			[]string{"mail continue", "rcpt continue", "rcpt continue", "eom discard"},
		},
	} {
		if got := play(t, s, tt.script); !slices.Equal(got, tt.want) {
			t.Errorf("%s\ngot  %s\nwant %s", tt.script, got, tt.want)
		}
	}
	if list := s.Failures(); len(list) > 0 {
		t.Errorf("failures %v", list)
	}
}

// Where not all recipients are known, a message is not discarded for those that are.
func TestTooManyRecipients(t *testing.T) {
	s := handlertest.New(t, filter(t, access.Rule{LookUp: "recipient", Entries: []string{"drop@"}, Action: "discard"}))
	play(t, s, "mail <a@x.example>; rcpt <drop@x.example>")
	s.Control().Update(func(f *handlers.Facts) {
		f.Result = &handlers.Result{Recipients: []string{"<drop@x.example>"}, Truncated: true}
	})
	if got := play(t, s, "eom")[0]; got != "eom continue delete-recipient <drop@x.example>" {
		t.Errorf("got %s", got)
	}
}

// What a session does not have is not looked up; what is odd does no harm.
func TestOddities(t *testing.T) {
	h := filter(t,
		access.Rule{LookUp: "client", Entries: []string{"0.0.0.0/0", "::/0"}, Action: "reject", Text: "client"},
		access.Rule{LookUp: "client_name", Entries: []string{"bad.example"}, Action: "reject", Text: "name"},
		access.Rule{LookUp: "sender_domain", Entries: []string{"bad.example"}, Action: "reject", Text: "domain"},
		access.Rule{LookUp: "sender", Entries: []string{"<>"}, Action: "reject", Text: "null"},
		access.Rule{LookUp: "recipient_domain", Entries: []string{"bad.example"}, Action: "reject", Text: "rcpt"},
	)
	for script, want := range map[string]string{
		"connect unknown unknown":     "connect continue",
		"connect 2001:db8::1 x":       "connect reject 554 5.7.1 client",
		"connect unknown [192.0.2.1]": "connect continue",
		"mail <>":                     "mail reject 554 5.7.1 null",
		"mail <bad.example>":          "mail continue",
		"mail bad@BAD.example":        "mail reject 554 5.7.1 domain",
		"mail <a@" + strings.Repeat("b.", 10_000) + "bad.example>":         "mail reject 554 5.7.1 domain",
		"mail <a@x>; rcpt <postmaster>":                                    "rcpt continue",
		"mail <a@x>; rcpt <" + strings.Repeat(".", 50_000) + ">":           "rcpt continue",
		"mail <a@x>; rcpt <" + strings.Repeat("@", 50_000) + ">":           "rcpt continue",
		"mail <a@x>; rcpt <a@" + strings.Repeat(".", 50_000) + ">":         "rcpt continue",
		"mail <a@x>; rcpt <" + strings.Repeat("a", 999) + "@bad.example.>": "rcpt reject 554 5.7.1 rcpt",
	} {
		s := handlertest.New(t, h)
		if got := play(t, s, script); got[len(got)-1] != want {
			t.Errorf("%.60s: %s, want %s", script, got[len(got)-1], want)
		}
	}
}

// Lists with a name, files and entries are asked in this order, once they were read.
func TestNamedList(t *testing.T) {
	path := write(t, "192.0.2.1 REJECT listed")
	set := lists.NewSet(lists.Config{Interval: -1})
	if _, err := set.Add(lists.Spec{Name: "bad", Kind: lists.Networks, Path: path}); err != nil {
		t.Fatal(err)
	}
	settings := &access.Settings{Rules: []access.Rule{
		{LookUp: "client", Lists: []string{"bad"}, Files: []string{write(t, "192.0.2.2 OK", "192.0.2.3 DUNNO", "192.0.2.4 DUNNO")}, Entries: []string{"192.0.2.2", "192.0.2.3"}, Action: "tempfail"},
	}}
	h, err := access.New(settings, set)
	if err != nil {
		t.Fatal(err)
	}
	s := handlertest.New(t, h)
	if out := s.Do(connectFrom("192.0.2.9")); out.Status != protocol.StatusTempFail || len(s.Failures()) != 1 {
		t.Errorf("before the lists are read: %v", out.Status)
	}
	if err := set.Open(); err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	for addr, want := range map[string]protocol.Status{
		"192.0.2.1": protocol.StatusReject, "192.0.2.2": protocol.StatusContinue,
		"192.0.2.3": protocol.StatusTempFail, "192.0.2.4": protocol.StatusContinue,
	} {
		if out := handlertest.New(t, h).Do(connectFrom(addr)); out.Status != want {
			t.Errorf("%s: %v, want %v", addr, out.Status, want)
		}
	}
}

func connectFrom(addr string) *protocol.Connect {
	return &protocol.Connect{Host: protocol.View("x"), Addr: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr(addr)}}
}

// The name of the handler is told with its answers.
func TestNamed(t *testing.T) {
	h := handlers.Named("blocklist", filter(t, access.Rule{LookUp: "sender", Entries: []string{"a@x.example"}, Action: "reject"}))
	s := handlertest.New(t, h)
	play(t, s, "mail <a@x.example>; mail <b@x.example>; eom")
	if r := s.Results(); len(r) != 2 || r[0].By != "blocklist" || r[0].Status != protocol.StatusReject || r[1].By != "" {
		t.Errorf("results %+v", r)
	}
}

// A message that cannot be held as it should is not taken.
func TestNoQuarantine(t *testing.T) {
	s := handlertest.New(t, filter(t, access.Rule{LookUp: "sender", Entries: []string{"a@x.example"}, Action: "quarantine"}))
	s.Control().Update(func(f *handlers.Facts) { f.Options.Actions = 0 })
	if got := play(t, s, "mail <a@x.example>; eom"); got[1] != "eom tempfail" || len(s.Failures()) != 1 {
		t.Errorf("got %v", got)
	}
}

// New does nothing that is seen outside: no file is read.
func TestNewReadsNothing(t *testing.T) {
	path := write(t, "x")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	set := lists.NewSet(lists.Config{})
	if _, err := access.New(&access.Settings{Rules: []access.Rule{{LookUp: "helo", Files: []string{path}, Action: "reject"}}}, set); err != nil {
		t.Fatal(err)
	}
	if err := set.Open(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
}
