package main

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"millstream/actors"
	"millstream/protocol"
	"millstream/protocol/script"
)

// TestSteady has answers, and how the next ones like them begin.
func TestSteady(t *testing.T) {
	tests := []struct{ line, want string }{
		{"add-header X-Scanned: clean", ""},
		{"add-header X-Id: 7", "add-header X-Id:"},
		{"add-header X-Id: node/7/3", "add-header X-Id: node/"},
		{"add-header X-Id: 77", ""},
		{"insert-header 7 X-Score: 5.2", ""},
		{"insert-header 1 X-Took: took=51µs", "insert-header 1 X-Took: took="},
		{"add-header X-Date: Sun, 22 Nov 2026 16:34:42 +0000", "add-header X-Date:"},
		{"add-header X-At: done 2026-11-22T16:34:42Z", "add-header X-At: done"},
		{"add-header DKIM-Signature: v=1; d=example.com; t=1795365282; b=abc", "add-header DKIM-Signature: v=1; d=example.com; t="},
		{"add-header X-Trace: 0af7651916cd43dd8448eb211c80319c", "add-header X-Trace:"},
		{"change-header 1 Subject: the number 6ba7b810-9dad-11d1 is out", "change-header 1 Subject: the number"},
		{"reject 550 5.7.1 no", ""},
		{"tempfail 451 4.7.1 try again in 287s", "tempfail 451 4.7.1 try again in"},
		{"tempfail 451 4.7.1 refused at 16:34:42", "tempfail 451 4.7.1 refused at"},
		{"quarantine held since 2026-11-22", "quarantine held since"},
		{"continue", ""},
		{"negotiate 6 actions=all steps=none mail-macros=i", ""},
	}
	for _, tt := range tests {
		s, err := script.Parse("test", "<- "+tt.line)
		if err != nil {
			t.Fatal(err)
		}
		step := s.Lines[0].Step.(*script.Receive)
		got, changes := steady(&step.Answer, step.String(), 7)
		if got != tt.want || changes != (tt.want != "") {
			t.Errorf("%s: %q, %v, want %q", tt.line, got, changes, tt.want)
		}
		if !changes {
			continue
		}
		if again, err := script.Parse("test", "<~ "+got); err != nil || again.Lines[0].Step.String() != "<~ "+got {
			t.Errorf("%q is no line: %v", got, err)
		}
	}
}

// TestTraceFilter has what is asked for, and what is looked for.
func TestTraceFilter(t *testing.T) {
	f, err := traceFilter(url.Values{
		traceClient: {"192.0.2.7", "10.1.2.3/8", "::ffff:198.51.100.1", "2001:db8::1/32"}, traceFrom: {"<>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range f.Clients {
		got = append(got, p.String())
	}
	if strings.Join(got, " ") != "192.0.2.7/32 10.0.0.0/8 198.51.100.1/32 2001:db8::/32" || len(f.From) != 1 || f.Recipients != nil {
		t.Errorf("%v, %+v", got, f)
	}
}

// TestDialogLines has events whose lines are not just their packets.
func TestDialogLines(t *testing.T) {
	var out, errOut strings.Builder
	to := &recorder{path: filepath.Join(t.TempDir(), "s.txt")}
	d := &dialog{out: &out, errOut: &errOut, to: to, sessions: map[uint64]*dialogSession{}}
	trailing := []byte("\x00\x00\x00\x04Hmx\x00") // a helo
	trailing = append(trailing[:3], append([]byte{5}, append(trailing[4:], 'x')...)...)
	helo := (&protocol.Helo{Name: protocol.View("mx")}).Append(nil)
	for _, e := range []actors.TapEvent{
		{Kind: actors.TapMissed, Missed: 3},
		{Kind: actors.TapSession, Session: 5, Listener: "inet:1@::1", Peer: protocol.Addr{Family: protocol.FamilyUnix}},
		{Kind: actors.TapSent, Session: 5, Joined: true, Packet: helo},
		{Kind: actors.TapSent, Session: 5, Joined: true, Packet: helo},
		{Kind: actors.TapSent, Session: 5, Packet: trailing},
		{Kind: actors.TapAnswered, Session: 5, Missed: 2, MissedBytes: 40, Packet: []byte{0, 0, 0, 1, 'c'}},
		{Kind: actors.TapSent, Session: 5, Joined: true, Packet: (&protocol.Body{Chunk: []byte(strings.Repeat("ab\xe2\x82\xac", 40) + ".")}).Append(nil)},
		{Kind: actors.TapReset, Session: 5},
		{Kind: actors.TapEnd, Session: 5},
	} {
		if over, err := d.show(&e); over || err != nil {
			t.Errorf("%v: %v, %v", e.Kind, over, err)
		}
	}
	want := `# session 5 of unix at inet:1@::1, begun 0001-01-01T00:00:00Z
-> helo mx
+> helo mx
-> helo mx
# 2 packets are missing here, 40 bytes
<- continue
-> body ` + strings.Repeat("ab€", 18) + "ab… (201 bytes)\n" + `-> reset
# the session is over
`
	if got := strings.ReplaceAll(out.String(), "     5     0.000  ", ""); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
	if got := errOut.String(); !strings.Contains(got, "3 sessions began") || !strings.Contains(got, "but 2 packets are missing") {
		t.Errorf("said\n%s", got)
	}
	s, err := script.Load(to.path)
	if err != nil {
		t.Fatal(err)
	}
	if raw := s.Lines[3].Step.String(); raw != `-> raw "\x00\x00\x00\x05Hmx\x00x"` {
		t.Errorf("recorded %s", raw)
	}
}
