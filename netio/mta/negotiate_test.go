package mta

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"millstream/protocol"
)

func TestNegotiate(t *testing.T) {
	req := protocol.Request{
		Actions: protocol.ActionAddHeaders | protocol.ActionQuarantine,
		Steps:   protocol.StepNoUnknown | protocol.StepNoReplyHeader | protocol.StepSkip,
	}
	req.Macros.Add(protocol.StageMail, "i", "{auth_authen}")
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			f := &filter{wants: req}
			c := f.start(t, pair)
			if c.Options() != (protocol.Options{}) {
				t.Errorf("agreed on %v before the negotiation", c.Options())
			}
			got, lists, err := c.Negotiate(Offer())
			if err != nil {
				t.Fatal(err)
			}
			want := protocol.Options{Version: 6, Actions: req.Actions | protocol.ActionSetSymbolList, Steps: req.Steps}
			if got != want || c.Options() != want {
				t.Errorf("agreed on %v and %v, want %v", got, c.Options(), want)
			}
			if !reflect.DeepEqual(lists, req.Macros) {
				t.Errorf("macros %v, want %v", lists, req.Macros)
			}
		})
	}
}

func TestNegotiateErrors(t *testing.T) {
	lists := protocol.MacroLists{protocol.StageHelo: {"j"}}
	wire := func(o protocol.Options) []byte { return (&protocol.Agreement{Wire: o}).Append(nil) }
	withLists := protocol.Agreement{Wire: protocol.Options{Version: 6, Actions: protocol.ActionSetSymbolList}, Macros: lists}
	noAction := withLists.Append(nil)
	noAction[10], noAction[11], noAction[12] = 0, 0, 0 // the action was granted, but the milter does not say so
	tests := []struct {
		name   string
		offer  protocol.Options
		answer []byte
		err    error
		text   string
	}{
		{"refused", Offer(), answer(protocol.StatusReject), protocol.ErrNegotiation, "the milter answers reject"},
		{"continue", Offer(), answer(protocol.StatusContinue), protocol.ErrNegotiation, "the milter answers continue"},
		{"a change", Offer(), packet(protocol.CodeReplaceBody, ""), protocol.ErrProtocol, "replace-body answers negotiate"},
		{"short", Offer(), packet(protocol.CodeNegotiate, "\x00\x00"), protocol.ErrShortPacket, ""},
		{"newer", protocol.Options{Version: 4}, wire(protocol.Options{Version: 6}), protocol.ErrProtocol, "version 6 asked for, 4 offered"},
		{"too old", Offer(), wire(protocol.Options{Version: 1}), protocol.ErrProtocol, "version 1 asked for"},
		{
			"action",
			protocol.Options{Version: 6, Actions: protocol.ActionAddHeaders},
			wire(protocol.Options{Version: 6, Actions: protocol.ActionAddHeaders | protocol.ActionChangeBody}),
			protocol.ErrProtocol, "change-body asked for, not offered",
		},
		{
			"step", Offer(), wire(protocol.Options{Version: 6, Steps: protocol.StepMaxData1M}),
			protocol.ErrProtocol, "max-data-1m asked for, not offered",
		},
		{"lists", Offer(), noAction, protocol.ErrProtocol, "macros asked for without set-symbol-list"},
		{"lists not offered", protocol.Options{Version: 6, Actions: 1}, withLists.Append(nil), protocol.ErrProtocol, "set-symbol-list asked for"},
		{"more", Offer(), append(wire(protocol.Options{Version: 6}), 0), protocol.ErrProtocol, "1 bytes beside the answer to negotiate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &filter{say: on(protocol.CodeNegotiate, tt.answer)}
			c := f.start(t, socket)
			got, _, err := c.Negotiate(tt.offer)
			if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Negotiate = %v, want %v and %q", err, tt.err, tt.text)
			}
			if got != (protocol.Options{}) || c.Options() != got {
				t.Errorf("agreed on %v", got)
			}
			sameLines(t, f.end(t, c), "negotiate")
		})
	}
}

// An MTA of the first days offers no flags, and means some.
func TestNegotiateWithoutFlags(t *testing.T) {
	f := &filter{wants: protocol.Request{Actions: protocol.ActionAddHeaders, Steps: protocol.StepNoHelo}}
	c := f.start(t, socket)
	got, _, err := c.Negotiate(protocol.Options{Version: 2})
	if want := (protocol.Options{Version: 2, Actions: protocol.ActionAddHeaders, Steps: protocol.StepNoHelo}); err != nil || got != want {
		t.Errorf("agreed on %v, %v; want %v", got, err, want)
	}
}

func TestSendsAndWaits(t *testing.T) {
	v := func(version uint32, s protocol.Steps) protocol.Options {
		return protocol.Options{Version: version, Steps: s}
	}
	tests := []struct {
		agreed       protocol.Options
		code         protocol.Code
		sends, waits bool
	}{
		{protocol.Options{}, protocol.CodeUnknown, true, true},
		{v(2, 0), protocol.CodeUnknown, false, true},
		{v(3, 0), protocol.CodeUnknown, true, true},
		{v(3, 0), protocol.CodeData, false, true},
		{v(4, 0), protocol.CodeData, true, true},
		{v(6, protocol.StepNoData), protocol.CodeData, false, true},
		{v(6, protocol.StepsAll), protocol.CodeConnect, false, false},
		{v(6, protocol.StepsAll), protocol.CodeBody, false, false},
		{v(6, protocol.StepsAll), protocol.CodeEndOfMessage, true, true},
		{v(6, protocol.StepsAll), protocol.CodeNegotiate, true, true},
		{v(6, protocol.StepsAll), protocol.CodeMacro, true, false},
		{v(6, 0), protocol.CodeAbort, true, false},
		{v(6, 0), protocol.CodeQuit, true, false},
		{v(6, 0), protocol.CodeQuitNewConnection, true, false},
		{v(6, protocol.StepNoReplyHeader), protocol.CodeHeader, true, false},
		{v(6, protocol.StepNoReplyHeader), protocol.CodeBody, true, true},
	}
	for _, tt := range tests {
		c := &Conn{terms: Terms{Options: tt.agreed}}
		if sends, waits := c.Sends(tt.code), c.Waits(tt.code); sends != tt.sends || waits != tt.waits {
			t.Errorf("%v with %v: sends %t, waits %t", tt.code, tt.agreed, sends, waits)
		}
	}
}
