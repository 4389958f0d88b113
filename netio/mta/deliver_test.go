package mta

import (
	"net/netip"
	"slices"
	"testing"

	"millstream/protocol"
)

func testClient() *Client {
	return &Client{
		Connect: protocol.Connect{
			Host: protocol.View("client.example"),
			Addr: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.1"), Port: 50443},
		},
		Helo:   protocol.Helo{Name: protocol.View("client.example")},
		Macros: map[string]string{"j": "mx.example", "daemon_name": "smtpd"},
	}
}

func testMail() *Mail {
	m := NewMail("<a@example.com>", []string{"<b@example.net>", "<c@example.net>"}, []byte("Subject: hi\nTo:  b\n\nHello\n"))
	m.ID = "4XYZ"
	m.From.Params = protocol.NewParams("SIZE=100")
	return m
}

// testWords is what a milter hears of testMail after the sender.
var testWords = []string{
	"macros of envelope-recipient rcpt_addr=b@example.net rcpt_host=example.net rcpt_mailer=smtp", "rcpt <b@example.net>",
	"macros of envelope-recipient i=4XYZ rcpt_addr=c@example.net rcpt_host=example.net rcpt_mailer=smtp", "rcpt <c@example.net>",
	"macros of data i=4XYZ", "data",
	"macros of header i=4XYZ", `header Subject "hi"`,
	"macros of header i=4XYZ", `header To " b"`,
	"macros of end-of-header i=4XYZ", "end-of-header",
	"macros of body i=4XYZ", `body "Hello\r\n"`,
	"macros of end-of-message i=4XYZ", "end-of-message",
}

// A message comes as from Postfix.
func TestDeliver(t *testing.T) {
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			f := &filter{}
			c := f.start(t, pair)
			if _, _, err := c.Negotiate(Offer()); err != nil {
				t.Fatal(err)
			}
			if out, err := c.Greet(testClient()); err != nil || !out.Taken() || out.Stage != protocol.CodeHelo {
				t.Fatalf("Greet = %v, %v", out, err)
			}
			for range 2 {
				out, err := c.Deliver(testMail())
				if err != nil || out.Status != protocol.StatusContinue || out.Stage != protocol.CodeEndOfMessage {
					t.Fatalf("Deliver = %v, %v", out, err)
				}
			}
			message := append([]string{"macros of envelope-from mail_addr=a@example.com mail_host=example.com mail_mailer=smtp", "mail <a@example.com> SIZE=100"}, testWords...)
			sameLines(t, f.end(t, c), slices.Concat([]string{
				"negotiate", "macros of connect j=mx.example daemon_name=smtpd", "connect client.example inet:50443@192.0.2.1",
				"macros of helo", "helo client.example",
			}, message, message, []string{"quit"})...)
		})
	}
}

// Macros are those that the milter asks for, as far as they are known.
func TestDeliverMacros(t *testing.T) {
	f := &filter{}
	f.wants.Macros.Add(protocol.StageConnect, "client_addr", "client_port", "client_name", "client_ptr")
	f.wants.Macros.Add(protocol.StageMail, "mail_host", "client_addr", "v")
	f.wants.Macros.Add(protocol.StageData)
	f.wants.Macros.Add(protocol.StageEndOfMessage, "i", "msg_id", "j")
	f.wants.Steps = protocol.StepNoHeaders | protocol.StepNoRcpt
	c := f.agreed(t)
	if _, err := c.Greet(testClient()); err != nil {
		t.Fatal(err)
	}
	m := testMail()
	m.Macros = map[string]string{"msg_id": "<1@example>", "mail_host": "", "j": "other.example"}
	if _, err := c.Deliver(m); err != nil {
		t.Fatal(err)
	}
	sameLines(
		t, f.end(t, c),
		"negotiate", "macros of connect client_addr=192.0.2.1 client_port=50443 client_name=client.example",
		"connect client.example inet:50443@192.0.2.1", "macros of helo", "helo client.example",
		"macros of envelope-from mail_host= client_addr=192.0.2.1", "mail <a@example.com> SIZE=100",
		"macros of envelope-recipient rcpt_addr=b@example.net rcpt_host=example.net rcpt_mailer=smtp", "macros of envelope-recipient i=4XYZ rcpt_addr=c@example.net rcpt_host=example.net rcpt_mailer=smtp",
		"macros of data i=4XYZ", "data", "macros of end-of-header i=4XYZ", "end-of-header",
		"macros of body i=4XYZ msg_id=<1@example> j=other.example", `body "Hello\r\n"`,
		"macros of end-of-message i=4XYZ msg_id=<1@example> j=other.example", "end-of-message", "quit",
	)
}

// Nothing is sent after a verdict.
func TestDeliverVerdicts(t *testing.T) {
	tests := []struct {
		at     protocol.Code
		answer protocol.Status
		last   string // that the milter hears before the quit
	}{
		{protocol.CodeMailFrom, protocol.StatusReject, "mail <a@example.com> SIZE=100"},
		{protocol.CodeMailFrom, protocol.StatusAccept, "mail <a@example.com> SIZE=100"},
		{protocol.CodeRcptTo, protocol.StatusAccept, "rcpt <b@example.net>"},
		{protocol.CodeRcptTo, protocol.StatusDiscard, "rcpt <b@example.net>"},
		{protocol.CodeRcptTo, protocol.StatusTempFail, "abort"},
		{protocol.CodeData, protocol.StatusTempFail, "data"},
		{protocol.CodeHeader, protocol.StatusDiscard, `header Subject "hi"`},
		{protocol.CodeEndOfHeader, protocol.StatusAccept, "end-of-header"},
		{protocol.CodeBody, protocol.StatusReject, `body "Hello\r\n"`},
		{protocol.CodeBody, protocol.StatusAccept, `body "Hello\r\n"`},
		{protocol.CodeEndOfMessage, protocol.StatusDiscard, "end-of-message"},
		{protocol.CodeEndOfMessage, protocol.StatusAccept, "end-of-message"},
	}
	for _, tt := range tests {
		f := &filter{say: on(tt.at, answer(tt.answer))}
		c := f.agreed(t)
		out, err := c.Deliver(testMail())
		if err != nil || out.Status != tt.answer || out.Stage != tt.at {
			t.Errorf("%v to %v: %v, %v", tt.answer, tt.at, out, err)
		}
		if heard := f.end(t, c); heard[len(heard)-2] != tt.last {
			t.Errorf("%v to %v: the milter heard %q last", tt.answer, tt.at, heard[len(heard)-2])
		}
	}
}

func TestDeliverRefusesRecipients(t *testing.T) {
	no, later := refusal(t, 550, "no"), refusal(t, 451, "later")
	tests := []struct {
		name    string
		answers map[string][]byte
		status  protocol.Status
		stage   protocol.Code
		text    string
		refused []Refusal
	}{
		{
			"one",
			map[string][]byte{"<b@example.net>": no},
			protocol.StatusContinue, protocol.CodeEndOfMessage, "",
			[]Refusal{{0, protocol.StatusReject, "550 no"}},
		},
		{
			"all",
			map[string][]byte{"<b@example.net>": no, "<c@example.net>": later},
			protocol.StatusTempFail, protocol.CodeRcptTo, "451 later",
			[]Refusal{{0, protocol.StatusReject, "550 no"}, {1, protocol.StatusTempFail, "451 later"}},
		},
	}
	for _, tt := range tests {
		f := &filter{say: func(cmd protocol.Command) []byte {
			if r, ok := cmd.(*protocol.RcptTo); ok {
				return tt.answers[r.Addr.String()]
			}
			return nil
		}}
		out, err := f.agreed(t).Deliver(testMail())
		if err != nil || out.Status != tt.status || out.Stage != tt.stage || out.Text != tt.text || !slices.Equal(out.Refused, tt.refused) {
			t.Errorf("%s: %+v, %v", tt.name, out, err)
		}
	}
}

func TestDeliverChanges(t *testing.T) {
	change := packet(protocol.CodeAddHeader, "X\x00y\x00")
	f := &filter{say: on(protocol.CodeEndOfMessage, append(change, refusal(t, 550, "spam")...))}
	f.wants.Actions = protocol.ActionAddHeaders
	out, err := f.agreed(t).Deliver(testMail())
	if err != nil || out.Status != protocol.StatusReject || out.Text != "550 spam" || len(out.Changes) != 1 || out.Changes[0].Name.String() != "X" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestDeliverErrors(t *testing.T) {
	for _, cmd := range commands {
		code := cmd.Code()
		if code == protocol.CodeUnknown {
			continue
		}
		f := &filter{say: on(code, packet('z', ""))}
		c := f.agreed(t)
		out, err := c.Greet(testClient())
		if err == nil {
			out, err = c.Deliver(testMail())
		}
		if err == nil || out.Status != protocol.StatusDefault {
			t.Errorf("nonsense to %v: %v, %v", code, out, err)
		}
	}
}

// The verdict on a client is that on its messages, until there is another one.
func TestGreetVerdict(t *testing.T) {
	no := refusal(t, 554, "go away")
	refuse := true
	f := &filter{say: func(cmd protocol.Command) []byte {
		if cmd.Code() == protocol.CodeConnect && refuse {
			refuse = false
			return no
		}
		return nil
	}}
	c := f.agreed(t)
	greeted, err := c.Greet(testClient())
	if err != nil || greeted.Status != protocol.StatusReject || greeted.Stage != protocol.CodeConnect || greeted.Text != "554 go away" {
		t.Errorf("Greet = %+v, %v", greeted, err)
	}
	if out, err := c.Deliver(testMail()); err != nil || out.Text != greeted.Text || out.Stage != greeted.Stage {
		t.Errorf("Deliver = %+v, %v", out, err)
	}
	if err := c.Send(&protocol.QuitNewConnection{}); err != nil {
		t.Fatal(err)
	}
	if out, err := c.Greet(testClient()); err != nil || out.Status != protocol.StatusContinue {
		t.Errorf("Greet = %+v, %v", out, err)
	}
	if out, err := c.Deliver(testMail()); err != nil || out.Stage != protocol.CodeEndOfMessage {
		t.Errorf("Deliver = %+v, %v", out, err)
	}
}
