package mta

import (
	"testing"

	"millstream/protocol"
)

// What macros tell of an MTA's mail depends on the MTA, and on how far the mail is.
func TestNarrator(t *testing.T) {
	m := testMail()
	before := Narrator{Dialect: Sendmail, Client: testClient(), Mail: &Mail{}}
	postfix, sendmail := Narrator{Mail: m, To: &m.To[0]}, Narrator{Dialect: Sendmail, Mail: m, To: &m.To[0]}
	queued := postfix
	queued.Queued = true
	tests := []struct {
		n    Narrator
		name string
		want string // "-" for none
	}{
		{before, "i", "-"},
		{before, "mail_addr", "-"},
		{before, "rcpt_addr", "-"},
		{before, "unheard", "-"},
		{postfix, "i", "-"},
		{queued, "i", m.ID},
		{sendmail, "i", m.ID},
		{postfix, "rcpt_mailer", "smtp"},
		{sendmail, "rcpt_mailer", "esmtp"},
		{sendmail, "mail_mailer", "esmtp"},
		{postfix, "rcpt_addr", m.To[0].Mailbox().String()},
		{postfix, "client_name", "-"},
	}
	for _, tt := range tests {
		got, ok := tt.n.Macro(protocol.CodeRcptTo, tt.name)
		if !ok {
			got = "-"
		}
		if got != tt.want {
			t.Errorf("%v, queued %t: %s is %q, want %q", tt.n.Dialect, tt.n.Queued, tt.name, got, tt.want)
		}
	}
}
