package handlers_test

import (
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// everything answers every event.
var everything = handlers.Chain(every,
	handlers.On(pass[*handlers.Negotiation]), handlers.On(pass[*protocol.Connect]), handlers.On(pass[*protocol.Helo]),
	handlers.On(pass[*protocol.Unknown]), handlers.On(pass[*handlers.Abort]))

// What MTAs of several ages are told for three filters.
func TestAgreementOfWants(t *testing.T) {
	small := handlers.Chain(
		handlers.On(pass[*protocol.MailFrom]), handlers.On(pass[*protocol.RcptTo]),
		handlers.On(pass[*protocol.Header]), handlers.On(pass[*handlers.Message]))
	watch := handlers.Chain(
		handlers.Observe(func(*handlers.Session, *protocol.Header) {}),
		handlers.Observe(func(*handlers.Session, *protocol.Body) {}),
		handlers.On(pass[*handlers.Message]))
	type options = protocol.Options
	tests := []struct {
		name    string
		handler handlers.Handler
		actions protocol.Actions
		offer   options
		want    options
	}{
		{"all", everything, 0x1ff, options{Version: 6, Actions: 0x1ff, Steps: 0x1fffff}, options{Version: 6, Actions: 0x1ff, Steps: 0x400}},
		{"small", small, 0x001, options{Version: 6, Actions: 0x1ff, Steps: 0x1fffff}, options{Version: 6, Actions: 1, Steps: 0x753}},
		{"small", small, 0x001, options{Version: 4, Actions: 0x3f, Steps: 0x37f}, options{Version: 4, Actions: 1, Steps: 0x353}},
		{"all", everything, 0x1ff, options{Version: 2, Actions: 0x3f, Steps: 0x7f}, options{Version: 2, Actions: 0x3f}},
		{"small", small, 0x001, options{Version: 2, Actions: 0x3f, Steps: 0x7f}, options{Version: 2, Actions: 1, Steps: 0x53}},
		{"small", small, 0x001, options{Version: 2}, options{Version: 2, Actions: 1, Steps: 0x13}},
		{"all", everything, 0x1ff, options{Version: 7, Actions: 0x1ff, Steps: 0x1fffff}, options{Version: 6, Actions: 0x1ff, Steps: 0x400}},
		{"all", everything, 0x1ff, options{Version: 6, Actions: 0x1ff, Steps: 0x101fffff}, options{Version: 6, Actions: 0x1ff, Steps: 0x10000400}},
		{"all", everything, 0x1ff, options{Version: 6, Actions: 0x1ff, Steps: 0x301fffff}, options{Version: 6, Actions: 0x1ff, Steps: 0x20000400}},
		{"watch", watch, 0x1ff, options{Version: 6, Actions: 0x1ff, Steps: 0x1fffff}, options{Version: 6, Actions: 0x1ff, Steps: 0x847cb}},
		{"watch", watch, 0x03f, options{Version: 2, Actions: 0x3f, Steps: 0x7f}, options{Version: 2, Actions: 0x3f, Steps: 0x4b}},
	}
	for _, tt := range tests {
		got, err := protocol.Agree(tt.offer, protocol.Request{Actions: tt.actions, Steps: tt.handler.Wants().Steps()})
		if err != nil || got.Wire != tt.want {
			t.Errorf("%s to %+v: %+v, error %v; want %+v", tt.name, tt.offer, got.Wire, err, tt.want)
		}
	}
}

func TestSteps(t *testing.T) {
	const (
		noMail   = protocol.StepNoReplyMail
		anyReply = protocol.StepNoReplyMask
	)
	watchHeader := handlers.Observe(func(*handlers.Session, *protocol.Header) {})
	watchResult := handlers.Observe(func(*handlers.Session, *handlers.Result) {})
	watchAbort := handlers.Observe(func(*handlers.Session, *handlers.Abort) {})
	watchMacro := handlers.Observe(func(*handlers.Session, *protocol.Macro) {})
	watchResponse := handlers.Observe(func(*handlers.Session, *handlers.Response) {})
	watchFinished := handlers.Observe(func(*handlers.Session, *handlers.Finished) {})
	tests := []struct {
		name    string
		handler handlers.Handler
		with    protocol.Steps
		without protocol.Steps
	}{
		{name: "nothing", handler: handlers.Chain(), with: protocol.StepNoEventMask&^protocol.StepNoMail | noMail | protocol.StepSkip, without: protocol.StepNoMail},
		{name: "answered", handler: handlers.On(pass[*protocol.Header]), without: protocol.StepNoHeaders | protocol.StepNoReplyHeader},
		{name: "observed", handler: watchHeader, with: protocol.StepNoReplyHeader, without: protocol.StepNoHeaders},
		{name: "needed", handler: handlers.Need(handlers.KindHeader), with: protocol.StepNoReplyHeader, without: protocol.StepNoHeaders},
		{
			name: "observed and answered", handler: handlers.Chain(watchHeader, handlers.On(pass[*protocol.Header])),
			without: protocol.StepNoHeaders | protocol.StepNoReplyHeader,
		},
		{name: "observed off the loop", handler: handlers.Blocking(watchHeader), without: protocol.StepNoHeaders | protocol.StepNoReplyHeader},
		{
			name: "needed off the loop", handler: handlers.Blocking(handlers.Chain(handlers.Need(handlers.KindHeader), watchResult)),
			with: protocol.StepNoReplyHeader, without: protocol.StepNoHeaders,
		},
		{
			name: "observed off the loop in a chain", handler: handlers.Chain(handlers.Blocking(watchHeader), handlers.On(pass[*protocol.Helo])),
			without: protocol.StepNoReplyHeader,
		},
		{name: "mail is answered", handler: handlers.On(pass[*protocol.MailFrom]), without: noMail | protocol.StepNoMail},
		{name: "abort is answered", handler: handlers.On(pass[*handlers.Abort]), without: noMail, with: protocol.StepNoHelo},
		{name: "abort is observed", handler: watchAbort, with: noMail},
		{name: "abort is observed off the loop", handler: handlers.Blocking(watchAbort), without: noMail},
		{name: "results", handler: watchResult, with: noMail},
		{name: "results off the loop", handler: handlers.Chain(watchHeader, handlers.Blocking(watchResult)), with: protocol.StepNoReplyHeader, without: noMail},
		{name: "macros", handler: handlers.Chain(watchHeader, watchMacro), with: noMail | protocol.StepNoReplyHeader},
		{name: "macros off the loop", handler: handlers.Chain(watchHeader, handlers.Blocking(watchMacro)), without: anyReply},
		{name: "responses", handler: handlers.Chain(watchHeader, watchResponse), with: noMail | protocol.StepNoReplyHeader},
		{name: "responses off the loop", handler: handlers.Chain(watchHeader, handlers.Blocking(watchResponse)), without: anyReply},
		{name: "the end off the loop", handler: handlers.Blocking(watchFinished), with: noMail},
	}
	for _, tt := range tests {
		got := tt.handler.Wants().Steps()
		if missing := tt.with &^ got; missing != 0 {
			t.Errorf("%s: %v is missing", tt.name, missing)
		}
		if extra := tt.without & got; extra != 0 {
			t.Errorf("%s: %v is too much", tt.name, extra)
		}
	}
}
