package main

import (
	"net"
	"strings"
	"testing"
)

// TestHints checks that what is printed for MTAs has each mail filtered once, whatever
// number of sockets there is.
func TestHints(t *testing.T) {
	tcp := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8890}
	unix := &net.UnixAddr{Name: "/run/millstream/milter.sock", Net: "unix"}
	const others = "The others are"
	for _, addrs := range [][]net.Addr{{tcp}, {tcp, unix}} {
		var b strings.Builder
		printHints(&b, addrs)
		text := b.String()
		for _, want := range []string{"smtpd_milters = inet:127.0.0.1:8890\n", "INPUT_MAIL_FILTER(`millstream', `S=inet:8890@127.0.0.1,"} {
			if strings.Count(text, want) != 1 {
				t.Errorf("not one %q in\n%s", want, text)
			}
		}
		if n := strings.Count(text, "INPUT_MAIL_FILTER"); n != 1 {
			t.Errorf("%d filters for Sendmail in\n%s", n, text)
		}
		told := strings.Contains(text, others) && strings.Contains(text, "unix:/run/millstream/milter.sock, for Sendmail S=unix:/run/millstream/milter.sock\n")
		if told != (len(addrs) > 1) {
			t.Errorf("%d sockets, others told: %v\n%s", len(addrs), told, text)
		}
	}
}
