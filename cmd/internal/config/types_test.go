package config

import (
	"slices"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"

	"millstream/handlers/greylist"
	"millstream/handlers/handlertest"
	"millstream/handlers/ratelimit"
	"millstream/protocol"
)

// compiledFile has types that compile expressions themselves, and go by networks, macros
// and what others found out.
const compiledFile = `
[networks]
inside = ["192.0.2.0/24"]

[[handler]]
type = "fails"
on_error = "continue"

[[handler]]
type = "greylist"
skip_networks = ["inside"]

[[handler]]
type = "greylist"
name = "strict"
delay = "1h"
when = 'rcpt == "strict@example.net"'

[[handler]]
type = "ratelimit"
trusted_networks = ["inside"]
[[handler.limit]]
name = "sender"
key = ["{{macro('daemon_port')}} {{sender}}"]
what = "messages"
limit = 1
window = "1h"
text = "{{limit}} in {{window}} from {{sender}}"

[[handler]]
type = "ratelimit"
name = "users"
[[handler.limit]]
name = "sender"
key = ["auth_user"]
what = "recipients"
limit = 1
window = "1h"

[[handler]]
type = "rule"
[[handler.rule]]
when = 'result("fails").failed'
add_headers = ["X-Failed: {{macro('j')}}"]

[[handler]]
type = "subject"
if = 'result("fails").failed && in_network("inside")'
tag = "[{{tls_version}}]"
`

// TestCompiled checks that types which compile expressions themselves have the names,
// results and macros of the file, and the store of the generation.
func TestCompiled(t *testing.T) {
	reader := metric.NewManualReader()
	env := quietEnv
	env.Meter = metric.NewMeterProvider(metric.WithReader(reader))
	g := opened(t, parseWith(t, compiledFile, failsType), env)
	for stage, want := range map[protocol.Stage][]string{
		protocol.StageConnect: {"daemon_port", "j"}, protocol.StageHelo: {"tls_version"}, protocol.StageMail: {"auth_authen", "i"},
	} {
		if got := slices.Sorted(slices.Values(g.Macros[stage])); !slices.Equal(got, want) {
			t.Errorf("at %v the MTA is asked for %q, want %q", stage, got, want)
		}
	}
	for _, tt := range []struct{ addr, from, to, want string }{
		{"192.0.2.1", "a@example.com", "b@example.net", "continue"},
		{"192.0.2.1", "a@example.com", "b@example.net", "continue"}, // trusted
		{"192.0.2.1", "fail@example.com", "b@example.net", "continue X-Failed=mx Subject=[TLSv1.3]"},
		{"192.0.2.1", "a@example.com", "strict@example.net", "tempfail 450 4.7.1 greylisted: please try again in 3600 seconds"},
		{"198.51.100.1", "fail@example.com", "b@example.net", "tempfail 450 4.7.1 greylisted: please try again in 300 seconds"},
		{"198.51.100.1", "fail@example.com", "b@example.net", "tempfail 450 4.7.1 1 in 1h from fail@example.com"},
	} {
		if got := compiledMail(t, g, tt.addr, tt.from, tt.to); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
	counts := measured(t, reader)
	for _, want := range []string{
		greylist.MetricDecisions + " greylist", greylist.MetricDecisions + " strict", ratelimit.MetricDecisions + " ratelimit",
	} {
		if counts[want] == 0 {
			t.Errorf("no %s in %v", want, counts)
		}
	}
}

// compiledMail sends a mail with one recipient, and returns what becomes of it.
func compiledMail(t *testing.T, g *Generation, addr, from, to string) string {
	t.Helper()
	s := handlertest.New(t, g.Handler)
	s.Macros(protocol.CodeConnect, "j", "mx", "daemon_port", "25")
	s.Do(connectFrom(addr))
	s.Macros(protocol.CodeHelo, "tls_version", "TLSv1.3")
	s.Do(&protocol.Helo{Name: protocol.View("mx")})
	out := s.Do(&protocol.MailFrom{Addr: protocol.View("<" + from + ">")})
	if out.Status == protocol.StatusContinue {
		out = s.Do(&protocol.RcptTo{Addr: protocol.View("<" + to + ">")})
	}
	got := out.Status.String()
	if out.Status != protocol.StatusContinue {
		return got + " " + out.Text
	}
	for _, c := range s.EndOfMessage().Changes {
		got += " " + string(c.Name) + "=" + string(c.Value)
	}
	return got
}
