package greylist_test

import (
	"testing"
	"testing/synctest"
	"time"

	"millstream/handlers"
	"millstream/handlers/greylist"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// The client, sender and recipient that most tests are about.
const (
	client = "192.0.2.7"
	from   = "a@example.com"
	to     = "b@example.net"
)

// A key is refused until it is tried again between the end of the delay and that of the
// window, and then known for as long as it is used.
func TestTimes(t *testing.T) {
	steps := func(text ...string) []string { return text }
	tests := []struct {
		name string
		wait []time.Duration // before each try
		want []string
	}{
		{"passes", []time.Duration{0, 5 * time.Minute, 0}, steps(first, ok, ok)},
		{
			"early tries lose nothing",
			[]time.Duration{0, time.Minute, 3*time.Minute + 500*time.Millisecond, time.Minute},
			steps(first, "450 4.7.1 come again in 240", "450 4.7.1 come again in 60", ok),
		},
		{"at the end of the window", []time.Duration{0, 48*time.Hour - time.Second}, steps(first, ok)},
		{"too late", []time.Duration{0, 48*time.Hour + time.Second, 5 * time.Minute}, steps(first, first, ok)},
		{"known for long", []time.Duration{0, time.Hour, 35 * 24 * time.Hour}, steps(first, ok, ok)},
		{"forgotten", []time.Duration{0, time.Hour, 37 * 24 * time.Hour}, steps(first, ok, first)},
		{"kept by use", []time.Duration{0, time.Hour, 35 * 24 * time.Hour, 35 * 24 * time.Hour}, steps(first, ok, ok, ok)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := filter(t, memoryStore(t), nil)
				for i, wait := range tt.wait {
					time.Sleep(wait)
					expect(t, time.Duration(i).String(), send(t, h, client, from, to), tt.want[i])
				}
			})
		})
	}
}

// A recipient waits alone: the others of the message are not held.
func TestRecipients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := filter(t, memoryStore(t), nil)
		expect(t, "first", send(t, h, client, from, to), first)
		time.Sleep(time.Hour)
		expect(t, "another with it", send(t, h, client, from, to, "c@example.net"), ok, first)
	})
}

// A try counts as the same if the parts of the key are.
func TestKeys(t *testing.T) {
	type try struct{ client, from, to string }
	others := map[string]try{
		"same":             {client, from, to},
		"letters":          {client, "A@Example.COM", "B@EXAMPLE.net"},
		"neighbour":        {"192.0.2.200", from, to},
		"as IPv6":          {"::ffff:192.0.2.9", from, to},
		"network":          {"192.0.3.7", from, to},
		"sender":           {client, "x@example.com", to},
		"sender domain":    {client, "a@example.org", to},
		"recipient":        {client, from, "x@example.net"},
		"recipient domain": {client, from, "b@example.org"},
	}
	tests := []struct {
		key   []string
		other []string // the tries that are not the same
	}{
		{[]string{"network", "sender", "recipient"}, []string{"network", "sender", "sender domain", "recipient", "recipient domain"}},
		{[]string{"sender_domain", "network"}, []string{"network", "sender domain"}},
		{[]string{"network"}, []string{"network"}},
		{[]string{"sender", "recipient"}, []string{"sender", "sender domain", "recipient", "recipient domain"}},
		{[]string{"recipient_domain", "helo"}, []string{"recipient domain"}},
	}
	for _, tt := range tests {
		want := make(map[string]string)
		for name := range others {
			want[name] = ok
		}
		for _, name := range tt.other {
			want[name] = first
		}
		for name, other := range others {
			synctest.Test(t, func(t *testing.T) {
				h := filter(t, memoryStore(t), func(s *greylist.Settings) { s.Key = tt.key })
				expect(t, "first", send(t, h, client, from, to), first)
				time.Sleep(time.Hour)
				expect(t, name, send(t, h, other.client, other.from, other.to), want[name])
			})
		}
	}
}

// The name of HELO and the bits of a network can be part of a key.
func TestKeyOfClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := filter(t, memoryStore(t), func(s *greylist.Settings) {
			s.Key, s.IPv4Bits, s.IPv6Bits = []string{"network", "helo"}, 32, 48
		})
		try := func(addr, name string) []string {
			s := handlertest.New(t, h)
			defer s.Close()
			connect(s, addr)
			s.Do(&protocol.Helo{Name: protocol.View(name)})
			return message(t, s, from, to)
		}
		expect(t, "IPv4", try("192.0.2.7", "one.example"), first)
		expect(t, "IPv6", try("2001:db8:1::1", "one.example"), first)
		time.Sleep(time.Hour)
		expect(t, "another name", try("192.0.2.7", "two.example"), first)
		expect(t, "another address", try("192.0.2.8", "one.example"), first)
		expect(t, "another network", try("2001:db8:2::1", "one.example"), first)
		expect(t, "the same network", try("2001:db8:1:ffff::1", "ONE.example"), ok)
		expect(t, "the same", try("192.0.2.7", "one.example"), ok)
	})
}

// Who is not to be delayed is not.
func TestSkips(t *testing.T) {
	for name, tt := range map[string]struct {
		client, from, user string
		edit               func(*greylist.Settings)
		want               string
	}{
		"stranger":           {client, from, "", nil, first},
		"logged in":          {client, from, "alice", nil, ok},
		"logged in, not let": {client, from, "alice", func(s *greylist.Settings) { s.SkipAuthenticated = false }, first},
		"loopback":           {"127.0.0.1", from, "", nil, ok},
		"loopback, IPv6":     {"::1", from, "", nil, ok},
		"loopback, not let":  {"127.0.0.1", from, "", func(s *greylist.Settings) { s.SkipNetworks = nil }, first},
		"no address":         {"", from, "", nil, ok},
		"named network":      {"198.51.100.9", from, "", func(s *greylist.Settings) { s.SkipNetworks = []string{"partners"} }, ok},
		"network":            {client, from, "", func(s *greylist.Settings) { s.SkipNetworks = []string{"10.0.0.0/8", "192.0.2.0/25"} }, ok},
		"network as IPv6":    {client, from, "", func(s *greylist.Settings) { s.SkipNetworks = []string{"::ffff:192.0.2.0/120"} }, ok},
		"one address":        {client, from, "", func(s *greylist.Settings) { s.SkipNetworks = []string{client} }, ok},
		"other address":      {client, from, "", func(s *greylist.Settings) { s.SkipNetworks = []string{"192.0.2.8"} }, first},
		"null sender":        {client, "", "", nil, first},
		"null sender, let":   {client, "", "", func(s *greylist.Settings) { s.SkipNullSender = true }, ok},
		"sender, let":        {client, from, "", func(s *greylist.Settings) { s.SkipNullSender = true }, first},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := handlertest.New(t, filter(t, memoryStore(t), tt.edit))
				connect(s, tt.client)
				if tt.user != "" {
					s.Macros(protocol.CodeMailFrom, "auth_authen", tt.user)
				}
				expect(t, "answer", message(t, s, tt.from, to), tt.want)
			})
		})
	}
}

// A network is known well when as many messages have passed; recipients of one message
// count once, and messages that did not wait do not.
func TestWhitelist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := filter(t, memoryStore(t), func(s *greylist.Settings) { s.WhitelistAfter = 2 })
		expect(t, "new", send(t, h, client, from, to, "c@example.net", "d@example.net"), first, first, first)
		time.Sleep(time.Hour)
		expect(t, "passes", send(t, h, client, from, to, "c@example.net", "d@example.net"), ok, ok, ok)
		expect(t, "is known", send(t, h, client, from, to), ok)
		expect(t, "another sender", send(t, h, client, "x@example.com", to), first)
		time.Sleep(time.Hour)
		expect(t, "passes", send(t, h, "192.0.2.8", "x@example.com", to), ok)
		for day := range 3 {
			expect(t, time.Duration(day).String(), send(t, h, "192.0.2.9", "y@example.com", "new@example.net"), ok)
			time.Sleep(30 * 24 * time.Hour)
		}
		expect(t, "another network", send(t, h, "192.0.3.1", "y@example.com", to), first)
		time.Sleep(40 * 24 * time.Hour)
		expect(t, "not for ever", send(t, h, "192.0.2.9", "y@example.com", "new@example.net"), first)
	})
	synctest.Test(t, func(t *testing.T) {
		h := filter(t, memoryStore(t), func(s *greylist.Settings) { s.WhitelistAfter = 0 })
		for _, sender := range []string{"a@x.example", "b@x.example", "c@x.example"} {
			expect(t, "new", send(t, h, client, sender, to), first)
			time.Sleep(time.Hour)
			expect(t, "passes", send(t, h, client, sender, to), ok)
		}
	})
}

// A message says how long it was delayed: the longest of its recipients, and only once.
func TestHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := filter(t, memoryStore(t), func(s *greylist.Settings) { s.Header, s.WhitelistAfter = "X-Greylist", 0 })
		expect(t, "first", send(t, h, client, from, to), first)
		time.Sleep(time.Minute)
		expect(t, "second", send(t, h, client, from, "c@example.net"), first)
		time.Sleep(10*time.Minute - time.Millisecond)
		expect(t, "passes", send(t, h, client, from, "c@example.net", to), ok, ok, "X-Greylist: delayed 660 seconds by greylisting")
		expect(t, "known", send(t, h, client, from, to), ok)

		expect(t, "another", send(t, h, client, "x@example.com", to), first)
		time.Sleep(time.Hour)
		s := handlertest.New(t, h)
		connect(s, client)
		s.Control().Update(func(f *handlers.Facts) { f.Options.Actions &^= protocol.ActionAddHeaders })
		expect(t, "an MTA that adds none", message(t, s, "x@example.com", to), ok)
	})
}

// What an SMTP client is told can be set.
func TestReply(t *testing.T) {
	h := filter(t, memoryStore(t), func(s *greylist.Settings) {
		s.Code, s.Enhanced, s.Text = 451, "4.7.0", "not yet\n100% sure"
	})
	expect(t, "reply", send(t, h, client, from, to), "451-4.7.0 not yet|451 4.7.0 100% sure")
}

// A recipient that the MTA has refused is not remembered.
func TestRefusedByMTA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := filter(t, memoryStore(t), nil)
		s := handlertest.New(t, handlers.Chain(h, handlers.On(func(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
			n.SetSteps(n.Steps() | protocol.StepRcptRejected)
			return handlers.Continue
		})))
		connect(s, client)
		s.Do(&protocol.MailFrom{Addr: protocol.View("<" + from + ">")})
		s.Macros(protocol.CodeRcptTo, "rcpt_mailer", "error")
		if out := s.Do(&protocol.RcptTo{Addr: protocol.View("<" + to + ">")}); out.Status != protocol.StatusContinue {
			t.Errorf("answer %v", out.Status)
		}
		s.Abort()
		time.Sleep(time.Hour)
		expect(t, "later", send(t, h, client, from, to), first)
	})
}
