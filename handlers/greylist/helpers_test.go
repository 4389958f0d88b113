package greylist_test

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/greylist"
	"millstream/handlers/handlertest"
	"millstream/handlers/store"
	"millstream/handlers/store/memory"
	"millstream/handlers/when"
	"millstream/protocol"
)

// quiet is a log that nobody reads.
var quiet = slog.New(slog.DiscardHandler)

// memoryStore returns a store in memory.
func memoryStore(tb testing.TB) store.Store {
	tb.Helper()
	st, err := memory.Open(memory.Config{Log: quiet})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := st.Close(); err != nil {
			tb.Error(err)
		}
	})
	return st
}

// filter returns a greylist on a store, with the default settings but for some.
func filter(tb testing.TB, st store.Store, edit func(*greylist.Settings)) handlers.Handler {
	tb.Helper()
	s := greylist.Defaults()
	s.Text = "come again in {{wait}}"
	if edit != nil {
		edit(s)
	}
	names := &when.Names{Networks: map[string]when.Network{"partners": when.Prefixes(netip.MustParsePrefix("198.51.100.0/24"))}}
	h, err := greylist.New(s, names, st, nil, quiet)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// connect tells a session of a client. One whose address is "" has none.
func connect(s *handlertest.Session, client string) {
	c := &protocol.Connect{Host: protocol.View("mx.example.com"), Addr: protocol.Addr{Family: protocol.FamilyUnknown}}
	if client != "" {
		ip := netip.MustParseAddr(client)
		c.Addr = protocol.Addr{Family: protocol.FamilyInet, IP: ip, Port: 25}
		if ip.Is6() {
			c.Addr.Family = protocol.FamilyInet6
		}
	}
	s.Do(c)
}

// send has a new client send a message to some recipients, and returns the answers to
// these, and the header that was added at its end.
func send(tb testing.TB, h handlers.Handler, client, sender string, rcpts ...string) []string {
	tb.Helper()
	s := handlertest.New(tb, h)
	defer s.Close()
	connect(s, client)
	s.Do(&protocol.Helo{Name: protocol.View("mx.example.com")})
	return message(tb, s, sender, rcpts...)
}

// message sends a message in a session; see send.
func message(tb testing.TB, s *handlertest.Session, sender string, rcpts ...string) []string {
	tb.Helper()
	s.Do(&protocol.MailFrom{Addr: protocol.View("<" + sender + ">")})
	var answers []string
	taken := false
	for _, rcpt := range rcpts {
		out := s.Do(&protocol.RcptTo{Addr: protocol.View("<" + rcpt + ">")})
		if taken = taken || out.Status == protocol.StatusContinue; out.Text != "" {
			answers = append(answers, strings.ReplaceAll(out.Text, "\r\n", "|"))
			continue
		}
		answers = append(answers, out.Status.String())
	}
	if taken {
		for _, c := range s.EndOfMessage().Changes {
			answers = append(answers, c.Name.String()+": "+c.Value.String())
		}
	} else {
		s.Abort()
	}
	if list := s.Failures(); len(list) > 0 {
		tb.Errorf("failures %v", list)
	}
	return answers
}

// expect compares answers.
func expect(tb testing.TB, what string, got []string, want ...string) {
	tb.Helper()
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		tb.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// What is answered.
const (
	ok    = "continue"
	first = "450 4.7.1 come again in 300"
)
