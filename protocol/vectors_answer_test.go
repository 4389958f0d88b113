package protocol

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// reply returns an encoder of Reject, or TempFail for a code of 4xx, with a text.
func reply(code int, enhanced string, lines ...string) func([]byte) ([]byte, error) {
	return func(dst []byte) ([]byte, error) {
		text, err := NewSMTPReply(code, enhanced, lines...)
		if err != nil {
			return dst, err
		}
		if code < 500 {
			return AppendReply(dst, StatusTempFail, text), nil
		}
		return AppendReply(dst, StatusReject, text), nil
	}
}

// status returns an encoder of a status without a text.
func status(s Status) func([]byte) ([]byte, error) {
	return func(dst []byte) ([]byte, error) { return AppendReply(dst, s, nil), nil }
}

// sure returns an encoder that cannot fail.
func sure(appendTo func([]byte) []byte) func([]byte) ([]byte, error) {
	return func(dst []byte) ([]byte, error) { return appendTo(dst), nil }
}

// allEvents is what a milter asks for that takes all events and answers them.
var allEvents = Request{Actions: ActionsAll, Steps: StepSkip}

// agreement returns an encoder of the answer to an offer of the vectors.
func agreement(offer Options, req Request) func([]byte) ([]byte, error) {
	return func(dst []byte) ([]byte, error) {
		a, err := Agree(offer, req)
		return a.Append(dst), err
	}
}

// withLists asks for macros at several stages.
var withLists = Agreement{
	Wire: Options{6, ActionAddHeaders | ActionSetSymbolList, StepSkip | StepNoBody | StepNoHeaders | StepNoReplyHeader},
	Macros: MacroLists{
		StageHelo: {"j", "tls_version"}, StageEndOfMessage: {"i"}, StageEndOfHeader: {},
	},
}

// answerVectors says what the answers of testdata/vectors.txt mean.
var answerVectors = []struct {
	name   string
	encode func(dst []byte) ([]byte, error)
	want   Answer
}{
	{"continue", status(StatusContinue), Answer{Code: CodeContinue}},
	{"accept", status(StatusAccept), Answer{Code: CodeAccept}},
	{"reject", status(StatusReject), Answer{Code: CodeReject}},
	{"tempfail", status(StatusTempFail), Answer{Code: CodeTempFail}},
	{"discard", status(StatusDiscard), Answer{Code: CodeDiscard}},
	{"skip", status(StatusSkip), Answer{Code: CodeSkip}},
	{"progress", sure(AppendProgress), Answer{Code: CodeProgress}},
	{"shutdown", sure(AppendShutdown), Answer{Code: CodeShutdown}},
	{"connection-failure", sure(AppendConnectionFailure), Answer{Code: CodeConnectionFailure}},
	{"reply-text", reply(550, "5.7.1", "No thanks"), Answer{Code: CodeReplyText, Name: view("550 5.7.1 No thanks")}},
	{
		"reply-text-lines", reply(451, "4.7.1", "try", "later"),
		Answer{Code: CodeReplyText, Name: view("451-4.7.1 try\r\n451 4.7.1 later")},
	},
	{"reply-text-percent", reply(550, "5.7.1", "100% spam"), Answer{Code: CodeReplyText, Name: view("550 5.7.1 100% spam")}},
	{"reply-text-code", reply(550, ""), Answer{Code: CodeReplyText, Name: view("550 ")}},
	{"reply-text-enhanced", reply(550, "5.7.1"), Answer{Code: CodeReplyText, Name: view("550 5.7.1")}},
	{"reply-text-digit", reply(550, "", "3 strikes"), Answer{Code: CodeReplyText, Name: view("550 5.0.0 3 strikes")}},
	{
		"add-header", func(dst []byte) ([]byte, error) { return AppendAddHeader(dst, "X-Spam", "no") },
		Answer{Code: CodeAddHeader, Name: view("X-Spam"), Value: view("no")},
	},
	{
		"insert-header", func(dst []byte) ([]byte, error) { return AppendInsertHeader(dst, 0, "X-First", "see me") },
		Answer{Code: CodeInsertHeader, Name: view("X-First"), Value: view("see me")},
	},
	{
		"change-header", func(dst []byte) ([]byte, error) { return AppendChangeHeader(dst, "Subject", 1, "[x] hi there") },
		Answer{Code: CodeChangeHeader, Index: 1, Name: view("Subject"), Value: view("[x] hi there")},
	},
	{
		"delete-header", func(dst []byte) ([]byte, error) { return AppendChangeHeader(dst, "X-Old", 2, "") },
		Answer{Code: CodeChangeHeader, Index: 2, Name: view("X-Old"), Value: View{}},
	},
	{
		"change-from", func(dst []byte) ([]byte, error) { return AppendChangeFrom(dst, "<new@example.com>") },
		Answer{Code: CodeChangeFrom, Name: view("<new@example.com>")},
	},
	{
		"change-from-params", func(dst []byte) ([]byte, error) { return AppendChangeFrom(dst, "<new@example.com>", "SIZE=99") },
		Answer{Code: CodeChangeFrom, Name: view("<new@example.com>"), Value: view("SIZE=99")},
	},
	{
		"add-recipient", func(dst []byte) ([]byte, error) { return AppendAddRecipient(dst, "<d@example.net>") },
		Answer{Code: CodeAddRecipient, Name: view("<d@example.net>")},
	},
	{
		"add-recipient-params",
		func(dst []byte) ([]byte, error) { return AppendAddRecipient(dst, "<d@example.net>", "NOTIFY=NEVER") },
		Answer{Code: CodeAddRecipientParams, Name: view("<d@example.net>"), Value: view("NOTIFY=NEVER")},
	},
	{
		"delete-recipient", func(dst []byte) ([]byte, error) { return AppendDeleteRecipient(dst, "<b@example.net>") },
		Answer{Code: CodeDeleteRecipient, Name: view("<b@example.net>")},
	},
	{
		"replace-body", sure(func(dst []byte) []byte { return AppendReplaceBody(dst, []byte("New\r\n")) }),
		Answer{Code: CodeReplaceBody, Value: view("New\r\n")},
	},
	{
		"replace-body-empty", sure(func(dst []byte) []byte { return AppendReplaceBody(dst, nil) }),
		Answer{Code: CodeReplaceBody, Value: View{}},
	},
	{
		"quarantine", func(dst []byte) ([]byte, error) { return AppendQuarantine(dst, "virus") },
		Answer{Code: CodeQuarantine, Name: view("virus")},
	},
	{
		"agreement", agreement(Options{6, ActionsAll, StepsAll}, allEvents),
		Answer{Code: CodeNegotiate, Offer: Options{6, ActionsAll, StepSkip}},
	},
	{
		"agreement-macros", sure(withLists.Append),
		Answer{Code: CodeNegotiate, Offer: withLists.Wire, Macros: MacroLists{
			StageHelo: {"j", "tls_version"}, StageEndOfMessage: {"i"}, StageEndOfHeader: {},
		}},
	},
	{
		"agreement-version-2", agreement(Options{2, 0, 0}, fewEvents),
		Answer{Code: CodeNegotiate, Offer: Options{2, ActionAddHeaders, 0x13}},
	},
	{
		"agreement-256k", agreement(Options{6, ActionsAll, StepsAll | StepMaxData256K}, allEvents),
		Answer{Code: CodeNegotiate, Offer: Options{6, ActionsAll, StepSkip | StepMaxData256K}},
	},
}

func TestAnswerVectors(t *testing.T) {
	for _, tt := range answerVectors {
		t.Run(tt.name, func(t *testing.T) {
			packet := vector(t, tt.name)
			b, err := tt.encode([]byte("before"))
			if err != nil || string(b) != "before"+string(packet) {
				t.Errorf("encoded %q, error %v; want %q", b, err, packet)
			}
			got, err := DecodeAnswer(openPacket(t, packet))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("decoded %+v, error %v; want %+v", got, err, tt.want)
			}
		})
	}
}

// TestChangesVector builds what leaves together at the end of a message.
func TestChangesVector(t *testing.T) {
	b, err := AppendAddHeader(nil, "X-Spam", "no")
	if err != nil {
		t.Fatal(err)
	}
	if b, err = AppendQuarantine(b, "virus"); err != nil {
		t.Fatal(err)
	}
	b = AppendReply(b, StatusContinue, nil)
	if want := vector(t, "changes"); !bytes.Equal(b, want) {
		t.Errorf("%q, want %q", b, want)
	}
}

// TestReplaceBodyVector builds a body that does not fit into one packet.
func TestReplaceBodyVector(t *testing.T) {
	body := strings.Repeat("x", 70000)
	want := "\x00\x01\x00\x00b" + body[:65535] + "\x00\x00\x11\x72b" + body[65535:]
	if got := string(AppendReplaceBody(nil, []byte(body))); got != want {
		t.Errorf("%d bytes that begin with %q, want %d", len(got), got[:5], len(want))
	}
}
