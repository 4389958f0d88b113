package dnsbl

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// showScore has every listing told in a header.
var showScore = Action{Score: 1, Do: "header", Header: "X", Text: "{{score}} {{zones}} [{{listed}}] {{reason}}"}

// TestScores asks real lists about mails, and compares what is added to them.
func TestScores(t *testing.T) {
	r := newResolver(t, startNSD(t).Addr)
	ip := Zone{Zone: "ip.test", Weight: 3}
	detailed := Zone{Zone: "ip.test.", Weight: 3, Text: "listed", Answers: []Answer{
		{Match: "127.0.0.2-9"}, {Match: "127.0.0.10-11", Weight: 4, Text: "dynamic"},
	}}
	names := Zone{Zone: "name.test", Lookup: []string{"helo", "sender", "uri"}, Weight: 2}
	tests := []struct {
		name               string
		zones              []Zone
		client, helo, from string
		body               string
		want               string
	}{
		{"clean", []Zone{ip, names}, goodClient, "mx.example.com", "<a@example.com>", "", ""},
		{"client", []Zone{ip}, badClient, "", "", "", "3 ip.test [198.51.100.7] "},
		{"each match once", []Zone{detailed}, badClient, "", "", "", "7 ip.test [198.51.100.7] listed; dynamic"},
		{"one match", []Zone{detailed}, "198.51.100.9", "", "", "", "4 ip.test [198.51.100.9] dynamic"},
		{"no match", []Zone{detailed}, "198.51.100.10", "", "", "", ""},
		{"IPv6", []Zone{ip}, badClient6, "", "", "", "3 ip.test [2001:db8::7] "},
		{"text of the zone", []Zone{{Zone: "ip.test", TXT: true}}, badClient, "", "", "", "1 ip.test [198.51.100.7] see https://ip.test/198.51.100.7"},
		{"allowlist", []Zone{ip, {Zone: "good.test", Weight: -2}}, badClient, "", "", "", "1 ip.test [198.51.100.7] "},
		{"all of it", []Zone{ip, {Zone: "good.test", Weight: -5}}, badClient, "", "", "", ""},
		{"name", []Zone{{Zone: "name.test", Name: "secret", Lookup: []string{"helo"}}}, goodClient, "BAD.example.", "", "", "1 secret [bad.example] "},
		{"sender", []Zone{names}, goodClient, "[198.51.100.7]", "<a@mx.bad.example>", "", "2 name.test [mx.bad.example] "},
		{"bounce", []Zone{names}, goodClient, "localhost", "<>", "", ""},
		{"uri", []Zone{names}, goodClient, "", "", "see http://www.bad.example/x and https://user@bücher.example", "4 name.test [www.bad.example, xn--bcher-kva.example] "},
		{
			"registered",
			[]Zone{{Zone: "name.test", Lookup: []string{"uri"}, Registered: true, Answers: []Answer{{Match: "127.0.0.&64", Weight: 7}, {Match: "127.0.0.6"}}}},
			goodClient, "", "", "http://shop.bad.co.uk:8080", "7 name.test [shop.bad.co.uk] ",
		},
		{"all kinds", []Zone{ip, names}, badClient, "bad.example", "<x@a.bad.example>", "HTTPS://b.bad.example?", "9 ip.test, name.test [198.51.100.7, bad.example, a.bad.example, b.bad.example] "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := handlertest.New(t, newFilter(t, settings(tt.zones, showScore), r, nil))
			begin(s, tt.client, tt.helo)
			out := s.Send(handlertest.Mail{From: tt.from, To: []string{"<b@example.net>"}, Body: tt.body})
			got := ""
			for _, c := range out.Changes {
				got += c.Value.String()
			}
			if out.Status != protocol.StatusContinue || got != tt.want || len(s.Failures()) > 0 {
				t.Errorf("%v %q, want %q; %v", out.Status, got, tt.want, s.Failures())
			}
		})
	}
}

// TestActions compares what scores come to.
func TestActions(t *testing.T) {
	r := newResolver(t, startNSD(t).Addr)
	all := []Action{
		{Score: 2, Do: "header", Header: "X-A"},
		{Score: 9, Do: "reject", Text: "{{client_addr}} {{helo}} {{sender}} 100% {{zones}}"},
		{Score: 7, Do: "tempfail"},
		{Score: 4, Do: "quarantine"},
		{Score: 5, Do: "quarantine", Text: "worse"},
		{Score: 5, Do: "header", Header: "X-B", Text: "b"},
	}
	tests := []struct {
		weight int
		want   string
	}{
		{1, "continue"},
		{2, "continue add-header X-A: score=2 zones=ip.test"},
		{4, "continue add-header X-A: score=4 zones=ip.test quarantine score 4: 198.51.100.7 is listed by ip.test"},
		{5, "continue add-header X-B: b add-header X-A: score=5 zones=ip.test quarantine worse"},
		{7, "tempfail 451 4.7.1 198.51.100.7 is listed by ip.test"},
		{9, "reject 554 5.7.1 198.51.100.7 mx.example a@example.com 100% ip.test"},
	}
	for _, tt := range tests {
		s := handlertest.New(t, newFilter(t, settings([]Zone{{Zone: "ip.test", Weight: tt.weight}}, all...), r, nil))
		begin(s, badClient, "mx.example")
		out := s.Send(handlertest.Mail{From: "<a@example.com>", To: []string{"<b@example.net>"}})
		got := out.Status.String()
		if out.Text != "" {
			got += " " + out.Text
		}
		for _, c := range out.Changes {
			got += fmt.Sprintf(" %v %s", c.Code, c.Name)
			if len(c.Value) > 0 {
				got += fmt.Sprintf(": %s", c.Value)
			}
		}
		if got != tt.want {
			t.Errorf("%d: %s\nwant %s", tt.weight, got, tt.want)
		}
	}
}

// TestAsksOnce compares what is looked up at each stage of several messages.
func TestAsksOnce(t *testing.T) {
	r := newResolver(t, startNSD(t).Addr)
	zones := []Zone{{Zone: "ip.test"}, {Zone: "name.test", Lookup: []string{"helo", "sender", "uri"}}}
	for _, stage := range []string{"mail", "connect"} {
		set := settings(zones, Action{Score: 100, Do: "reject"})
		set.Stage = stage
		h := newFilter(t, set, r, nil)
		s := handlertest.New(t, h)
		want := func(names ...string) {
			t.Helper()
			if got := r.take(); !slices.Equal(got, names) {
				t.Errorf("stage %s: asked for %q, want %q", stage, got, names)
			}
		}
		byClient := []string{"8.100.51.198.ip.test"}
		byHelo, bySender := []string{"mx.example.name.test"}, []string{"one.example.name.test"}
		s.Do(connectFrom(goodClient))
		if stage == "connect" {
			want(byClient...)
			byClient = nil
		} else {
			want()
		}
		s.Do(&protocol.Helo{Name: protocol.View("mx.example")})
		if stage == "connect" {
			want(byHelo...)
			byHelo = nil
		} else {
			want()
		}
		s.Do(mailFrom("<a@one.example>"))
		want(slices.Concat(byClient, byHelo, bySender)...)
		s.Do(&protocol.Body{Chunk: protocol.View("http://a.example http://A.example")})
		want()
		s.EndOfMessage()
		want("a.example.name.test")
		s.Do(mailFrom("<a@two.example>"))
		want("two.example.name.test")
		s.EndOfMessage()
		want()
		s.Do(&protocol.Helo{Name: protocol.View("new.example")})
		s.Do(mailFrom("<a@two.example>"))
		want("new.example.name.test", "two.example.name.test")
	}
}

// TestExempt looks nothing up for clients that lists know nothing of, or that have logged
// in.
func TestExempt(t *testing.T) {
	r := newResolver(t, startNSD(t).Addr)
	set := settings([]Zone{{Zone: "ip.test", Lookup: []string{"client", "sender", "uri"}}}, Action{Score: 1, Do: "reject"})
	for _, stage := range []string{"mail", "connect"} {
		set.Stage = stage
		for _, addr := range []string{"", "127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "fe80::1", "fd00::1", "100.64.0.1", "::ffff:10.0.0.1"} {
			s := handlertest.New(t, newFilter(t, set, r, nil))
			begin(s, addr, "mx.example")
			out := s.Send(handlertest.Mail{From: "<a@bad.example>", Body: "http://bad.example/"})
			if names := r.take(); len(names) > 0 || out.Status == protocol.StatusReject {
				t.Errorf("%s: asked for %q, %v", addr, names, out.Status)
			}
		}
	}
	set.Stage = "mail"
	for _, macro := range []string{"auth_authen", "{auth_type}"} {
		for _, skip := range []bool{true, false} {
			set.SkipAuthenticated = skip
			s := handlertest.New(t, newFilter(t, set, r, nil))
			begin(s, badClient, "mx.example")
			s.Macros(protocol.CodeMailFrom, macro, "joe")
			if out := s.Do(mailFrom("<a@b.example>")); (out.Status == protocol.StatusReject) == skip {
				t.Errorf("%s, skip %v: %v", macro, skip, out.Status)
			}
		}
	}
	set.SkipPrivate = false
	s := handlertest.New(t, newFilter(t, set, r, nil))
	begin(s, "127.0.0.2", "mx.example")
	if out := s.Do(mailFrom("<a@b.example>")); out.Status != protocol.StatusReject {
		t.Errorf("private, and not skipped: %v", out.Status)
	}
}

// TestConnectStage refuses before there is a message.
func TestConnectStage(t *testing.T) {
	r := newResolver(t, startNSD(t).Addr)
	set := settings([]Zone{{Zone: "ip.test"}, {Zone: "name.test", Lookup: []string{"helo"}}}, Action{Score: 1, Do: "reject"})
	set.Stage = "connect"
	h := newFilter(t, set, r, nil)
	if out := handlertest.New(t, h).Do(connectFrom(badClient)); out.Status != protocol.StatusReject || !strings.HasPrefix(out.Text, "554 5.7.1 198.51.100.7 is listed") {
		t.Errorf("connect: %v %q", out.Status, out.Text)
	}
	if out := begin(handlertest.New(t, h), goodClient, "bad.example"); out.Status != protocol.StatusReject || !strings.Contains(out.Text, "bad.example is listed by name.test") {
		t.Errorf("helo: %v %q", out.Status, out.Text)
	}
}

// TestWants checks that no more is asked of the MTA than what is looked up.
func TestWants(t *testing.T) {
	const finished, mail = handlers.KindFinished, handlers.KindEnvelopeFrom
	tests := []struct {
		name    string
		zone    Zone
		action  Action
		early   bool
		events  []handlers.Kind // beside mail and finished
		replies []handlers.Kind // beside mail
	}{
		{"client", Zone{}, Action{Do: doReject}, false, []handlers.Kind{handlers.KindConnect}, nil},
		{"early client", Zone{}, Action{Do: doReject}, true, nil, []handlers.Kind{handlers.KindConnect}},
		{"helo", Zone{Lookup: []string{"helo"}}, Action{Do: doTempFail}, false, []handlers.Kind{handlers.KindConnect, handlers.KindHelo}, nil},
		{"early helo", Zone{Lookup: []string{"helo"}}, Action{Do: doReject}, true, []handlers.Kind{handlers.KindConnect}, []handlers.Kind{handlers.KindHelo}},
		{"helo in a text", Zone{}, Action{Do: doReject, Text: "{{helo}}"}, false, []handlers.Kind{handlers.KindConnect, handlers.KindHelo}, nil},
		{"uri", Zone{Lookup: []string{"uri"}}, Action{Do: doReject}, false, []handlers.Kind{handlers.KindConnect}, []handlers.Kind{handlers.KindBody, handlers.KindEndOfMessage}},
		{"quarantine", Zone{}, Action{Do: doQuarantine}, false, []handlers.Kind{handlers.KindConnect}, []handlers.Kind{handlers.KindEndOfMessage}},
	}
	for _, tt := range tests {
		tt.zone.Zone, tt.action.Score = "ip.test", 1
		set := settings([]Zone{tt.zone}, tt.action)
		set.SkipAuthenticated = false
		if tt.early {
			set.Stage = stageConnect
		}
		got := newFilter(t, set, new(counter), nil).Wants()
		replies := handlers.Of(append(tt.replies, mail)...)
		if want := (handlers.Wants{Events: handlers.Of(append(tt.events, finished)...) | replies, Replies: replies}); got != want {
			t.Errorf("%s: %b, want %b", tt.name, got, want)
		}
	}
}

// TestMacros asks for who has logged in where another handler has asked for less.
func TestMacros(t *testing.T) {
	asks := handlers.On(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
		n.RequestMacros(protocol.StageMail, "i")
		return handlers.Continue
	})
	h := newFilter(t, settings([]Zone{{Zone: "ip.test"}}, showScore), new(counter), nil)
	offer := protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}
	for _, tt := range []struct {
		h    handlers.Handler
		want string
	}{{h, ""}, {handlers.Chain(asks, h), "i auth_authen auth_type"}} {
		agreed, err := handlertest.New(t, tt.h).Negotiate(offer)
		if got := strings.Join(agreed.Macros[protocol.StageMail], " "); err != nil || got != tt.want {
			t.Errorf("asks for %q, %v; want %q", got, err, tt.want)
		}
	}
}

// TestForgets checks that nothing is kept of a client that is gone.
func TestForgets(t *testing.T) {
	r := newResolver(t, startNSD(t).Addr)
	f := &filter{
		lists: nil, resolver: r, key: "dnsbl",
	}
	s := handlertest.New(t, f.handler(false))
	begin(s, badClient, "mx.example")
	s.Do(mailFrom("<a@b.example>"))
	if _, there := f.connections.Load(s.Control().Session().ID()); !there {
		t.Error("the client is not known")
	}
	s.Do(&protocol.Quit{})
	f.connections.Range(func(id, _ any) bool {
		t.Errorf("session %v is still known", id)
		return true
	})
}
