package main

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"millstream/netio/mta"
	"millstream/protocol"
)

// planOf parses flags, of which the last may be a file.
func planOf(t *testing.T, in string, args ...string) (*sendPlan, error) {
	t.Helper()
	f := &sendFlags{}
	c := &cobra.Command{}
	f.define(c)
	if err := c.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	f.file = c.Flags().Arg(0)
	return f.plan(strings.NewReader(in))
}

func TestPlanMistakes(t *testing.T) {
	tests := []struct {
		args string // separated by |
		text string
	}{
		{"--mta|exim", "neither postfix nor sendmail"},
		{"--format|xml", "neither text nor json"},
		{"--quiet|--format|json", "exclude each other"},
		{"--timeout|-1s", "negative"},
		{"--protocol|1", "2 to 6"},
		{"--protocol|7", "2 to 6"},
		{"--actions|add-header", "add-headers, change-body"},
		{"--steps|skip,-nothing", `"-nothing" is not known`},
		{"--client-addr|mx.example.org", "unix:/path or unknown"},
		{"--client-name|a\nb", "--client-name"},
		{"--from|<a@example.org", "> is missing"},
		{"--from-param|SIZE=\n1", "control byte"},
		{"--to|", "--to is empty"},
		{"--to|<a@b> X\n", "control byte"},
		{"--header|Subject", "write 'Name: value'"},
		{"--header|X: a\nb", "must be followed by a space"},
		{"--subject|a\n\nb", "must be followed by a space"},
		{"--macro|x", "write name=value"},
		{"--macro|={}", "write name=value"},
		{"--macro|nowhere:x=y", "there are body, connect, data"},
		{"--subject|x|-", "without a FILE"},
		{"/dev/null/none", "no message to send: open /dev/null/none"},
	}
	for _, tt := range tests {
		_, err := planOf(t, "", strings.Split(tt.args, "|")...)
		if !errors.As(err, new(usageError)) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%q: %v, want %q", tt.args, err, tt.text)
		}
	}
}

func TestPlanOffer(t *testing.T) {
	tests := []struct {
		args    string
		version uint32
		actions protocol.Actions
		steps   protocol.Steps
	}{
		{"", 6, protocol.ActionsAll, protocol.StepsAll},
		{"--protocol 2", 2, 0x3f, 0x7f},
		{"--protocol 3", 3, 0x3f, 0x17f},
		{"--protocol 4", 4, 0x3f, 0x37f},
		{"--protocol 5", 5, 0x3f, 0x37f},
		{"--actions add-headers,Quarantine --steps skip", 6, 0x21, 0x400},
		{"--actions -change-from --steps -skip,-no-body", 6, 0x1bf, 0x1fffff &^ 0x410},
		{"--actions all,-change-from --steps all,max-data-1m", 6, 0x1bf, 0x201fffff},
		{"--actions none --steps none", 6, 0, 0},
	}
	for _, tt := range tests {
		p, err := planOf(t, "", strings.Fields(tt.args)...)
		if want := (protocol.Options{Version: tt.version, Actions: tt.actions, Steps: tt.steps}); err != nil || p.offer != want {
			t.Errorf("%q: %+v, %v, want %+v", tt.args, p.offer, err, want)
		}
		if odd := tt.actions == 0; odd != (len(p.notes) > 0) {
			t.Errorf("%q: notes %q", tt.args, p.notes)
		}
	}
}

func TestPlanClient(t *testing.T) {
	tests := []struct{ args, host, addr, helo string }{
		{"", "mail.example.org", "inet:42025@192.0.2.25", "mail.example.org"},
		{"--client-addr 192.0.2.7:25", "[192.0.2.7]", "inet:25@192.0.2.7", "[192.0.2.7]"},
		{"--client-addr [2001:db8::1]:25 --helo x", "[2001:db8::1]", "inet6:25@2001:db8::1", "x"},
		{"--client-addr 2001:db8::1 --client-name a", "a", "inet6:42025@2001:db8::1", "a"},
		{"--client-addr ::ffff:192.0.2.7", "[192.0.2.7]", "inet:42025@192.0.2.7", "[192.0.2.7]"},
		{"--client-addr unix:/run/x", "localhost", "unix:/run/x", "localhost"},
		{"--client-addr /run/x", "localhost", "unix:/run/x", "localhost"},
		{"--client-addr unknown --client-name a", "a", "unknown", "a"},
	}
	for _, tt := range tests {
		p, err := planOf(t, "", strings.Fields(tt.args)...)
		if err != nil {
			t.Errorf("%q: %v", tt.args, err)
			continue
		}
		c := p.client.Connect
		if string(c.Host) != tt.host || c.Addr.String() != tt.addr || string(p.client.Helo.Name) != tt.helo {
			t.Errorf("%q: %s, %v, helo %s", tt.args, c.Host, c.Addr, p.client.Helo.Name)
		}
	}
}

func TestPlanMailbox(t *testing.T) {
	tests := []struct{ in, addr, params string }{
		{"", "<>", ""},
		{"<>", "<>", ""},
		{"<> SIZE=1", "<>", "SIZE=1"},
		{"a@b", "<a@b>", ""},
		{"a@b X=1  Y", "<a@b>", "X=1 Y"},
		{"<a b@c> X=<d>", "<a b@c>", "X=<d>"},
		{`"a b"@c`, `<"a b"@c>`, ""},
	}
	for _, tt := range tests {
		m, err := parseMailbox("--from", tt.in)
		if err != nil || m.addr != tt.addr || strings.Join(m.params, " ") != tt.params {
			t.Errorf("%q: %q, %v", tt.in, m, err)
		}
	}
}

func TestPlanMessage(t *testing.T) {
	p, err := planOf(t, "", "--subject", "s", "--header", "date: today", "--header", "X: 1", "--body", "b\nc", "--qid", "Q1")
	if err != nil {
		t.Fatal(err)
	}
	l := newLetter(p, nil)
	const want = "From: <sender@example.org>\nTo: <recipient@example.com>\nSubject: s\nMessage-ID: <Q1@"
	if got := string(l.message(false)); !strings.HasPrefix(got, want) || strings.Contains(got, "Date:") ||
		!strings.HasSuffix(got, "\ndate: today\nX: 1\n\nb\nc\n") {
		t.Errorf("%s", got)
	}

	const mbox = "From a@b Thu Jan  1 10:00:00 2026\r\nA: 1\x00\r\n\tx\r\n\r\nbody\r\n"
	if p, err = planOf(t, mbox, "-"); err != nil {
		t.Fatal(err)
	}
	l = newLetter(p, nil)
	if got := string(l.message(p.crlf)); got != "A: 1\r\n\tx\r\n\r\nbody\r\n" || len(p.notes) != 2 {
		t.Errorf("%q, notes %q", got, p.notes)
	}
	if p, err = planOf(t, "\nbody\n", "-"); err != nil || len(p.notes) != 1 || len(p.mail.Headers) != 0 {
		t.Errorf("notes %q, %v", p.notes, err)
	}
}

func TestQueueID(t *testing.T) {
	for dialect, form := range map[mta.Dialect]string{mta.Postfix: `^[0-9A-F]{10}$`, mta.Sendmail: `^[0-9A-Za-x]{8}[0-9]{6}$`} {
		if id := newQueueID(dialect); !regexp.MustCompile(form).MatchString(id) {
			t.Errorf("queue id %q", id)
		}
	}
}

// macrosOf returns the macros that come with a command, as text; "-" if no packet of
// macros does.
func macrosOf(m *macroSource, code protocol.Code) string {
	packets := m.of(code)
	if packets == nil {
		return "-"
	}
	var list []string
	for name, value := range packets[0].All() {
		list = append(list, name.String()+"="+value.String())
	}
	return strings.Join(list, " ")
}

func TestMacros(t *testing.T) {
	args := []string{
		"--qid", "Q1", "--macro", "j=mx", "--macro", "connect:{own}=1", "--macro", "rcpt:rcpt_mailer=local",
		"--macro", "auth_authen=joe", "--macro", "unheard=of", "--macro", "tls_version=TLSv1.3",
	}
	asked := protocol.MacroLists{}
	asked.Add(protocol.StageConnect, "j", "client_addr", "client_port", "i", "mail_addr")
	asked.Add(protocol.StageData)
	asked[protocol.StageEndOfMessage] = []string{}
	var atRcpt protocol.MacroLists
	atRcpt.Add(protocol.StageRcpt, "f", "rcpt_host", "mail_mailer", "client_name")
	tests := []struct {
		mta   string
		lists protocol.MacroLists
		want  map[protocol.Code]string
	}{
		{"postfix", protocol.MacroLists{}, map[protocol.Code]string{
			protocol.CodeConnect: "j=mx daemon_name=" + hostName() + " daemon_addr=127.0.0.1 v=millstream " + version() +
				" _=mail.example.org [192.0.2.25] own=1 unheard=of",
			protocol.CodeHelo:         "tls_version=TLSv1.3",
			protocol.CodeMailFrom:     "auth_authen=joe mail_addr=sender@example.org mail_host=example.org mail_mailer=smtp",
			protocol.CodeRcptTo:       "rcpt_addr=recipient@example.com rcpt_host=example.com rcpt_mailer=local",
			protocol.CodeHeader:       "",
			protocol.CodeEndOfMessage: "",
		}},
		{"postfix", asked, map[protocol.Code]string{
			protocol.CodeConnect:      "j=mx client_addr=192.0.2.25 client_port=42025 own=1 unheard=of",
			protocol.CodeEndOfMessage: "",
		}},
		{"sendmail", protocol.MacroLists{}, map[protocol.Code]string{
			protocol.CodeMailFrom: "i=Q1 auth_authen=joe mail_mailer=esmtp mail_host=example.org mail_addr=sender@example.org",
			protocol.CodeData:     "-", protocol.CodeHeader: "-",
			protocol.CodeEndOfMessage: "msg_id=<Q1@" + hostName() + ">",
		}},
		{"sendmail", asked, map[protocol.Code]string{protocol.CodeEndOfMessage: "-"}},
		{"sendmail", atRcpt, map[protocol.Code]string{
			protocol.CodeRcptTo: "f=sender@example.org rcpt_host=example.com mail_mailer=esmtp client_name=mail.example.org rcpt_mailer=local",
		}},
	}
	for _, tt := range tests {
		p, err := planOf(t, "", append(args, "--mta", tt.mta)...)
		if err != nil {
			t.Fatal(err)
		}
		m := &p.macros
		m.Terms.Macros = tt.lists
		for code, want := range tt.want {
			if m.Mail, m.To = p.mail, &p.mail.To[0]; code == protocol.CodeConnect || code == protocol.CodeHelo {
				m.Mail, m.To = &mta.Mail{}, nil
			}
			if got := macrosOf(m, code); got != want {
				t.Errorf("%s, %v:\n got %s\nwant %s", tt.mta, code, got, want)
			}
		}
	}
}
