package protocol

import (
	"strings"
	"testing"
)

// macroStages are the commands that have macros, oldest first: the order in which
// they come, with unknown at the end.
const macroStages = "CHMRTLNBEU"

// allStages returns macros in which every stage has one of its own, named after
// its letter.
func allStages() *Macros {
	var m Macros
	for _, c := range []Code(macroStages) {
		m.Define(NewMacro(c, "own-"+string(rune(c)), "value of "+c.String()))
	}
	return &m
}

// left returns the letters of the stages that still have their macro.
func left(m *Macros) string {
	var b strings.Builder
	for _, c := range macroStages {
		if value, ok := m.Lookup("own-" + string(c)); ok {
			if value != "value of "+Code(c).String() {
				b.WriteByte('!')
			}
			b.WriteRune(c)
		}
	}
	return b.String()
}

// TestMacroLifetimes has what is left of the macros of all stages after something
// happened.
func TestMacroLifetimes(t *testing.T) {
	arrive := func(c Code) func(*Macros) { return func(m *Macros) { m.Arrive(c) } }
	answered := func(c Code) func(*Macros) { return func(m *Macros) { m.Answered(c) } }
	ended := func(next Code) func(*Macros) { return func(m *Macros) { m.EndMessage(next) } }
	tests := []struct {
		name string
		do   func(*Macros)
		left string
	}{
		{"nothing", func(*Macros) {}, "CHMRTLNBEU"},
		{"reset", (*Macros).Reset, ""},
		{"negotiate arrives", arrive(CodeNegotiate), ""},
		{"connect arrives", arrive(CodeConnect), "C"},
		{"helo arrives", arrive(CodeHelo), "CH"},
		{"envelope-from arrives", arrive(CodeMailFrom), "CHM"},
		{"envelope-recipient arrives", arrive(CodeRcptTo), "CHMR"},
		// Those of unknown are seen while it is looked at, and at no other time.
		{"data arrives", arrive(CodeData), "CHMRTLNBE"},
		{"header arrives", arrive(CodeHeader), "CHMRTLNBE"},
		{"end-of-header arrives", arrive(CodeEndOfHeader), "CHMRTLNBE"},
		{"body arrives", arrive(CodeBody), "CHMRTLNBE"},
		{"end-of-message arrives", arrive(CodeEndOfMessage), "CHMRTLNBE"},
		{"abort arrives", arrive(CodeAbort), "CHMRTLNBE"},
		{"unknown arrives", arrive(CodeUnknown), "CHMRTLNBEU"},
		{"connect answered", answered(CodeConnect), "CHMRTLNBEU"},
		{"helo answered", answered(CodeHelo), "CHMRTLNBEU"},
		{"envelope-from answered", answered(CodeMailFrom), "CHMRTLNBEU"},
		{"envelope-recipient answered", answered(CodeRcptTo), "CHMRTLNBEU"},
		{"data answered", answered(CodeData), "CHMRTLNBEU"},
		{"header answered", answered(CodeHeader), "CHMRTNBEU"},
		{"end-of-header answered", answered(CodeEndOfHeader), "CHMRTLNBEU"},
		{"body answered", answered(CodeBody), "CHMRTLNEU"},
		{"end-of-message answered", answered(CodeEndOfMessage), "CHMRTLNBEU"},
		{"unknown answered", answered(CodeUnknown), "CHMRTLNBE"},
		{"message ended", ended(0), "CHU"},
		{"message ended by envelope-from", ended(CodeMailFrom), "CHMU"},
		{"message ended by envelope-recipient", ended(CodeRcptTo), "CHRU"},
		{"message ended by end-of-message", ended(CodeEndOfMessage), "CHEU"},
		{"message ended by helo", ended(CodeHelo), "CHU"},
		{"message ended by unknown", ended(CodeUnknown), "CHU"},
		{"message ended by abort", ended(CodeAbort), "CHU"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := allStages()
			tt.do(m)
			if got := left(m); got != tt.left {
				t.Errorf("left are %s, want %s", got, tt.left)
			}
			// What is dropped can be defined again, at its place.
			for _, c := range []Code(macroStages) {
				m.Define(NewMacro(c, "own-"+string(rune(c)), "value of "+c.String()))
			}
			if got := left(m); got != macroStages {
				t.Errorf("defined again: %s", got)
			}
		})
	}
}

// TestMacroOrder defines the same name at two stages: the newer one is found, in
// whatever order they were defined.
func TestMacroOrder(t *testing.T) {
	stages := []Code(macroStages)
	for i, older := range stages {
		for _, newer := range stages[i+1:] {
			for _, order := range [][]Code{{older, newer}, {newer, older}} {
				var m Macros
				for _, c := range order {
					m.Define(NewMacro(c, "{name}", c.String(), "only-"+string(rune(c)), "x"))
				}
				if value, ok := m.Lookup("name"); !ok || value != newer.String() {
					t.Errorf("defined at %v: found that of %q, want %v", order, value, newer)
				}
				for _, c := range order {
					if _, ok := m.Lookup("only-" + string(rune(c))); !ok {
						t.Errorf("defined at %v: one of %v is lost", order, c)
					}
				}
			}
		}
	}
}

func TestMacroNames(t *testing.T) {
	tests := []struct {
		pairs  string // as on the wire
		name   string
		value  string
		absent bool
	}{
		{"i\x00x\x00", "i", "x", false},
		{"i\x00x\x00", "{i}", "x", false},
		{"{i}\x00x\x00", "i", "x", false},
		{"{mail_addr}\x00x\x00", "{mail_addr}", "x", false},
		{"mail_addr\x00x\x00", "{mail_addr}", "x", false},
		{"{{i}}\x00x\x00", "{{i}}", "x", false},
		{"{{i}}\x00x\x00", "i", "", true},
		{"I\x00x\x00", "i", "", true},
		{"{i\x00x\x00", "{i", "x", false},
		{"{i\x00x\x00", "i", "", true},
		{"i\x00\x00", "i", "", false},
		{"i\x00first\x00{i}\x00last\x00", "i", "last", false},
		{"i\x00x\x00i\x00\x00", "i", "", false},
		{"\x00x\x00", "", "", true},
		{"{}\x00x\x00", "{}", "", true},
		{"", "i", "", true},
		{"\x00x\x00j\x00y\x00", "j", "y", false},
	}
	for _, tt := range tests {
		var d Decoder
		packet, err := d.Decode(CodeMacro, View("M"+tt.pairs))
		if err != nil {
			t.Fatal(err)
		}
		var m Macros
		m.Define(packet.(*Macro))
		if value, ok := m.Lookup(tt.name); value != tt.value || ok == tt.absent {
			t.Errorf("%q of %q: %q, %v; want %q, %v", tt.name, tt.pairs, value, ok, tt.value, !tt.absent)
		}
	}
}

// TestMacroOwned checks that values do not change with the packet or the next one.
func TestMacroOwned(t *testing.T) {
	packet := NewMacro(CodeMailFrom, "i", "first")
	var m Macros
	m.Define(packet)
	for i := range packet.pairs {
		packet.pairs[i] = '#'
	}
	value, _ := m.Lookup("i")
	m.Define(NewMacro(CodeMailFrom, "i", "later"))
	if value != "first" {
		t.Errorf("value is now %q", value)
	}
}

// TestMacroDefine checks that a packet replaces the set of its stage, and no other.
func TestMacroDefine(t *testing.T) {
	m := allStages()
	m.Define(NewMacro(CodeMailFrom, "other", "x", "longer than before", "much longer than before"))
	if got := left(m); got != "CHRTLNBEU" {
		t.Errorf("left are %s", got)
	}
	m.Define(NewMacro(CodeMailFrom))
	if _, ok := m.Lookup("other"); ok {
		t.Error("an empty set leaves the old one")
	}
	m.Define(NewMacro(CodeAbort, "i", "x"))
	m.Define(NewMacro('z', "i", "x"))
	m.Define(NewMacro(0xff, "i", "x"))
	if value, ok := m.Lookup("i"); ok {
		t.Errorf("a stage without macros has %q", value)
	}
}
