package protocol

import (
	"errors"
	"reflect"
	"testing"
)

// Two more requests, as they follow from what a milter takes.
var (
	// fewEvents answers envelope-from, envelope-recipient, header and
	// end-of-message.
	fewEvents = Request{
		Actions: ActionAddHeaders,
		Steps:   StepNoConnect | StepNoHelo | StepNoBody | StepNoEndOfHeader | StepNoUnknown | StepNoData | StepSkip,
	}
	// watchesOnly watches header and body, and answers end-of-message.
	watchesOnly = Request{
		Actions: ActionsAll,
		Steps: StepNoConnect | StepNoHelo | StepNoRcpt | StepNoEndOfHeader | StepNoUnknown | StepNoData | StepSkip |
			StepNoReplyHeader | StepNoReplyMail | StepNoReplyBody,
	}
)

// TestAgreeMTAs negotiates with MTAs of all ages.
func TestAgreeMTAs(t *testing.T) {
	tests := []struct {
		name    string
		offer   Options
		req     Request
		wire    Options
		granted Steps
	}{
		{"all events, of today", Options{6, 0x1ff, 0x1fffff}, allEvents, Options{6, 0x1ff, 0x400}, 0x400},
		{"few events, of today", Options{6, 0x1ff, 0x1fffff}, fewEvents, Options{6, 0x001, 0x753}, 0x753},
		{"few events, version 4", Options{4, 0x3f, 0x37f}, fewEvents, Options{4, 0x001, 0x353}, 0x753},
		{"all events, version 2", Options{2, 0x3f, 0x7f}, allEvents, Options{2, 0x03f, 0x000}, 0x400},
		{"few events, version 2", Options{2, 0x3f, 0x7f}, fewEvents, Options{2, 0x001, 0x053}, 0x753},
		{"few events, no flags", Options{2, 0, 0}, fewEvents, Options{2, 0x001, 0x013}, 0x753},
		{"all events, no flags", Options{2, 0, 0}, allEvents, Options{2, 0x00f, 0x000}, 0x400},
		{"all events, of tomorrow", Options{7, 0x1ff, 0x1fffff}, allEvents, Options{6, 0x1ff, 0x400}, 0x400},
		{"all events, version that nobody used", Options{5, 0x1ff, 0x1fffff}, allEvents, Options{5, 0x1ff, 0x400}, 0x400},
		{"all events, highest version", Options{1<<32 - 1, 0x1ff, 0x1fffff}, allEvents, Options{6, 0x1ff, 0x400}, 0x400},
		{"packets of 256K", Options{6, 0x1ff, 0x101fffff}, allEvents, Options{6, 0x1ff, 0x10000400}, 0x10000400},
		{"packets of 1M", Options{6, 0x1ff, 0x201fffff}, allEvents, Options{6, 0x1ff, 0x20000400}, 0x20000400},
		{"packets of both sizes", Options{6, 0x1ff, 0x301fffff}, allEvents, Options{6, 0x1ff, 0x20000400}, 0x20000400},
		{"watches, of today", Options{6, 0x1ff, 0x1fffff}, watchesOnly, Options{6, 0x1ff, 0x847cb}, 0x847cb},
		{"watches, version 2", Options{2, 0x3f, 0x7f}, watchesOnly, Options{2, 0x03f, 0x4b}, 0x847cb},
		{"old with an action of version 6", Options{2, 0x13f, 0x7f}, allEvents, Options{2, 0x13f, 0x000}, 0x400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := Agree(tt.offer, tt.req)
			if err != nil {
				t.Fatal(err)
			}
			granted := tt.wire
			granted.Steps = tt.granted
			if a.Wire != tt.wire || a.Granted != granted {
				t.Errorf("wire %+v, granted %+v; want %+v, %+v", a.Wire, a.Granted, tt.wire, granted)
			}
			answer, err := DecodeAnswer(openPacket(t, a.Append(nil)))
			if err != nil || answer.Offer != tt.wire || !answer.Macros.Empty() {
				t.Errorf("the MTA reads %+v, error %v; want %+v and no macros", answer, err, tt.wire)
			}
		})
	}
}

func TestAgreeRefuses(t *testing.T) {
	changesFrom := Request{Actions: ActionsAll, Required: ActionChangeFrom}
	tests := []struct {
		name    string
		offer   Options
		req     Request
		err     error
		missing Actions
		text    string
	}{
		{"version 1", Options{1, 0x1ff, 0x1fffff}, allEvents, ErrVersionTooOld, 0, "milter: negotiation failed: protocol version too old: 1"},
		{"version 0", Options{0, 0, 0}, allEvents, ErrVersionTooOld, 0, "milter: negotiation failed: protocol version too old: 0"},
		{
			"required",
			Options{6, 0x03f, 0x1fffff},
			changesFrom, ErrActionNotOffered, ActionChangeFrom,
			"milter: negotiation failed: required action not offered: change-from",
		},
		{
			"one of two required",
			Options{2, 0, 0},
			Request{Required: ActionAddHeaders | ActionQuarantine},
			ErrActionNotOffered,
			ActionQuarantine, "milter: negotiation failed: required action not offered: quarantine",
		},
		{
			"macros required",
			Options{6, 0x0ff, 0x1fffff},
			Request{Required: ActionSetSymbolList},
			ErrActionNotOffered,
			ActionSetSymbolList, "milter: negotiation failed: required action not offered: set-symbol-list",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := Agree(tt.offer, tt.req)
			var failed *NegotiationError
			if !errors.As(err, &failed) || !errors.Is(err, tt.err) || failed.Missing != tt.missing {
				t.Fatalf("error %#v, want %v", err, tt.err)
			}
			if err.Error() != tt.text {
				t.Errorf("text %q, want %q", err, tt.text)
			}
			if failed.Offer.Version != tt.offer.Version || !reflect.DeepEqual(a, Agreement{}) {
				t.Errorf("offer %+v, agreement %+v", failed.Offer, a)
			}
		})
	}
}

// TestAgreeRequired checks that what is required is asked for, and that what is
// merely wanted is left out where it is not offered.
func TestAgreeRequired(t *testing.T) {
	a, err := Agree(Options{6, ActionChangeBody | ActionQuarantine, 0}, Request{Actions: ActionAddHeaders | ActionQuarantine, Required: ActionChangeBody})
	if want := ActionChangeBody | ActionQuarantine; err != nil || a.Wire.Actions != want || a.Granted.Actions != want {
		t.Errorf("wire %v, granted %v, error %v; want %v", a.Wire.Actions, a.Granted.Actions, err, want)
	}
}

// TestAgreeSteps has, bit by bit, what becomes of a step that is asked for.
func TestAgreeSteps(t *testing.T) {
	madeUp := StepNoEventMask | StepNoReplyMask | StepSkip // kept without an offer
	for bit := range 32 {
		step := Steps(1) << bit
		known := StepsAll.Has(step)
		isSize := step == StepMaxData256K || step == StepMaxData1M
		tests := []struct {
			name          string
			offer         Steps
			wire, granted bool
		}{
			{"offered", 1<<32 - 1, known || step == StepMaxData1M, known || step == StepMaxData1M},
			{"only one offered", step, known || isSize, known || isSize},
			{"not offered", ^step, false, madeUp.Has(step)},
		}
		for _, tt := range tests {
			a, err := Agree(Options{6, ActionsAll, tt.offer}, Request{Steps: step})
			if err != nil {
				t.Fatal(err)
			}
			if a.Wire.Steps.Has(step) != tt.wire || a.Granted.Steps.Has(step) != tt.granted {
				t.Errorf("%v, %s: wire %v, granted %v; want %v, %v", step, tt.name, a.Wire.Steps, a.Granted.Steps, tt.wire, tt.granted)
			}
			if extra := a.Wire.Steps &^ (Options{Steps: tt.offer}.Normal().Steps & (step | StepMaxData256K | StepMaxData1M)); extra != 0 {
				t.Errorf("%v, %s: %v is on the wire too", step, tt.name, extra)
			}
		}
	}
}
