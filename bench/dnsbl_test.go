package bench

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"millstream/actors"
	"millstream/handlers"
	"millstream/handlers/dnsbl"
	"millstream/handlers/resolver"
	"millstream/handlers/resolver/dnstest"
	"millstream/protocol"
)

// listSession returns a session that asks one list of a name server.
func listSession(t *testing.T, server string, lookup ...string) *actors.Offline {
	t.Helper()
	r, err := resolver.New(resolver.Config{Servers: []string{server}})
	if err != nil {
		t.Fatal(err)
	}
	s := dnsbl.Defaults()
	s.Zones = []dnsbl.Zone{{Zone: "ip.test", Lookup: lookup}}
	s.Actions = []dnsbl.Action{{Score: 1, Do: "reject", Text: "100% {{listed}}"}}
	quiet := slog.New(slog.DiscardHandler)
	h, err := dnsbl.New(s, r, quiet, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, err := actors.NewOffline(actors.Config{Log: quiet, SlowInline: -1}, handlers.Shared(h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.HangUp(nil) })
	return o
}

// send feeds commands to a session.
func send(t *testing.T, o *actors.Offline, commands ...protocol.Command) {
	t.Helper()
	var in []byte
	for _, c := range commands {
		in = c.Append(in)
	}
	if err := o.Feed(in); err != nil {
		t.Errorf("feed: %v", err)
	}
}

// toMail are the commands from the offer of an MTA to MAIL.
func toMail() []protocol.Command {
	return []protocol.Command{
		&protocol.Negotiate{Offer: protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}},
		&protocol.Connect{Host: protocol.View("mx"), Addr: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("198.51.100.7"), Port: 1}},
		&protocol.MailFrom{Addr: protocol.View("<a@b.example>")},
	}
}

// TestDNSBLRefuses has a real list refuse a client in a whole session, and asks the MTA
// for the body only where it is looked at.
func TestDNSBLRefuses(t *testing.T) {
	n := dnstest.Run(t, map[string]string{"ip.test": "7.100.51.198 A 127.0.0.2\n"})
	for lookup, steps := range map[string]protocol.Steps{"client": protocol.StepNoBody, "uri": 0} {
		o := listSession(t, n.Addr, "client", lookup)
		send(t, o, toMail()...)
		o.Wait()
		if out := string(o.Output()); !strings.Contains(out, "554 5.7.1 100%% 198.51.100.7\x00") {
			t.Errorf("answers %q", out)
		}
		if got := o.Session().Options().Steps & protocol.StepNoBody; got != steps {
			t.Errorf("%s: steps %v, want %v", lookup, got, steps)
		}
	}
}

// TestDNSBLGivenUp gives a message up, and then a connection, while a list is asked that
// does not answer: the look-up ends, and nothing of it is left.
func TestDNSBLGivenUp(t *testing.T) {
	asked := make(chan struct{}, 16)
	s := dnstest.Serve(t, func([]byte) [][]byte {
		asked <- struct{}{}
		return nil
	})
	leaks := goleak.IgnoreCurrent()
	o := listSession(t, s.Addr)
	send(t, o, toMail()...)
	<-asked
	send(t, o, &protocol.Abort{})
	o.Wait()
	o.Output()
	send(t, o, toMail()[2])
	<-asked
	o.HangUp(nil)
	o.Wait()
	if out := o.Output(); len(out) > 0 {
		t.Errorf("answers %q", out)
	}
	goleak.VerifyNone(t, leaks)
}

// TestDNSBLFails answers as the server does for a handler that fails, as nobody listens
// where the lists are asked.
func TestDNSBLFails(t *testing.T) {
	s := dnstest.Serve(t, func([]byte) [][]byte { return nil })
	s.Close()
	o := listSession(t, s.Addr)
	var in []byte
	for _, c := range toMail() {
		in = c.Append(in)
	}
	_ = o.Feed(in)
	o.Wait()
	if out := string(o.Output()); !strings.HasSuffix(out, string(protocol.CodeTempFail)) {
		t.Errorf("answers %q", out)
	}
}
