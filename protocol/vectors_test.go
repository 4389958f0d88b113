package protocol

import (
	"reflect"
	"testing"
)

// commandVectors says what the commands of testdata/vectors.txt mean.
var commandVectors = []struct {
	name string
	want Command
}{
	{"negotiate", &Negotiate{Options{6, ActionsAll, StepsAll}}},
	{"negotiate-256k", &Negotiate{Options{6, ActionsAll, StepsAll | StepMaxData256K}}},
	{"negotiate-version-2", &Negotiate{Options{2, 0x3f, 0x7f}}},
	{"negotiate-no-flags", &Negotiate{Options{2, 0, 0}}},
	{"macro-connect", NewMacro(CodeConnect, "j", "mx.example.org", "daemon_name", "smtpd")},
	{"macro-data-none", &Macro{Stage: CodeData, pairs: View{}}},
	{"macro-rcpt", NewMacro(CodeRcptTo, "{rcpt_mailer}", "error")},
	{"connect-inet", &Connect{view("client.example"), inet(FamilyInet, "192.0.2.10", 50443)}},
	{"connect-inet6-sendmail", &Connect{view("[IPv6:2001:db8::25]"), inet(FamilyInet6, "2001:db8::25", 25)}},
	{"connect-inet6", &Connect{view("[IPv6:2001:db8::25]"), inet(FamilyInet6, "2001:db8::25", 25)}},
	{"connect-unix", &Connect{view("localhost"), Addr{Family: FamilyUnix, Path: "/run/mta.sock"}}},
	{"connect-unknown", &Connect{view("unknown"), Addr{Family: FamilyUnknown}}},
	{"helo", &Helo{view("client.example")}},
	{"mail", &MailFrom{view("<a@example.com>"), NewParams("SIZE=1024", "BODY=8BITMIME")}},
	{"mail-null-sender", &MailFrom{view("<>"), Params{}}},
	{"rcpt", &RcptTo{view("<b@example.net>"), Params{}}},
	{"rcpt-params", &RcptTo{view("<c@example.net>"), NewParams("NOTIFY=NEVER")}},
	{"data", &Data{}},
	{"unknown", &Unknown{view("HELP me")}},
	{"header", &Header{view("Subject"), view("hi there")}},
	{"header-leading-space", &Header{view("Subject"), view(" hi there")}},
	{"header-empty", &Header{view("X-Empty"), View{}}},
	{"header-folded", &Header{view("To"), view("b@example.net,\n\tc@example.net")}},
	{"end-of-header", &EndOfHeader{}},
	{"body", &Body{view("Hello\r\n")}},
	{"end-of-message", &EndOfMessage{nil}},
	{"end-of-message-chunk", &EndOfMessage{view("tail\r\n")}},
	{"abort", &Abort{}},
	{"quit", &Quit{}},
	{"quit-new-connection", &QuitNewConnection{}},
}

func TestCommandVectors(t *testing.T) {
	for _, tt := range commandVectors {
		t.Run(tt.name, func(t *testing.T) {
			packet := vector(t, tt.name)
			var d Decoder
			got, err := d.Decode(openPacket(t, packet))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("decoded %#v, want %#v", got, tt.want)
			}
			if tt.name == "connect-inet6-sendmail" { // sent without the prefix
				packet = vector(t, "connect-inet6")
			}
			if b := tt.want.Append([]byte("before")); string(b) != "before"+string(packet) {
				t.Errorf("appended %q, want %q", b, packet)
			}
		})
	}
}

// TestVectorsAreUsed checks that no packet of the file is left out.
func TestVectorsAreUsed(t *testing.T) {
	used := map[string]bool{"changes": true}
	for _, tt := range commandVectors {
		used[tt.name] = true
	}
	for _, tt := range answerVectors {
		used[tt.name] = true
	}
	for _, name := range allVectors(t).names {
		if !used[name] {
			t.Errorf("no test uses %s", name)
		}
	}
}
