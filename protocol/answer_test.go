package protocol

import (
	"bytes"
	"reflect"
	"testing"
)

func TestDecodeAnswer(t *testing.T) {
	offer := "\x00\x00\x00\x06\x00\x00\x01\xff\x00\x00\x04\x00"
	tests := []struct {
		name  string
		code  Code
		body  string
		want  Answer
		field string
		err   error
	}{
		{"payload", CodeContinue, "x", Answer{}, "payload", ErrProtocol},
		{"payload", CodeAccept, "\x00", Answer{}, "payload", ErrProtocol},
		{"payload", CodeReject, "x", Answer{}, "payload", ErrProtocol},
		{"payload", CodeTempFail, "x", Answer{}, "payload", ErrProtocol},
		{"payload", CodeDiscard, "x", Answer{}, "payload", ErrProtocol},
		{"payload", CodeSkip, "x", Answer{}, "payload", ErrProtocol},
		{"payload", CodeProgress, "x", Answer{}, "payload", ErrProtocol},
		{"payload", CodeShutdown, "x", Answer{}, "payload", ErrProtocol},
		{"payload", CodeConnectionFailure, "x", Answer{}, "payload", ErrProtocol},

		{"short", CodeNegotiate, offer[:11], Answer{}, "options", ErrShortPacket},
		{"half a stage", CodeNegotiate, offer + "\x00\x00\x00", Answer{}, "stage", ErrShortPacket},
		{"list without end", CodeNegotiate, offer + "\x00\x00\x00\x01j", Answer{}, "macros", ErrMissingNull},
		{"no list", CodeNegotiate, offer + "\x00\x00\x00\x01", Answer{}, "macros", ErrMissingNull},
		{"stage too many", CodeNegotiate, offer + "\x00\x00\x00\x07j\x00", Answer{}, "stage", ErrProtocol},
		{"two NULs", CodeNegotiate, offer + "\x00\x00\x00\x01j\x00\x00", Answer{}, "stage", ErrShortPacket},
		{
			"stage twice", CodeNegotiate, offer + "\x00\x00\x00\x01j\x00\x00\x00\x00\x01 {j}  v \x00",
			Answer{Code: CodeNegotiate, Offer: Options{6, 0x1ff, 0x400}, Macros: MacroLists{StageHelo: {"j", "v"}}},
			"", nil,
		},

		{"empty", CodeReplyText, "", Answer{}, "text", ErrMissingNull},
		{"without end", CodeReplyText, "550 no", Answer{}, "text", ErrMissingNull},
		{"two NULs", CodeReplyText, "550 no\x00\x00", Answer{}, "text", ErrProtocol},
		{"code too short", CodeReplyText, "55\x00", Answer{}, "text", ErrProtocol},
		{"class of no refusal", CodeReplyText, "250 fine\x00", Answer{}, "text", ErrProtocol},
		{"no code", CodeReplyText, "no\x00", Answer{}, "text", ErrProtocol},
		{"shortest", CodeReplyText, "450\x00", Answer{Code: CodeReplyText, Name: view("450")}, "", nil},
		{"percent", CodeReplyText, "550 %%%%d 1%\x00", Answer{Code: CodeReplyText, Name: view("550 %%d 1%")}, "", nil},

		{"without end", CodeAddHeader, "X", Answer{}, "name", ErrMissingNull},
		{"no value", CodeAddHeader, "X\x00", Answer{}, "value", ErrMissingNull},
		{"value without end", CodeAddHeader, "X\x00y", Answer{}, "value", ErrMissingNull},
		{"half an index", CodeInsertHeader, "\x00\x00\x00", Answer{}, "index", ErrShortPacket},
		{"index alone", CodeInsertHeader, "\x00\x00\x00\x01", Answer{}, "name", ErrMissingNull},
		{"half an index", CodeChangeHeader, "\x00\x00\x00", Answer{}, "index", ErrShortPacket},
		{"no value", CodeChangeHeader, "\x00\x00\x00\x01X\x00", Answer{}, "value", ErrMissingNull},
		{
			"greatest index", CodeChangeHeader, "\xff\xff\xff\xffX\x00y\x00",
			Answer{Code: CodeChangeHeader, Index: 1<<32 - 1, Name: view("X"), Value: view("y")},
			"", nil,
		},

		{"without end", CodeChangeFrom, "<>", Answer{}, "address", ErrMissingNull},
		{"empty", CodeChangeFrom, "", Answer{}, "address", ErrMissingNull},
		{"params without end", CodeChangeFrom, "<>\x00X", Answer{}, "params", ErrMissingNull},
		{"empty params", CodeChangeFrom, "<>\x00\x00", Answer{Code: CodeChangeFrom, Name: view("<>"), Value: View{}}, "", nil},
		{"without end", CodeAddRecipient, "<a>", Answer{}, "address", ErrMissingNull},
		{"without end", CodeDeleteRecipient, "<a>", Answer{}, "address", ErrMissingNull},
		{"no params", CodeAddRecipientParams, "<a>\x00", Answer{}, "params", ErrMissingNull},
		{"without end", CodeQuarantine, "virus", Answer{}, "reason", ErrMissingNull},
		{"any bytes", CodeReplaceBody, "\x00\xff", Answer{Code: CodeReplaceBody, Value: view("\x00\xff")}, "", nil},

		{"no packet of its own", CodeSymbolList, "\x00", Answer{}, "", ErrUnexpectedCommand},
		{"a command", CodeHelo, "x\x00", Answer{}, "", ErrUnexpectedCommand},
		{"highest byte", 0xff, "", Answer{}, "", ErrUnexpectedCommand},
	}
	for _, tt := range tests {
		t.Run(tt.code.String()+"/"+tt.name, func(t *testing.T) {
			got, err := DecodeAnswer(tt.code, View(tt.body))
			checkDecodeError(t, err, tt.code, tt.field, tt.err)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestDecodeAnswerPrefix gives the decoder every beginning of every answer: only
// those that are an answer as well are taken.
func TestDecodeAnswerPrefix(t *testing.T) {
	alsoWhole := map[string][]int{ // lengths of payload
		"agreement-macros":   {12, 32, 38}, // after the options, and after each list
		"change-from-params": {18},
		"replace-body":       {0, 1, 2, 3, 4},
	}
	for _, tt := range answerVectors {
		code, body := openPacket(t, vector(t, tt.name))
		for n := range body {
			_, err := DecodeAnswer(code, body[:n:n])
			want := false
			for _, whole := range alsoWhole[tt.name] {
				want = want || n == whole
			}
			if (err == nil) != want {
				t.Errorf("%s: %q: error %v", tt.name, body[:n], err)
			}
		}
	}
}

// TestAnswerStatus has every answer: whether the MTA waits on after it, and the
// status it stands for.
func TestAnswerStatus(t *testing.T) {
	statuses := map[string]Status{
		"continue": StatusContinue, "accept": StatusAccept, "reject": StatusReject, "tempfail": StatusTempFail,
		"discard": StatusDiscard, "skip": StatusSkip, "reply-text": StatusReject, "reply-text-lines": StatusTempFail,
		"reply-text-percent": StatusReject, "reply-text-code": StatusReject, "reply-text-enhanced": StatusReject,
		"reply-text-digit": StatusReject,
	}
	for _, tt := range answerVectors {
		a := tt.want
		want := statuses[tt.name]
		if got := a.Status(); got != want {
			t.Errorf("%s stands for %v, want %v", tt.name, got, want)
		}
		if got := a.IsFinal(); got != (want != StatusDefault || a.Code == CodeNegotiate) {
			t.Errorf("%s: IsFinal is %v", tt.name, got)
		}
	}
	for text, want := range map[string]Status{"": StatusReject, "4": StatusTempFail, "5": StatusReject} {
		if a := (Answer{Code: CodeReplyText, Name: view(text)}); a.Status() != want {
			t.Errorf("text %q stands for %v, want %v", text, a.Status(), want)
		}
	}
	if a := (Answer{Code: CodeQuarantine, Name: view("4 viruses")}); a.Status() != StatusDefault {
		t.Errorf("quarantine stands for %v", a.Status())
	}
	for _, code := range []Code{0, 'z', 0xff} {
		if a := (Answer{Code: code}); a.IsFinal() || a.Status() != StatusDefault {
			t.Errorf("%v is final: %v, %v", code, a.IsFinal(), a.Status())
		}
	}
}

func TestAnswerClone(t *testing.T) {
	for _, tt := range answerVectors {
		packet := vector(t, tt.name)
		a, err := DecodeAnswer(openPacket(t, packet))
		if err != nil {
			t.Fatal(err)
		}
		clone := a.Clone()
		copy(packet, bytes.Repeat([]byte("#"), len(packet)))
		for _, names := range a.Macros {
			for i := range names {
				names[i] = "changed"
			}
		}
		if !reflect.DeepEqual(clone, tt.want) {
			t.Errorf("%s: clone has changed with the packet: %+v", tt.name, clone)
		}
	}
}
