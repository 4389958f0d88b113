package protocol

import "testing"

// What is done for every packet allocates nothing. The tests do without subtests:
// AllocsPerRun counts what the whole program allocates.

func TestFrameAllocs(t *testing.T) {
	packet := vector(t, "body")
	tests := map[string][]byte{
		"whole packet": packet, "half a packet": packet[:7], "no length": packet[:3],
		"empty packet": {0, 0, 0, 0}, "packet too large": {0xff, 0xff, 0xff, 0xff},
	}
	for name, b := range tests {
		noAllocs(t, "Frame of a "+name, func() { _, _, _, _ = Frame(b, DefaultMaxPacketSize) })
	}
}

func TestDecodeAllocs(t *testing.T) {
	// The address of a client outlives the packet: it costs one allocation, once a
	// connection.
	owned := map[string]float64{"connect-inet": 1, "connect-inet6": 1, "connect-inet6-sendmail": 1, "connect-unix": 1}
	for _, tt := range commandVectors {
		var d Decoder
		code, body := openPacket(t, vector(t, tt.name))
		n := testing.AllocsPerRun(100, func() {
			if _, err := d.Decode(code, body); err != nil {
				t.Fatal(err)
			}
		})
		if n != owned[tt.name] {
			t.Errorf("%s: %v allocations, want %v", tt.name, n, owned[tt.name])
		}
	}
}

func TestReadAllocs(t *testing.T) {
	var d Decoder
	mail, err := d.Decode(openPacket(t, vector(t, "mail")))
	if err != nil {
		t.Fatal(err)
	}
	m := mail.(*MailFrom)
	noAllocs(t, "Mailbox", func() { m.Mailbox() })
	noAllocs(t, "Params.All", func() {
		for range m.Params.All() {
		}
	})
	noAllocs(t, "Params.Lookup", func() {
		if value, ok := m.Params.Lookup("body"); !ok || !value.EqualFold("8bitmime") {
			t.Error("no BODY")
		}
	})
	macro := NewMacro(CodeMailFrom, "i", "x", "{mail_addr}", "a@example.com")
	noAllocs(t, "Macro.All", func() {
		for range macro.All() {
		}
	})
}

func TestAppendAllocs(t *testing.T) {
	dst := make([]byte, 0, 4096)
	for _, tt := range commandVectors {
		noAllocs(t, "Append of "+tt.name, func() { tt.want.Append(dst) })
	}
	text, err := NewSMTPReply(550, "5.7.1", "No thanks")
	if err != nil {
		t.Fatal(err)
	}
	for s := range Status(numStatuses) {
		noAllocs(t, "AppendReply of "+s.String(), func() { AppendReply(dst, s, nil) })
		noAllocs(t, "AppendReply of "+s.String()+" with a text", func() { AppendReply(dst, s, text) })
	}
	noAllocs(t, "Agreement.Append", func() { withLists.Append(dst) })
}

func TestChangeAllocs(t *testing.T) {
	dst := make([]byte, 0, 4096)
	params := []string{"SIZE=1", "BODY=7BIT"}
	changes := map[string]func(){
		"AppendAddHeader":       func() { _, _ = AppendAddHeader(dst, "X-Spam", "no\r\n really") },
		"AppendInsertHeader":    func() { _, _ = AppendInsertHeader(dst, 0, "X-Spam", "no") },
		"AppendChangeHeader":    func() { _, _ = AppendChangeHeader(dst, "X-Spam", 1, "") },
		"AppendChangeFrom":      func() { _, _ = AppendChangeFrom(dst, "<a@example.com>", params...) },
		"AppendAddRecipient":    func() { _, _ = AppendAddRecipient(dst, "<a@example.com>", params...) },
		"AppendDeleteRecipient": func() { _, _ = AppendDeleteRecipient(dst, "<a@example.com>") },
		"AppendQuarantine":      func() { _, _ = AppendQuarantine(dst, "virus") },
		"AppendReplaceBody":     func() { AppendReplaceBody(dst, []byte("New\r\n")) },
		"AppendProgress":        func() { AppendProgress(dst) },
	}
	for name, change := range changes {
		noAllocs(t, name, change)
	}
	body := make([]byte, 10*MaxBodyChunk)
	if n := testing.AllocsPerRun(10, func() { AppendReplaceBody(nil, body) }); n > 2 {
		t.Errorf("AppendReplaceBody to an empty buffer allocates %v times, want no more than for its size", n)
	}
}

func TestMachineAllocs(t *testing.T) {
	m := agreedMachine(StepNoReplyHeader|StepSkip, StepNoReplyHeader|StepSkip)
	noAllocs(t, "a message", func() { run(t, m, "DMDRRTLLLDNBBEAMA") })
}

// TestMacrosAllocs lets the buffer grow once, with what is longest.
func TestMacrosAllocs(t *testing.T) {
	sets := []*Macro{
		NewMacro(CodeMailFrom, "{mail_addr}", "a@example.com", "{mail_host}", "example.com"),
		NewMacro(CodeRcptTo, "{rcpt_addr}", "b@example.net"),
		NewMacro(CodeRcptTo, "{rcpt_addr}", "longer@example.net"),
		NewMacro(CodeData),
		NewMacro(CodeHeader, "i", "4ZbX1Y2Kz3z9rxN"),
		NewMacro(CodeBody, "i", "4ZbX1Y2Kz3z9rxN"),
		NewMacro(CodeUnknown, "i", "x"),
		NewMacro(CodeEndOfMessage, "i", "4ZbX1Y2Kz3z9rxN"),
	}
	var m Macros
	m.Define(NewMacro(CodeConnect, "j", "mx.example.org"))
	message := func() {
		for _, p := range sets {
			m.Define(p)
			m.Arrive(p.Stage)
			m.Answered(p.Stage)
		}
		m.Define(sets[0]) // of the next message, before this one ends
		m.EndMessage(CodeMailFrom)
	}
	message()
	noAllocs(t, "a message", message)
	noAllocs(t, "Lookup of a macro that there is not", func() { m.Lookup("{absent}") })
	if n := testing.AllocsPerRun(100, func() { m.Lookup("j") }); n > 1 {
		t.Errorf("Lookup allocates %v times, want once, for the value", n)
	}
	noAllocs(t, "a message after Reset", func() {
		m.Reset()
		message()
	})
}
