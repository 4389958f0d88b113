package protocol

import (
	"bytes"
	"slices"
	"testing"
)

func TestView(t *testing.T) {
	v := View("text")
	clone, text := v.Clone(), v.String()
	v[0] = '#'
	if string(clone) != "text" || text != "text" {
		t.Errorf("clone %q and string %q changed with the view", clone, text)
	}
	if c := View(nil).Clone(); c != nil {
		t.Errorf("clone of nil is %#v", c)
	}
	if c := (View{}).Clone(); c == nil || len(c) != 0 {
		t.Errorf("clone of an empty View is %#v", c)
	}
}

func TestEqualFold(t *testing.T) {
	tests := []struct {
		view View
		with string
		want bool
	}{
		{nil, "", true},
		{view("Size"), "sIZE", true},
		{view("size"), "size", true},
		{view("AZaz"), "azAZ", true},
		{view("size"), "siz", false},
		{view("size"), "sizf", false},
		{view("@"), "`", false}, // differ by the bit of letter case
		{view("["), "{", false},
		{view("\xe9"), "\xc9", false}, // no ASCII letters
		{view("1_."), "1_.", true},
	}
	for _, tt := range tests {
		if got := tt.view.EqualFold(tt.with); got != tt.want {
			t.Errorf("%q and %q: %v", tt.view, tt.with, got)
		}
	}
}

func TestParams(t *testing.T) {
	tests := []struct {
		params Params
		list   []string
	}{
		{nil, nil},
		{NewParams(), nil},
		{NewParams("SIZE=1"), []string{"SIZE=1"}},
		{NewParams("SIZE=1", ""), []string{"SIZE=1", ""}},
		{NewParams("SIZE=1", "", "BODY=8BITMIME"), []string{"SIZE=1", "", "BODY=8BITMIME"}},
		{Params("SIZE=1\x00SMTPUTF8"), []string{"SIZE=1", "SMTPUTF8"}}, // not from the wire
	}
	for _, tt := range tests {
		if got := tt.params.Strings(); !slices.Equal(got, tt.list) || (got == nil) != (tt.list == nil) {
			t.Errorf("%q: %q, want %q", tt.params, got, tt.list)
		}
		clone := tt.params.Clone()
		if !bytes.Equal(clone, tt.params) || (clone == nil) != (tt.params == nil) {
			t.Errorf("clone of %q is %q", tt.params, clone)
		}
	}
	for param := range NewParams("A", "B").All() {
		if string(param) != "A" {
			t.Errorf("%q after the loop was left", param)
		}
		break
	}
}

func TestParamsLookup(t *testing.T) {
	params := NewParams("SIZE=1024", "size=2", "SMTPUTF8", "AUTH=", "ENVID=a=b", "=x", "RET")
	tests := []struct {
		name  string
		value string
		ok    bool
	}{
		{"SIZE", "1024", true},
		{"size", "1024", true},
		{"smtputf8", "", true},
		{"AUTH", "", true},
		{"ENVID", "a=b", true},
		{"", "x", true},
		{"SIZ", "", false},
		{"SIZE=1024", "", false},
		{"BODY", "", false},
	}
	for _, tt := range tests {
		if value, ok := params.Lookup(tt.name); string(value) != tt.value || ok != tt.ok {
			t.Errorf("%q: %q, %v; want %q, %v", tt.name, value, ok, tt.value, tt.ok)
		}
	}
}

func TestMailbox(t *testing.T) {
	tests := []struct{ addr, want string }{
		{"<a@example.com>", "a@example.com"},
		{"a@example.com", "a@example.com"},
		{"<>", ""},
		{"", ""},
		{"<", "<"},
		{">", ">"},
		{"<a", "<a"},
		{"a>", "a>"},
		{"<<a>>", "<a>"},
	}
	for _, tt := range tests {
		mail, rcpt := MailFrom{Addr: view(tt.addr)}, RcptTo{Addr: view(tt.addr)}
		if got := mail.Mailbox().String(); got != tt.want {
			t.Errorf("sender %q: %q, want %q", tt.addr, got, tt.want)
		}
		if got := rcpt.Mailbox().String(); got != tt.want {
			t.Errorf("recipient %q: %q, want %q", tt.addr, got, tt.want)
		}
	}
}
