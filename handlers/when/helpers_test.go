package when_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/when"
	"millstream/protocol"
)

func view(s string) protocol.View { return protocol.View(s) }

func mail(from string, params ...string) *protocol.MailFrom {
	return &protocol.MailFrom{Addr: view(from), Params: protocol.NewParams(params...)}
}

func rcpt(to string, params ...string) *protocol.RcptTo {
	return &protocol.RcptTo{Addr: view(to), Params: protocol.NewParams(params...)}
}

func header(name, value string) *protocol.Header {
	return &protocol.Header{Name: view(name), Value: view(value)}
}

func connect(ip string) *protocol.Connect {
	a := netip.MustParseAddr(ip)
	family := protocol.FamilyInet
	if a.Is6() {
		family = protocol.FamilyInet6
	}
	return &protocol.Connect{Host: view("client.example.org"), Addr: protocol.Addr{Family: family, IP: a, Port: 4711}}
}

// letter are the events of a session with one message that has something of all.
func letter() []handlers.Event {
	return []handlers.Event{
		protocol.NewMacro(protocol.CodeConnect, "j", "mx.example.net"),
		connect("192.0.2.7"),
		protocol.NewMacro(protocol.CodeHelo, "{tls_version}", "TLSv1.3"),
		&protocol.Helo{Name: view("Client.example.org")},
		protocol.NewMacro(protocol.CodeMailFrom, "{auth_authen}", "alice", "{auth_type}", "PLAIN"),
		mail("<Alice@Example.COM>", "SIZE=2048", "BODY=8BITMIME", "SMTPUTF8"),
		protocol.NewMacro(protocol.CodeRcptTo, "{rcpt_addr}", "bob"),
		rcpt("<bob@example.net>", "NOTIFY=NEVER"),
		rcpt("<BOSS@example.com>"),
		protocol.NewMacro(protocol.CodeData, "i", "4F1bN71jzQ"),
		&protocol.Data{},
		header("Received", "from a"),
		header("received", "from b\n\tby c"),
		header("Subject", " Hello\n world "),
		header("X-Score", "7"),
		&protocol.EndOfHeader{},
		&protocol.Body{Chunk: view("Hello,\r\n")},
		&protocol.Body{Chunk: view("world.\r\n")},
		&protocol.EndOfMessage{},
	}
}

// guard returns h with an expression in front.
func guard(t testing.TB, source string, h handlers.Handler) handlers.Handler {
	t.Helper()
	g, err := when.Handler(compile(t, source), h)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// play does events in a session and fails at what was reported.
func play(t testing.TB, h handlers.Handler, events ...handlers.Event) *handlertest.Session {
	t.Helper()
	s := handlertest.New(t, h)
	for _, ev := range events {
		s.Do(ev)
	}
	for _, err := range s.Failures() {
		t.Error(err)
	}
	return s
}

// A journal notes the events that a handler was told of.
type journal struct{ told []string }

func (j *journal) take() string {
	list := strings.Join(j.told, " ")
	j.told = nil
	return list
}

// taking returns a handler that takes the given kinds, and goes on where they have an
// answer.
func (j *journal) taking(kinds ...handlers.Kind) handlers.Handler { return taker{j, kinds} }

type taker struct {
	j     *journal
	kinds []handlers.Kind
}

// Wants is [handlers.Handler].
func (t taker) Wants() handlers.Wants {
	set := handlers.Of(t.kinds...)
	return handlers.Wants{Events: set, Replies: set &^ handlers.Unanswered}
}

// Handle is [handlers.Handler].
func (t taker) Handle(_ *handlers.Session, ev handlers.Event) handlers.Reply {
	kind := handlers.KindOf(ev)
	word := kind.String()
	switch e := ev.(type) {
	case *protocol.MailFrom:
		word += " " + e.Addr.String()
	case *protocol.RcptTo:
		word += " " + e.Addr.String()
	case *handlers.Response:
		word += "(" + e.To.String() + ")"
	}
	if !slices.Contains(t.kinds, kind) {
		word = "!" + word // not to be told
	}
	t.j.told = append(t.j.told, word)
	return handlers.Continue
}
