package protocol

import (
	"bytes"
	"reflect"
	"testing"
)

// commandOfEach has one command of each kind, with all of its fields.
func commandOfEach(t testing.TB) map[Code]Command {
	t.Helper()
	names := []string{
		"negotiate", "macro-connect", "connect-inet", "helo", "mail", "rcpt-params", "data", "unknown", "header",
		"end-of-header", "body", "end-of-message-chunk", "abort", "quit", "quit-new-connection",
	}
	commands := make(map[Code]Command)
	for _, name := range names {
		var d Decoder
		c, err := d.Decode(openPacket(t, vector(t, name)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		commands[c.Code()] = c
	}
	return commands
}

// mayEndAt has, for the commands of which not every beginning is refused, where
// the payload may end: at these lengths, or anywhere for nil.
var mayEndAt = map[Code][]int{
	CodeMacro:             {1, 18, 38}, // after the stage, and after each pair
	CodeMailFrom:          {16, 26, 40},
	CodeRcptTo:            {16, 29},
	CodeBody:              nil,
	CodeEndOfMessage:      nil,
	CodeNegotiate:         {12},
	CodeConnect:           {29},
	CodeHelo:              {15},
	CodeUnknown:           {8},
	CodeHeader:            {17},
	CodeData:              {0},
	CodeEndOfHeader:       {0},
	CodeAbort:             {0},
	CodeQuit:              {0},
	CodeQuitNewConnection: {0},
}

// TestDecodePrefix gives every decoder every beginning of a payload.
func TestDecodePrefix(t *testing.T) {
	commands := commandOfEach(t)
	for c := range 256 {
		if Code(c).IsCommand() && commands[Code(c)] == nil {
			t.Errorf("no packet of %v to cut", Code(c))
		}
	}
	for code, command := range commands {
		_, body := openPacket(t, command.Append(nil))
		ends, listed := mayEndAt[code]
		if !listed {
			t.Errorf("it is not said where %v may end", code)
		}
		for n := range len(body) + 1 {
			var d Decoder
			_, err := d.Decode(code, body[:n:n])
			want := ends == nil
			for _, end := range ends {
				want = want || n == end
			}
			if (err == nil) != want {
				t.Errorf("%v with %q: error %v", code, body[:n], err)
			}
		}
	}
}

// TestDecodeReuse checks that nothing of one packet is left in the next of its
// kind.
func TestDecodeReuse(t *testing.T) {
	vectors := allVectors(t)
	var d Decoder
	for range 2 {
		for _, name := range vectors.names {
			code, body, _, _ := Frame(vectors.packets[name], DefaultMaxPacketSize)
			if !code.IsCommand() {
				continue
			}
			var fresh Decoder
			want, wantErr := fresh.Decode(code, body)
			got, err := d.Decode(code, body)
			if (err == nil) != (wantErr == nil) || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %#v, error %v; a new Decoder says %#v, %v", name, got, err, want, wantErr)
			}
		}
	}
}

// TestClone checks that a clone is the same and shares no byte with the packet.
func TestClone(t *testing.T) {
	for code, command := range commandOfEach(t) {
		packet := command.Append(nil)
		var d Decoder
		_, body := openPacket(t, packet)
		borrowed, err := d.Decode(code, body)
		if err != nil {
			t.Fatal(err)
		}
		clone := borrowed.Clone()
		if !reflect.DeepEqual(clone, borrowed) || clone == borrowed && len(body) > 0 {
			t.Errorf("%v: clone of %#v is %#v", code, borrowed, clone)
		}
		for i := range body {
			body[i] = '#'
		}
		if !bytes.Equal(clone.Append(nil), command.Append(nil)) {
			t.Errorf("%v: clone has changed with the packet: %#v", code, clone)
		}
	}
}

// TestCodeOfNil checks that the code of a command needs no command.
func TestCodeOfNil(t *testing.T) {
	commands := []Command{
		(*Negotiate)(nil), (*Macro)(nil), (*Connect)(nil), (*Helo)(nil), (*MailFrom)(nil), (*RcptTo)(nil),
		(*Data)(nil), (*Unknown)(nil), (*Header)(nil), (*EndOfHeader)(nil), (*Body)(nil), (*EndOfMessage)(nil),
		(*Abort)(nil), (*Quit)(nil), (*QuitNewConnection)(nil),
	}
	for i, want := range []Code("ODCHMRTULNBEAQK") {
		if got := commands[i].Code(); got != want {
			t.Errorf("%T has code %v, want %v", commands[i], got, want)
		}
	}
}
