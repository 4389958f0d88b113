package protocol

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// sentinels are all errors of the package, each with those it is besides itself.
var sentinels = []struct {
	name string
	err  error
	is   []error
}{
	{"ErrProtocol", ErrProtocol, nil},
	{"ErrPacketEmpty", ErrPacketEmpty, []error{ErrProtocol}},
	{"ErrPacketTooLarge", ErrPacketTooLarge, []error{ErrProtocol}},
	{"ErrShortPacket", ErrShortPacket, []error{ErrProtocol}},
	{"ErrMissingNull", ErrMissingNull, []error{ErrProtocol}},
	{"ErrTooMany", ErrTooMany, []error{ErrProtocol}},
	{"ErrUnexpectedCommand", ErrUnexpectedCommand, []error{ErrProtocol}},
	{"ErrUnknownFamily", ErrUnknownFamily, []error{ErrProtocol}},
	{"ErrInvalidAddress", ErrInvalidAddress, []error{ErrProtocol}},
	{"ErrUnexpectedEnd", ErrUnexpectedEnd, []error{ErrProtocol, io.ErrUnexpectedEOF}},
	{"ErrSequence", ErrSequence, []error{ErrProtocol, ErrInvalidState}},
	{"ErrNegotiation", ErrNegotiation, nil},
	{"ErrVersionTooOld", ErrVersionTooOld, []error{ErrNegotiation}},
	{"ErrActionNotOffered", ErrActionNotOffered, []error{ErrNegotiation}},
	{"ErrInvalidCode", ErrInvalidCode, nil},
	{"ErrInvalidState", ErrInvalidState, nil},
	{"ErrInvalidAction", ErrInvalidAction, nil},
	{"ErrEmpty", ErrEmpty, nil},
	{"ErrInvalidArgument", ErrInvalidArgument, nil},
	{"ErrStatusNotAllowed", ErrStatusNotAllowed, nil},
	{"io.ErrUnexpectedEOF", io.ErrUnexpectedEOF, nil},
}

// TestErrorsIs compares each error with each.
func TestErrorsIs(t *testing.T) {
	for _, a := range sentinels {
		for _, b := range sentinels {
			want := a.name == b.name || slices.Contains(a.is, b.err)
			if got := errors.Is(a.err, b.err); got != want {
				t.Errorf("%s is %s: %v", a.name, b.name, got)
			}
		}
	}
}

// TestErrorText checks that the text of an error is for people.
func TestErrorText(t *testing.T) {
	for _, s := range sentinels {
		if strings.HasPrefix(s.name, "Err") { // not one of another package
			checkErrorText(t, s.err)
		}
	}
}

func checkErrorText(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	rest, ok := strings.CutPrefix(text, "milter: ")
	if !ok || strings.Contains(rest, "milter: ") || strings.ContainsAny(text, "\n!%") || strings.HasSuffix(text, ".") {
		t.Errorf("text %q", text)
	}
}

// typedErrors are values of all error types of the package, and the sentinels that
// they are.
var typedErrors = []struct {
	err  error
	is   []error
	text string
}{
	{
		&DecodeError{CodeConnect, "port", ErrShortPacket},
		[]error{ErrShortPacket, ErrProtocol},
		"milter: protocol error: packet too short: connect, field port",
	},
	{
		&DecodeError{'z', "", ErrUnexpectedCommand},
		[]error{ErrUnexpectedCommand, ErrProtocol},
		"milter: protocol error: unknown command: 0x7a",
	},
	{
		&StateError{StateStart, CodeConnect},
		[]error{ErrSequence, ErrProtocol, ErrInvalidState},
		"milter: protocol error: command out of order: connect in state start",
	},
	{
		&StatusError{CodeHeader, StatusSkip},
		[]error{ErrStatusNotAllowed},
		"milter: status not allowed: skip to header",
	},
	{
		&NegotiationError{Offer: Options{Version: 1}, Err: ErrVersionTooOld},
		[]error{ErrVersionTooOld, ErrNegotiation},
		"milter: negotiation failed: protocol version too old: 1",
	},
	{
		&NegotiationError{Offer: Options{Version: 6}, Missing: ActionChangeFrom, Err: ErrActionNotOffered},
		[]error{ErrActionNotOffered, ErrNegotiation},
		"milter: negotiation failed: required action not offered: change-from",
	},
	{
		&ArgumentError{CodeAddHeader, "name", ErrEmpty},
		[]error{ErrEmpty},
		"milter: empty argument: name of add-header",
	},
	{
		&ArgumentError{CodeQuarantine, "reason", ErrInvalidArgument},
		[]error{ErrInvalidArgument},
		"milter: invalid argument: reason of quarantine",
	},
}

func TestTypedErrors(t *testing.T) {
	for _, tt := range typedErrors {
		if got := tt.err.Error(); got != tt.text {
			t.Errorf("text %q, want %q", got, tt.text)
		}
		checkErrorText(t, tt.err)
		for _, s := range sentinels {
			if got, want := errors.Is(tt.err, s.err), slices.Contains(tt.is, s.err); got != want {
				t.Errorf("%v is %s: %v", tt.err, s.name, got)
			}
		}
	}
}

// TestErrorsAs takes each typed error out of one that wraps it.
func TestErrorsAs(t *testing.T) {
	as := func(err error) (types []string) {
		if e, ok := errors.AsType[*DecodeError](err); ok && e.Err != nil {
			types = append(types, "decode")
		}
		if e, ok := errors.AsType[*StateError](err); ok && e.Code != 0 {
			types = append(types, "state")
		}
		if e, ok := errors.AsType[*StatusError](err); ok && e.Code != 0 {
			types = append(types, "status")
		}
		if e, ok := errors.AsType[*NegotiationError](err); ok && e.Err != nil {
			types = append(types, "negotiation")
		}
		if e, ok := errors.AsType[*ArgumentError](err); ok && e.Err != nil {
			types = append(types, "argument")
		}
		return types
	}
	want := []string{"decode", "decode", "state", "status", "negotiation", "negotiation", "argument", "argument"}
	for i, tt := range typedErrors {
		wrapped := errors.Join(errors.New("while testing"), tt.err)
		if got := as(wrapped); !slices.Equal(got, []string{want[i]}) {
			t.Errorf("%v is of types %v, want %s", tt.err, got, want[i])
		}
	}
}
