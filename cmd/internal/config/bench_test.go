package config

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"millstream/actors"
	"millstream/handlers"
	"millstream/protocol"
)

// The handlers of files that are measured, each with its number in place of %d.
const (
	toldHandler = "[[handler]]\nname = \"h%[1]d\"\ntype = \"header\"\nadd = [{ name = \"X-%[1]d\", value = \"{{sender_domain}}\" }]\n"
	// A handler that is not told of any message.
	skippedHandler = "[[handler]]\nname = \"h%[1]d\"\ntype = \"reply\"\nstage = \"rcpt\"\nverdict = \"reject\"\n" +
		"when = 'sender_domain == \"x%[1]d.example\"'\n"
	ruleHandler = "[[handler]]\nname = \"h%[1]d\"\ntype = \"rule\"\n" +
		"rule = [{ when = 'header(\"Subject\") contains \"%[1]d\"', action = \"reject\" }, { when = 'rcpt == \"%[1]d@example.net\"', quarantine = \"%[1]d\" }]\n"
	limitHandler = "[[handler]]\nname = \"h%[1]d\"\ntype = \"ratelimit\"\n" +
		"limit = [{ name = \"l%[1]d\", key = [\"sender\"], what = \"messages\", limit = 1000000000, window = \"1h\" }]\n"
	subjectHandler = "[[handler]]\nname = \"h%[1]d\"\ntype = \"subject\"\ntag = \"[%[1]d]\"\nif = 'size > 1000000'\n"
)

// fileOf returns a file with so many handlers, of some kinds in turn.
func fileOf(n int, kinds ...string) string {
	var b strings.Builder
	b.WriteString("[networks]\ninside = [\"192.0.2.0/24\"]\n")
	for i := range n {
		fmt.Fprintf(&b, kinds[i%len(kinds)], i)
	}
	return b.String()
}

// mixedHandlers are some of each kind.
var mixedHandlers = []string{toldHandler, skippedHandler, ruleHandler, limitHandler, subjectHandler}

// quietOptions leave nothing to the environment.
var quietOptions = Options{Env: func(string) (string, bool) { return "", false }}

// serving returns the generation of a file, open, and its configuration.
func serving(tb testing.TB, file string) (*Generation, *Config) {
	tb.Helper()
	c, err := Parse([]File{{"bench.toml", []byte(file)}}, quietOptions)
	if err != nil {
		tb.Fatal(err)
	}
	return opened(tb, c, quietEnv), c
}

// benchMessage is a message with a recipient, twelve headers and 2 KiB of body.
func benchMessage() []protocol.Command {
	view := func(s string) protocol.View { return protocol.View(s) }
	cmds := []protocol.Command{
		protocol.NewMacro(protocol.CodeMailFrom, "i", "4F1bN71jzQ"),
		&protocol.MailFrom{Addr: view("<alice@example.com>")}, &protocol.RcptTo{Addr: view("<bob@example.net>")}, &protocol.Data{},
		&protocol.Header{Name: view("Subject"), Value: view("Hello")},
	}
	for i := range 11 {
		cmds = append(cmds, &protocol.Header{Name: view(fmt.Sprint("X-Came-", i)), Value: view("a value as headers have it")})
	}
	return append(cmds, &protocol.EndOfHeader{}, &protocol.Body{Chunk: bytes.Repeat([]byte("a line of text\r\n"), 128)}, &protocol.EndOfMessage{})
}

// benchSession is a session whose client has said its name, and the packets of a message
// that the handlers want to see.
func benchSession(tb testing.TB, h handlers.Handler) (o *actors.Offline, message []byte) {
	tb.Helper()
	o, err := actors.NewOffline(actors.Config{Log: slog.New(slog.DiscardHandler), SlowInline: -1}, handlers.Shared(h))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { o.HangUp(nil) })
	offer := &protocol.Negotiate{Offer: protocol.Options{Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}}
	feed(tb, o, offer.Append(nil))
	addr := protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("198.51.100.7"), Port: 4711}
	wanted := func(dst []byte, cmds ...protocol.Command) []byte {
		for _, cmd := range cmds {
			if step := protocol.NoEvent(cmd.Code()); step == 0 || !o.Session().Options().Steps.Has(step) {
				dst = cmd.Append(dst)
			}
		}
		return dst
	}
	feed(tb, o, wanted(nil, &protocol.Connect{Host: protocol.View("mx.example"), Addr: addr}, &protocol.Helo{Name: protocol.View("mx.example")}))
	return o, wanted(nil, benchMessage()...)
}

// feed feeds packets to a session, and returns what it answers.
func feed(tb testing.TB, o *actors.Offline, packets []byte) []byte {
	tb.Helper()
	if err := o.Feed(packets); err != nil {
		tb.Fatal(err)
	}
	o.Wait()
	return o.Output()
}

// headersAdded counts the headers that an answer adds.
func headersAdded(tb testing.TB, answer []byte) (n int) {
	tb.Helper()
	for len(answer) > 0 {
		code, _, size, err := protocol.Frame(answer, 1<<20)
		if err != nil || size == 0 {
			tb.Fatalf("frame: %v", err)
		}
		if code == protocol.CodeAddHeader {
			n++
		}
		answer = answer[size:]
	}
	return n
}

// BenchmarkChain is what a message costs that goes through the handlers of a file, from
// MAIL to its end, in one read. Of handlers that are told each adds a header; those that
// are skipped have an expression that does not hold; those that are mixed are some of
// each type.
func BenchmarkChain(b *testing.B) {
	for _, tt := range []struct {
		name  string
		kinds []string
		added func(n int) int
	}{
		{"told", []string{toldHandler}, func(n int) int { return n }},
		{"skipped", []string{skippedHandler}, func(int) int { return 0 }},
		{"mixed", mixedHandlers, func(n int) int { return (n + 4) / 5 }},
	} {
		for _, n := range []int{1, 10, 50} {
			b.Run(fmt.Sprintf("%s/handlers=%d", tt.name, n), func(b *testing.B) {
				g, _ := serving(b, fileOf(n, tt.kinds...))
				o, message := benchSession(b, g.Handler)
				if got := headersAdded(b, feed(b, o, message)); got != tt.added(n) {
					b.Fatalf("%d headers are added, want %d", got, tt.added(n))
				}
				b.ReportAllocs()
				for b.Loop() {
					feed(b, o, message)
				}
			})
		}
	}
}
