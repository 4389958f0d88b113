package protocol

import "testing"

func TestActionBits(t *testing.T) {
	tests := []struct {
		action Actions
		bit    Actions
		name   string
		codes  []Code // the changes that need it
	}{
		{ActionAddHeaders, 0x001, "add-headers", []Code{CodeAddHeader, CodeInsertHeader}},
		{ActionChangeBody, 0x002, "change-body", []Code{CodeReplaceBody}},
		{ActionAddRecipient, 0x004, "add-recipient", []Code{CodeAddRecipient}},
		{ActionDeleteRecipient, 0x008, "delete-recipient", []Code{CodeDeleteRecipient}},
		{ActionChangeHeaders, 0x010, "change-headers", []Code{CodeChangeHeader}},
		{ActionQuarantine, 0x020, "quarantine", []Code{CodeQuarantine}},
		{ActionChangeFrom, 0x040, "change-from", []Code{CodeChangeFrom}},
		{ActionAddRecipientWithParams, 0x080, "add-recipient-with-params", []Code{CodeAddRecipientParams}},
		{ActionSetSymbolList, 0x100, "set-symbol-list", nil},
	}
	needs := make(map[Code]Actions)
	var all Actions
	for _, tt := range tests {
		if tt.action != tt.bit || tt.action.String() != tt.name {
			t.Errorf("%v is %#x, want %s %#x", tt.action, uint32(tt.action), tt.name, uint32(tt.bit))
		}
		all |= tt.bit
		for _, c := range tt.codes {
			needs[c] = tt.action
		}
	}
	if ActionsAll != all {
		t.Errorf("ActionsAll is %#x, want %#x", uint32(ActionsAll), uint32(all))
	}
	for c := range 256 {
		if got := ActionFor(Code(c)); got != needs[Code(c)] {
			t.Errorf("%v needs %v, want %v", Code(c), got, needs[Code(c)])
		}
	}
}

func TestStepBits(t *testing.T) {
	tests := []struct {
		step Steps
		bit  Steps
		name string
	}{
		{StepNoConnect, 0x000001, "no-connect"},
		{StepNoHelo, 0x000002, "no-helo"},
		{StepNoMail, 0x000004, "no-mail"},
		{StepNoRcpt, 0x000008, "no-rcpt"},
		{StepNoBody, 0x000010, "no-body"},
		{StepNoHeaders, 0x000020, "no-headers"},
		{StepNoEndOfHeader, 0x000040, "no-end-of-header"},
		{StepNoReplyHeader, 0x000080, "no-reply-header"},
		{StepNoUnknown, 0x000100, "no-unknown"},
		{StepNoData, 0x000200, "no-data"},
		{StepSkip, 0x000400, "skip"},
		{StepRcptRejected, 0x000800, "rcpt-rejected"},
		{StepNoReplyConnect, 0x001000, "no-reply-connect"},
		{StepNoReplyHelo, 0x002000, "no-reply-helo"},
		{StepNoReplyMail, 0x004000, "no-reply-mail"},
		{StepNoReplyRcpt, 0x008000, "no-reply-rcpt"},
		{StepNoReplyData, 0x010000, "no-reply-data"},
		{StepNoReplyUnknown, 0x020000, "no-reply-unknown"},
		{StepNoReplyEndOfHeader, 0x040000, "no-reply-end-of-header"},
		{StepNoReplyBody, 0x080000, "no-reply-body"},
		{StepHeaderLeadingSpace, 0x100000, "header-leading-space"},
		{StepMaxData256K, 0x10000000, "max-data-256k"},
		{StepMaxData1M, 0x20000000, "max-data-1m"},
		{1 << 21, 0x200000, "0x200000"},
		{1 << 31, 0x80000000, "0x80000000"},
	}
	for _, tt := range tests {
		if tt.step != tt.bit || tt.step.String() != tt.name {
			t.Errorf("%v is %#x, want %s %#x", tt.step, uint32(tt.step), tt.name, uint32(tt.bit))
		}
	}
	masks := []struct {
		name      string
		got, want Steps
	}{
		{"StepNoEventMask", StepNoEventMask, 0x37f},
		{"StepNoReplyMask", StepNoReplyMask, 0xff080},
		{"StepYesMask", StepYesMask, 0x100c00},
		{"StepsAll", StepsAll, 0x1fffff},
		{"together", StepNoEventMask | StepNoReplyMask | StepYesMask, StepsAll},
	}
	for _, m := range masks {
		if m.got != m.want {
			t.Errorf("%s is %#x, want %#x", m.name, uint32(m.got), uint32(m.want))
		}
	}
}

// TestStepsOfCode checks, for every code, the step with which it is not sent and
// the one with which it is not answered.
func TestStepsOfCode(t *testing.T) {
	want := map[Code][2]Steps{
		'C': {0x000001, 0x001000},
		'H': {0x000002, 0x002000},
		'M': {0x000004, 0x004000},
		'R': {0x000008, 0x008000},
		'B': {0x000010, 0x080000},
		'L': {0x000020, 0x000080},
		'N': {0x000040, 0x040000},
		'U': {0x000100, 0x020000},
		'T': {0x000200, 0x010000},
	}
	for c := range 256 {
		got := [2]Steps{NoEvent(Code(c)), NoReply(Code(c))}
		if got != want[Code(c)] {
			t.Errorf("%v: %v, want %v", Code(c), got, want[Code(c)])
		}
	}
}

func TestBitNames(t *testing.T) {
	tests := []struct{ got, want string }{
		{Actions(0).String(), "none"},
		{(ActionAddHeaders | ActionQuarantine).String(), "add-headers|quarantine"},
		{Actions(1<<9 | 1).String(), "add-headers|0x200"},
		{Steps(0).String(), "none"},
		{(StepSkip | StepNoMail | StepMaxData1M).String(), "no-mail|skip|max-data-1m"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func TestHas(t *testing.T) {
	a, s := ActionAddHeaders|ActionChangeBody, StepSkip|StepNoMail
	if !a.Has(0) || !a.Has(ActionChangeBody) || !a.Has(a) || a.Has(ActionChangeBody|ActionQuarantine) || a.Has(ActionQuarantine) {
		t.Errorf("%v: Has is wrong", a)
	}
	if !s.Has(0) || !s.Has(StepNoMail) || !s.Has(s) || s.Has(StepNoMail|StepNoHelo) || s.Has(StepNoHelo) {
		t.Errorf("%v: Has is wrong", s)
	}
}

func TestNormal(t *testing.T) {
	tests := []struct{ offer, want Options }{
		{Options{2, 0, 0}, Options{2, 0x0f, 0x3f}},
		{Options{2, 1, 0}, Options{2, 1, 0x3f}},
		{Options{2, 0, 1}, Options{2, 0x0f, 1}},
		{Options{6, 0x1ff, 0xf01fffff}, Options{6, 0x1ff, 0x301fffff}},
	}
	for _, tt := range tests {
		if got := tt.offer.Normal(); got != tt.want {
			t.Errorf("%+v is meant as %+v, want %+v", tt.offer, got, tt.want)
		}
	}
}

func TestStage(t *testing.T) {
	want := []string{"connect", "helo", "envelope-from", "envelope-recipient", "data", "end-of-message", "end-of-header"}
	if NumStages != len(want) {
		t.Errorf("%d stages, want %d", NumStages, len(want))
	}
	for i, name := range want {
		if got := Stage(i).String(); got != name {
			t.Errorf("stage %d is %q, want %q", i, got, name)
		}
	}
	if got := Stage(NumStages).String(); got != "unknown" {
		t.Errorf("a stage too many is %q", got)
	}
	if StageEndOfMessage != 5 || StageEndOfHeader != 6 {
		t.Error("end-of-message comes before end-of-header on the wire")
	}
}

func TestMaxChunk(t *testing.T) {
	for steps, want := range map[Steps]int{
		0: 65535, StepMaxData256K: 256<<10 - 1, StepMaxData1M: 1<<20 - 1, StepMaxData256K | StepMaxData1M: 1<<20 - 1,
	} {
		if got := steps.MaxChunk(); got != want {
			t.Errorf("%v: %d bytes, want %d", steps, got, want)
		}
	}
}
