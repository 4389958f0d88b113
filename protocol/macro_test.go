package protocol

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

func TestMacroSet(t *testing.T) {
	m := allStages()
	m.Set(CodeMailFrom, "{i}", "x")
	m.Set(CodeMailFrom, "i", "y")
	m.Set(CodeConnect, "j", "mx.example")
	m.Set(CodeAbort, "lost", "x")
	if got := left(m); got != macroStages {
		t.Errorf("left are %s", got)
	}
	for name, want := range map[string]string{"i": "y", "j": "mx.example", "lost": ""} {
		if got, ok := m.Lookup(name); got != want || ok != (want != "") {
			t.Errorf("%s is %q, %v; want %q", name, got, ok, want)
		}
	}
}

func TestMacroAll(t *testing.T) {
	var m Macros
	if got := maps.Collect(m.All()); len(got) != 0 {
		t.Errorf("none are %v", got)
	}
	m.Define(NewMacro(CodeConnect, "j", "mx.example", "i", "old"))
	m.Define(NewMacro(CodeMailFrom, "i", "new", "{mail_addr}", "a@example"))
	m.Define(NewMacro(CodeUnknown, "e", "", "e", "twice"))
	var got []string
	for name, value := range m.All() {
		if found, ok := m.Lookup(name); !ok || found != value {
			t.Errorf("%s is %q, Lookup says %q", name, value, found)
		}
		got = append(got, name+"="+value)
	}
	want := []string{"e=twice", "i=new", "mail_addr=a@example", "j=mx.example"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for name := range m.All() {
		if name != "e" {
			t.Errorf("%q after the loop was left", name)
		}
		break
	}
}

func TestNewMacro(t *testing.T) {
	tests := []struct {
		pairs []string
		want  string
	}{
		{nil, "M"},
		{[]string{"i", "x"}, "Mi\x00x\x00"},
		{[]string{"{i}", "x", "mail_addr", "", "{v1}", "y"}, "Mi\x00x\x00{mail_addr}\x00\x00{v1}\x00y\x00"},
		{[]string{"i", "x", "lost"}, "Mi\x00x\x00"},
	}
	for _, tt := range tests {
		_, body := openPacket(t, NewMacro(CodeMailFrom, tt.pairs...).Append(nil))
		if string(body) != tt.want {
			t.Errorf("%q: %q, want %q", tt.pairs, body, tt.want)
		}
	}
	var got []string
	for name, value := range NewMacro(CodeMailFrom, "{i}", "x", "", "lost", "{v1}", "").All() {
		got = append(got, fmt.Sprintf("%s=%s", name, value))
	}
	if want := []string{"i=x", "v1="}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for name := range NewMacro(CodeMailFrom, "a", "x", "b", "y").All() {
		if string(name) != "a" {
			t.Errorf("%q after the loop was left", name)
		}
		break
	}
}
