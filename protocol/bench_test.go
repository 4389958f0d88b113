package protocol

import (
	"bytes"
	"testing"
)

// benchCommands are the packets of one mail, as an MTA sends them.
var benchCommands = []string{
	"negotiate", "macro-connect", "connect-inet", "connect-inet6", "connect-unix", "helo", "mail", "rcpt",
	"data", "unknown", "header", "header-folded", "end-of-header", "body", "end-of-message",
}

func BenchmarkFrame(b *testing.B) {
	var stream []byte
	for _, name := range benchCommands {
		stream = append(stream, vector(b, name)...)
	}
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		for rest := stream; len(rest) > 0; {
			_, _, n, err := Frame(rest, DefaultMaxPacketSize)
			if err != nil || n == 0 {
				b.Fatal(n, err)
			}
			rest = rest[n:]
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range benchCommands {
		packet := vector(b, name)
		code, body := openPacket(b, packet)
		b.Run(name, func(b *testing.B) {
			var d Decoder
			b.SetBytes(int64(len(packet)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode(code, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, name := range benchCommands {
		packet := vector(b, name)
		var d Decoder
		command, err := d.Decode(openPacket(b, packet))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			var dst []byte
			b.SetBytes(int64(len(packet)))
			b.ReportAllocs()
			for b.Loop() {
				dst = command.Append(dst[:0])
			}
		})
	}
}

func BenchmarkAppendReply(b *testing.B) {
	text, err := NewSMTPReply(550, "5.7.1", "No thanks")
	if err != nil {
		b.Fatal(err)
	}
	benches := []struct {
		name   string
		status Status
		text   *SMTPReply
	}{
		{"continue", StatusContinue, nil},
		{"reject-text", StatusReject, text},
	}
	for _, bb := range benches {
		b.Run(bb.name, func(b *testing.B) {
			var dst []byte
			b.SetBytes(int64(len(AppendReply(nil, bb.status, bb.text))))
			b.ReportAllocs()
			for b.Loop() {
				dst = AppendReply(dst[:0], bb.status, bb.text)
			}
		})
	}
}

// BenchmarkReplaceBody appends a body of many packets to an empty buffer.
func BenchmarkReplaceBody(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 1<<20)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		AppendReplaceBody(nil, body)
	}
}

// BenchmarkMachine takes one mail of ten headers through the machine.
func BenchmarkMachine(b *testing.B) {
	mail := []Code("DMDRDTLLLLLLLLLLDNBDE")
	m := agreedMachine(Steps(0), Steps(0))
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range mail {
			turn, err := m.Receive(c)
			if err != nil {
				b.Fatal(err)
			}
			if !turn.Pending {
				continue
			}
			if _, err := m.Apply(StatusContinue, StatusTempFail); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkMacros defines the macros of one mail as Postfix sends them, and looks
// up one of each stage.
func BenchmarkMacros(b *testing.B) {
	sets := []*Macro{
		NewMacro(CodeMailFrom, "{mail_addr}", "a@example.com", "{mail_host}", "example.com", "{mail_mailer}", "smtp"),
		NewMacro(CodeRcptTo, "{rcpt_addr}", "b@example.net", "{rcpt_host}", "example.net", "{rcpt_mailer}", "local"),
		NewMacro(CodeData),
		NewMacro(CodeHeader, "i", "4ZbX1Y2Kz3z9rxN"),
		NewMacro(CodeHeader, "i", "4ZbX1Y2Kz3z9rxN"),
		NewMacro(CodeEndOfMessage, "i", "4ZbX1Y2Kz3z9rxN"),
	}
	var m Macros
	m.Define(NewMacro(CodeConnect, "j", "mx.example.org", "{daemon_name}", "smtpd", "v", "Postfix 3.9"))
	b.Run("define", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, p := range sets {
				m.Define(p)
				m.Arrive(p.Stage)
				m.Answered(p.Stage)
			}
			m.EndMessage(0)
		}
	})
	for _, p := range sets {
		m.Define(p)
	}
	for _, name := range []string{"i", "{mail_addr}", "j", "absent"} {
		b.Run("lookup/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Lookup(name)
			}
		})
	}
}

func BenchmarkDecodeAnswer(b *testing.B) {
	for _, name := range []string{"continue", "reply-text", "add-header", "agreement-macros"} {
		packet := vector(b, name)
		code, body := openPacket(b, packet)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(packet)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := DecodeAnswer(code, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
