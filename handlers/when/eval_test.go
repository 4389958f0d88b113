package when_test

import (
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// evaluations are expressions and what they are at the end of letter.
var evaluations = []struct {
	source string
	want   bool
}{
	{`true`, true},
	{`client_addr == "192.0.2.7" && client_port == 4711 && client_family == "inet"`, true},
	{`client_name == "client.example.org" && client_name != helo`, true},
	{`lower(helo) == client_name`, true},
	{`in_network("trusted")`, true},
	{`in_network("mapped")`, false},
	{`in_network("192.0.2.7")`, true},
	{`in_network("192.0.2.8/31")`, false},
	{`listener != ""`, true},
	{`tls && tls_version == "TLSv1.3"`, true},
	{`authenticated and auth_user == "alice"`, true},
	{`not authenticated`, false},
	{`sender == "Alice@Example.COM" && sender_domain == "example.com"`, true},
	{`sender_domain in ["example.org", "example.com"]`, true},
	{`sender_domain not in ["example.org", "example.com"]`, false},
	{`sender startsWith "Alice" and sender endsWith "COM" and sender contains "@"`, true},
	{`sender matches "(?i)^alice@"`, true},
	{`sender matches "^alice@"`, false},
	{`declared_size >= 2048 && declared_size < 2049`, true},
	{`"SMTPUTF8" in sender_params`, true},
	{`sender_param("body") == "8BITMIME" && sender_param("nothing") == ""`, true},
	{`rcpt_count == 2 && len(rcpts) == 2`, true},
	{`any(rcpts, # endsWith "@example.net")`, true},
	{`all(rcpts, lower(#) endsWith "@example.com")`, false},
	{`any(rcpts, in_list("vip", #))`, true},
	{`in_list("vip", sender)`, false},
	{`rcpts[0] == "bob@example.net"`, true},
	{`queue_id == "4F1bN71jzQ"`, true},
	{`macro("j") == "mx.example.net" && macro("auth_type") == "PLAIN"`, true},
	{`macro("nothing", "data") == ""`, true},
	{`header("subject") == "Hello world"`, true},
	{`header("To") == ""`, true},
	{`headers("Received")[1] == "from b\tby c"`, true},
	{`len(headers("Received")) == 2 && header_count == 4`, true},
	{`headers("To") == []`, true},
	{`header("X-Score") > "5" || len(header("X-Score")) > 1`, true},
	{`size == 16 && size_so_far == 16`, true},
	{`size * 2 > 31 && size / 3 < 6.0`, true},
	{`size in 10..20`, true},
	{`size in 17..20`, false},
	{`stage == "end-of-message"`, true},
	{`let d = sender_domain; d startsWith "example" && d != "x"`, true},
	{`authenticated ? size > 1 : false`, true},
	{`sender | lower() | hasPrefix("alice")`, true},
	{`count(rcpts, # contains "boss") + 1 == 1`, true},
	{`result("spamcheck").verdict == "" && !result("dnsbl").failed`, true},
	{`weekday startsWith "x" || hour >= 0`, true},
	{`(sender_domain == "x") == (size > 100)`, true},
	{`authenticated != tls`, false},
}

// end returns a handler that notes the end of a message.
func end(seen *bool) handlers.Handler {
	return handlers.On(func(*handlers.Session, *handlers.Message) handlers.Reply {
		*seen = true
		return handlers.Continue
	})
}

func TestEvaluate(t *testing.T) {
	for _, tt := range evaluations {
		seen := false
		play(t, guard(t, tt.source, end(&seen)), letter()...)
		if seen != tt.want {
			t.Errorf("%s = %v", tt.source, seen)
		}
	}
}

func TestClients(t *testing.T) {
	tests := []struct {
		client *protocol.Connect
		source string
	}{
		{connect("2001:db8::1"), `client_addr == "2001:db8::1" && in_network("trusted") && client_family == "inet6"`},
		{connect("::ffff:192.0.2.7"), `in_network("trusted")`},
		{connect("198.51.100.9"), `in_network("mapped") && !in_network("trusted") && !in_network("::/0")`},
		{&protocol.Connect{Host: view("localhost")}, `client_addr == "" && client_family == "unknown" && !in_network("0.0.0.0/0")`},
		{
			&protocol.Connect{Host: view("localhost"), Addr: protocol.Addr{Family: protocol.FamilyUnix, Path: "/run/x"}},
			`client_addr == "/run/x" && client_family == "unix"`,
		},
	}
	for _, tt := range tests {
		seen := false
		play(t, guard(t, tt.source, end(&seen)), tt.client, mail("<>"), &protocol.EndOfMessage{})
		if !seen {
			t.Errorf("%v: %s is false", tt.client.Addr, tt.source)
		}
	}
}

// Senders that are not addresses are texts like others.
func TestOddSenders(t *testing.T) {
	tests := []struct {
		cmd    *protocol.MailFrom
		source string
	}{
		{mail("<>"), `sender == "" && sender_domain == ""`},
		{mail("<postmaster>"), `sender == "postmaster" && sender_domain == ""`},
		{mail("<\"a@b\"@C.example>"), `sender_domain == "c.example"`},
		{mail("a@b", "SIZE=x", "SIZE=3"), `sender == "a@b" && declared_size == 0`},
		{mail("<a@b>", "SIZE=-3"), `declared_size == 0`},
		{mail("<\xff@b\xff>"), `sender_domain startsWith "b"`},
	}
	for _, tt := range tests {
		seen := false
		play(t, guard(t, tt.source, end(&seen)), tt.cmd, &protocol.EndOfMessage{})
		if !seen {
			t.Errorf("%s: %s is false", tt.cmd.Addr, tt.source)
		}
	}
}
