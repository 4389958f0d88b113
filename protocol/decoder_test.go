package protocol

import (
	"reflect"
	"strings"
	"testing"
)

func view(s string) View { return View(s) }

// repeat returns n strings, each ended by a NUL.
func repeat(s string, n int) string { return strings.Repeat(s+"\x00", n) }

// decoderTests has, for every command with fields, payloads and what becomes of
// them. A payload that is refused has an error and the field it is about.
var decoderTests = []struct {
	name  string
	code  Code
	body  string
	want  Command
	field string
	err   error
}{
	{"nothing", CodeNegotiate, "", nil, "options", ErrShortPacket},
	{"a byte short", CodeNegotiate, "\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00\x00", nil, "options", ErrShortPacket},
	{"more than asked", CodeNegotiate, "\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00\x00\x02more", &Negotiate{Options{6, 1, 2}}, "", nil},
	{"all bits", CodeNegotiate, strings.Repeat("\xff", 12), &Negotiate{Options{1<<32 - 1, 1<<32 - 1, 1<<32 - 1}}, "", nil},

	{"nothing", CodeMacro, "", nil, "stage", ErrShortPacket},
	{"stage alone", CodeMacro, "C", &Macro{Stage: CodeConnect, pairs: View{}}, "", nil},
	{"stage that is no command", CodeMacro, "zi\x00x\x00", &Macro{Stage: 'z', pairs: view("i\x00x\x00")}, "", nil},
	{"stage of byte 0", CodeMacro, "\x00", &Macro{Stage: 0, pairs: View{}}, "", nil},
	{"name without end", CodeMacro, "Ci", nil, "value", ErrMissingNull},
	{"name without value", CodeMacro, "Ci\x00", nil, "value", ErrMissingNull},
	{"value without end", CodeMacro, "Ci\x00x", nil, "value", ErrMissingNull},
	{"second name without value", CodeMacro, "Ci\x00x\x00j\x00", nil, "value", ErrMissingNull},
	{"empty name and value", CodeMacro, "C\x00\x00", &Macro{Stage: CodeConnect, pairs: view("\x00\x00")}, "", nil},
	{"as many as may be", CodeMacro, "C" + repeat("x", 2*MaxMacros), &Macro{Stage: CodeConnect, pairs: view(repeat("x", 2*MaxMacros))}, "", nil},
	{"one more", CodeMacro, "C" + repeat("x", 2*MaxMacros+2), nil, "name", ErrTooMany},

	{"nothing", CodeHelo, "", nil, "name", ErrMissingNull},
	{"without end", CodeHelo, "mx.example", nil, "name", ErrMissingNull},
	{"empty name", CodeHelo, "\x00", &Helo{View{}}, "", nil},
	{"more than asked", CodeHelo, "mx.example\x00more", &Helo{view("mx.example")}, "", nil},

	{"nothing", CodeMailFrom, "", nil, "address", ErrMissingNull},
	{"without end", CodeMailFrom, "<a@example>", nil, "address", ErrMissingNull},
	{"param without end", CodeMailFrom, "<a@example>\x00SIZE=1", nil, "params", ErrMissingNull},
	{"second param without end", CodeMailFrom, "<a@example>\x00SIZE=1\x00X", nil, "params", ErrMissingNull},
	{"no params", CodeMailFrom, "<a@example>\x00", &MailFrom{view("<a@example>"), Params{}}, "", nil},
	{"empty address", CodeMailFrom, "\x00", &MailFrom{View{}, Params{}}, "", nil},
	{"empty param", CodeMailFrom, "<>\x00\x00", &MailFrom{view("<>"), Params("\x00")}, "", nil},
	{"as many as may be", CodeMailFrom, repeat("x", MaxStrings), &MailFrom{view("x"), Params(repeat("x", MaxStrings-1))}, "", nil},
	{"one more", CodeMailFrom, repeat("x", MaxStrings+1), nil, "params", ErrTooMany},

	{"nothing", CodeRcptTo, "", nil, "address", ErrMissingNull},
	{"without end", CodeRcptTo, "<a@example>", nil, "address", ErrMissingNull},
	{"param without end", CodeRcptTo, "<a@example>\x00X", nil, "params", ErrMissingNull},
	{"without brackets", CodeRcptTo, "a@example\x00X=1\x00", &RcptTo{view("a@example"), Params("X=1\x00")}, "", nil},
	{"as many as may be", CodeRcptTo, repeat("x", MaxStrings), &RcptTo{view("x"), Params(repeat("x", MaxStrings-1))}, "", nil},
	{"one more", CodeRcptTo, repeat("x", MaxStrings+1), nil, "params", ErrTooMany},

	{"more than asked", CodeData, "more", &Data{}, "", nil},

	{"nothing", CodeUnknown, "", nil, "line", ErrMissingNull},
	{"without end", CodeUnknown, "HELP", nil, "line", ErrMissingNull},
	{"empty line", CodeUnknown, "\x00", &Unknown{View{}}, "", nil},
	{"more than asked", CodeUnknown, "HELP\x00me\x00", &Unknown{view("HELP")}, "", nil},

	{"nothing", CodeHeader, "", nil, "name", ErrMissingNull},
	{"name without end", CodeHeader, "Subject", nil, "name", ErrMissingNull},
	{"no value", CodeHeader, "Subject\x00", nil, "value", ErrMissingNull},
	{"value without end", CodeHeader, "Subject\x00hi", nil, "value", ErrMissingNull},
	{"no name", CodeHeader, "\x00hi\x00", nil, "name", ErrProtocol},
	{"empty value", CodeHeader, "Subject\x00\x00", &Header{view("Subject"), View{}}, "", nil},
	{"value as sent", CodeHeader, "Subject\x00\t hi\n there \x00", &Header{view("Subject"), view("\t hi\n there ")}, "", nil},
	{"more than asked", CodeHeader, "a\x00b\x00c\x00", &Header{view("a"), view("b")}, "", nil},

	{"more than asked", CodeEndOfHeader, "more", &EndOfHeader{}, "", nil},

	{"nothing", CodeBody, "", &Body{View{}}, "", nil},
	{"any bytes", CodeBody, "\x00\xff\n", &Body{view("\x00\xff\n")}, "", nil},

	{"nothing", CodeEndOfMessage, "", &EndOfMessage{nil}, "", nil},
	{"one byte", CodeEndOfMessage, "\x00", &EndOfMessage{view("\x00")}, "", nil},
	{"any bytes", CodeEndOfMessage, "\x00\xff\n", &EndOfMessage{view("\x00\xff\n")}, "", nil},

	{"more than asked", CodeAbort, "more", &Abort{}, "", nil},
	{"more than asked", CodeQuit, "more", &Quit{}, "", nil},
	{"more than asked", CodeQuitNewConnection, "more", &QuitNewConnection{}, "", nil},

	{"no command", 'z', "", nil, "", ErrUnexpectedCommand},
	{"an answer", CodeContinue, "", nil, "", ErrUnexpectedCommand},
	{"byte 0", 0, "", nil, "", ErrUnexpectedCommand},
	{"highest byte", 0xff, "", nil, "", ErrUnexpectedCommand},
}

func TestDecode(t *testing.T) {
	for _, tt := range decoderTests {
		t.Run(tt.code.String()+"/"+tt.name, func(t *testing.T) {
			var d Decoder
			got, err := d.Decode(tt.code, View(tt.body))
			checkDecodeError(t, err, tt.code, tt.field, tt.err)
			if tt.err == nil && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%#v, want %#v", got, tt.want)
			}
		})
	}
}
