package bench

import (
	"net/netip"
	"slices"
	"testing"

	"millstream/actors"
	"millstream/handlers"
	"millstream/handlers/when"
	"millstream/protocol"
)

// whenMessages are two messages of one client, the first with more of everything.
var whenMessages = [2][]protocol.Command{
	{
		protocol.NewMacro(protocol.CodeMailFrom, "auth_authen", "alice"),
		&protocol.MailFrom{Addr: protocol.View("<alice@example.com>"), Params: protocol.NewParams("SIZE=99")},
		&protocol.RcptTo{Addr: protocol.View("<bob@example.net>")},
		&protocol.RcptTo{Addr: protocol.View("<carol@example.org>")},
		protocol.NewMacro(protocol.CodeData, "i", "4F1bN71jzQ"), &protocol.Data{},
		&protocol.Header{Name: protocol.View("Subject"), Value: protocol.View("Hello")}, &protocol.EndOfHeader{},
		&protocol.Body{Chunk: protocol.View("Hello, world.\r\n")}, &protocol.EndOfMessage{},
	},
	{
		&protocol.MailFrom{Addr: protocol.View("<>")}, &protocol.RcptTo{Addr: protocol.View("<nobody@example.org>")},
		&protocol.Data{}, &protocol.EndOfHeader{}, &protocol.Body{Chunk: protocol.View("\r\n")}, &protocol.EndOfMessage{},
	},
}

// An MTA that sends no more than an expression asks for sends enough to decide it, and
// waits for no more answers than those of the handler.
func TestWhenInSession(t *testing.T) {
	tests := []struct {
		source      string
		want        string // the messages, by their number, that the handler is told of
		first, next int    // commands of each message that the MTA sends; macros are some
	}{
		{`in_network("192.0.2.0/24") && helo == "client.example"`, "12", 4, 2},
		{`in_network("198.51.100.0/24")`, "", 4, 2},
		{`authenticated`, "1", 4, 2},
		{`sender_domain == "example.com" && declared_size == 99`, "1", 4, 2},
		{`rcpt == "bob@example.net"`, "1", 6, 3},
		{`rcpt_count == 1`, "2", 6, 3},
		{`queue_id == ""`, "2", 4, 2},
		{`header("Subject") == "Hello"`, "1", 5, 2},
		{`size == 15`, "1", 5, 3},
		{`header_count == 0 && size > 1`, "2", 6, 3},
	}
	for _, tt := range tests {
		for name, verb := range map[string]func(func(*handlers.Session, *handlers.Message) handlers.Reply) handlers.Handler{
			"on": handlers.On[*handlers.Message], "go": handlers.Go[*handlers.Message],
		} {
			t.Run(tt.source+"/"+name, func(t *testing.T) {
				message, told := "", ""
				p, err := when.Compile(tt.source, nil)
				if err != nil {
					t.Fatal(err)
				}
				h, err := when.Handler(p, verb(func(*handlers.Session, *handlers.Message) handlers.Reply {
					told += message
					return handlers.Continue
				}))
				if err != nil {
					t.Fatal(err)
				}
				m := newFrugalMTA(t, h)
				message = "1"
				first := m.send(whenMessages[0]...)
				message = "2"
				if next := m.send(whenMessages[1]...); first != tt.first || next != tt.next {
					t.Errorf("sent %d and %d commands, want %d and %d", first, next, tt.first, tt.next)
				}
				if told != tt.want || m.answers != 2 {
					t.Errorf("told of messages %q, want %q; %d answers, want 2", told, tt.want, m.answers)
				}
			})
		}
	}
}

// frugalMTA is an MTA that sends what it was asked for.
type frugalMTA struct {
	t       *testing.T
	offline *actors.Offline
	steps   protocol.Steps
	answers int // to commands of messages
}

// newFrugalMTA returns an MTA for which a client has connected and said its name.
func newFrugalMTA(t *testing.T, h handlers.Handler) *frugalMTA {
	t.Helper()
	o, err := actors.NewOffline(actors.Config{SlowInline: -1}, handlers.Shared(h))
	if err != nil {
		t.Fatal(err)
	}
	m := &frugalMTA{t: t, offline: o}
	t.Cleanup(func() { o.HangUp(nil) })
	m.send(&protocol.Negotiate{Offer: protocol.Options{Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}})
	addr := protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.7"), Port: 4711}
	m.send(&protocol.Connect{Host: protocol.View("client.example"), Addr: addr}, &protocol.Helo{Name: protocol.View("client.example")})
	if m.answers--; m.answers != 0 {
		t.Fatalf("%d answers before a message", m.answers)
	}
	return m
}

// send sends those of several commands that are wanted, and returns how many these are.
func (m *frugalMTA) send(cmds ...protocol.Command) int {
	m.t.Helper()
	wanted := slices.DeleteFunc(slices.Clone(cmds), func(cmd protocol.Command) bool {
		step := protocol.NoEvent(cmd.Code())
		return step != 0 && m.steps.Has(step)
	})
	for _, cmd := range wanted {
		if err := m.offline.Feed(cmd.Append(nil)); err != nil {
			m.t.Fatalf("%T: %v", cmd, err)
		}
		m.offline.Wait()
		m.read()
	}
	return len(wanted)
}

// read reads what the filter has written.
func (m *frugalMTA) read() {
	m.t.Helper()
	for out := m.offline.Output(); len(out) > 0; {
		code, body, n, err := protocol.Frame(out, 1<<20)
		if err != nil || n == 0 {
			m.t.Fatalf("frame: %v", err)
		}
		a, err := protocol.DecodeAnswer(code, body)
		if err != nil {
			m.t.Fatal(err)
		}
		if code == protocol.CodeNegotiate {
			m.steps = a.Offer.Steps
		}
		m.answers++
		out = out[n:]
	}
}
