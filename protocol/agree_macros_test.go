package protocol

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestAgreeMacros(t *testing.T) {
	tests := []struct {
		name    string
		offered Actions
		lists   MacroLists
		want    string // behind the options
		actions Actions
	}{
		{"none asked for", ActionsAll, MacroLists{}, "", 0},
		{"asked for", ActionsAll, MacroLists{StageHelo: {"j", "tls_version"}}, "\x00\x00\x00\x01j {tls_version}\x00", ActionSetSymbolList},
		{"not offered", ActionsAll &^ ActionSetSymbolList, MacroLists{StageHelo: {"j"}}, "", 0},
		{"empty list", ActionsAll, MacroLists{StageData: {}}, "\x00\x00\x00\x04\x00", ActionSetSymbolList},
		{
			"end-of-message brings end-of-header", ActionsAll,
			MacroLists{StageEndOfMessage: {"i"}},
			"\x00\x00\x00\x05i\x00\x00\x00\x00\x06\x00", ActionSetSymbolList,
		},
		{
			"end-of-header asked for", ActionsAll,
			MacroLists{StageEndOfMessage: {"i"}, StageEndOfHeader: {"{x1}"}},
			"\x00\x00\x00\x05i\x00\x00\x00\x00\x06{x1}\x00", ActionSetSymbolList,
		},
		{"end-of-header alone", ActionsAll, MacroLists{StageEndOfHeader: {"i"}}, "\x00\x00\x00\x06i\x00", ActionSetSymbolList},
		{
			"order of the wire", ActionsAll,
			MacroLists{StageEndOfHeader: {}, StageConnect: {"_"}, StageRcpt: {"b", "a"}},
			"\x00\x00\x00\x00_\x00\x00\x00\x00\x03b a\x00\x00\x00\x00\x06\x00", ActionSetSymbolList,
		},
		{
			"any spelling", ActionsAll,
			MacroLists{StageMail: {"{i}", "mail_addr", "{mail_host}", "i", ""}},
			"\x00\x00\x00\x02i {mail_addr} {mail_host}\x00", ActionSetSymbolList,
		},
		{
			"several in a string", ActionsAll,
			MacroLists{StageMail: {" i  {mail_addr}\t", "a\x00b"}},
			"\x00\x00\x00\x02i {mail_addr} a b\x00", ActionSetSymbolList,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := Agree(Options{6, tt.offered, StepsAll}, Request{Macros: tt.lists})
			if err != nil {
				t.Fatal(err)
			}
			if a.Wire.Actions != tt.actions || a.Granted.Actions != tt.actions {
				t.Errorf("actions %v and %v, want %v", a.Wire.Actions, a.Granted.Actions, tt.actions)
			}
			packet := a.Append(nil)
			if got := string(packet[HeaderSize+12:]); got != tt.want {
				t.Errorf("lists %q, want %q", got, tt.want)
			}
			answer, err := DecodeAnswer(openPacket(t, packet))
			if err != nil || !reflect.DeepEqual(answer.Macros, a.Macros) {
				t.Errorf("the MTA reads %q, error %v; want %q", answer.Macros, err, a.Macros)
			}
		})
	}
}

// TestAgreeCopies checks that an agreement shares no list with the request.
func TestAgreeCopies(t *testing.T) {
	req := Request{Macros: MacroLists{StageHelo: {"j"}}}
	a, err := Agree(Options{6, ActionsAll, StepsAll}, req)
	if err != nil {
		t.Fatal(err)
	}
	before := a.Append(nil)
	req.Macros[StageHelo][0] = "changed"
	if after := a.Append(nil); !bytes.Equal(before, after) {
		t.Errorf("%q became %q with the request", before, after)
	}
}

func TestMacroListsAdd(t *testing.T) {
	var l MacroLists
	if !l.Empty() {
		t.Error("a new list asks for something")
	}
	l.Add(StageHelo)
	if l[StageHelo] == nil || len(l[StageHelo]) != 0 || l.Empty() {
		t.Errorf("no names at a stage: %#v, want an empty list", l[StageHelo])
	}
	l.Add(StageHelo, "{tls_version}", "j")
	l.Add(StageHelo, "{j}", "tls_version", "v", "", "{}")
	l.Add(NumStages, "lost")
	l.Add(1<<32-1, "lost")
	if got := strings.Join(l[StageHelo], " "); got != "tls_version j v" {
		t.Errorf("%q", got)
	}
}
