package script

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scripts returns the session scripts of the project.
func scripts(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../testdata/session/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	return files
}

// TestSessionScripts checks that the scripts stand as they are printed, and begin
// with what they are about.
func TestSessionScripts(t *testing.T) {
	for _, file := range scripts(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(file, string(text))
		if err != nil {
			t.Error(err)
			continue
		}
		if s.String() != string(text) {
			t.Errorf("%s is printed as\n%s", file, s)
		}
		if !strings.HasPrefix(string(text), "# ") {
			t.Errorf("%s does not say what it is about", file)
		}
	}
}

// TestLines has lines and how they are printed; empty is as they are.
func TestLines(t *testing.T) {
	tests := []struct{ line, printed string }{
		{"-> negotiate 6 actions=all steps=0x1fffff", "-> negotiate"},
		{"-> negotiate 2 actions=none", ""},
		{"-> negotiate steps=skip|0x10000", "-> negotiate steps=skip|no-reply-data"},
		{"  ->   helo  mx.example ", "-> helo mx.example"},
		{`-> helo ""`, ""},
		{`-> helo "two words"`, ""},
		{"-> macro connect j=mx v=\"Postfix 3\" {x}=1", "-> macro connect j=mx v=\"Postfix 3\" x=1"},
		{"-> macro 0x7a", ""},
		{"-> macro 0x68 j=mx", ""}, // as an answer it has a name
		{"-> macro end-of-message i= \"a=b\"=c", "-> macro end-of-message i=\"\" \"a=b\"=c"},
		{"-> connect [192.0.2.10] inet:0@192.0.2.10", ""},
		{"-> connect c.example inet6:25@2001:DB8::25", "-> connect c.example inet6:25@2001:db8::25"},
		{"-> connect localhost unix:/run/mta.sock", ""},
		{"-> connect unknown unknown", ""},
		{"-> mail <> SIZE=10", ""},
		{`-> rcpt "<a b@example>"`, ""},
		{"-> unknown HELP  me", ""},
		{"-> header Subject:hello # you", "-> header Subject: hello # you"},
		{"-> header X-Empty:", ""},
		{`-> header X-Space: " leading"`, ""},
		{`-> body "plain"`, "-> body plain"},
		{`-> body ""`, ""},
		{`-> body "\xff\r\n"*100`, ""},
		{`-> body "ab"*2`, "-> body abab"},
		{"-> end-of-message tail", ""},
		{`-> raw 0a FF "O\x00" "x"*3`, `-> raw 0a ff "O\x00" "x"*3`},
		{"-> close", ""},
		{"<- negotiate 6 actions=all steps=none helo-macros=j,{tls_version} end-of-header-macros=none", "<- negotiate 6 actions=all steps=none helo-macros=j,tls_version end-of-header-macros=none"},
		{"<- reject", ""},
		{"<- reject 550 5.7.1 100% no", ""},
		{`<- tempfail "451-a\r\n451 b"`, ""},
		{"<- insert-header 0 X-First: see me", ""},
		{"<- change-header 2 X-Old:", ""},
		{"<- change-from <a@example> SIZE=99 RET=HDRS", ""},
		{"<- add-recipient <d@example>", ""},
		{"<- add-recipient <d@example> NOTIFY=NEVER", ""},
		{`<- replace-body "x"*65535`, ""},
		{"<- quarantine virus found", ""},
		{`<- raw 00 "a"`, "<- raw 00 61"},
		{"<- nothing", ""},
		{"<~  add-header X-Id: session=", "<~ add-header X-Id: session="},
		{"<~ reject", ""},
		{"wait 60000ms", "wait 1m"},
		{"state helo-replied", ""},
		{"writes 3", ""},
		{"config timeout=5s", ""},
		{"watch everything", ""},
		{"filter answers helo data", ""},
		{"filter on helo : accept", "filter on helo: accept"},
		{"filter on envelope-recipient <a@example>: reject 550 5.7.1 no", ""},
		{`filter on header "X: Y": skip`, ""},
		{"filter on body: after 90s", "filter on body: after 1m30s"},
		{"filter on negotiate: ask actions=quarantine steps=skip|no-helo", "filter on negotiate: ask actions=quarantine steps=no-helo|skip"},
		{"filter on negotiate: ask-macros mail i j", ""},
		{"filter on negotiate: require quarantine|change-from", ""},
		{"filter on connect: timeout 0s", ""},
		{"filter on end-of-message: packet-buffer 0", ""},
		{"filter on end-of-message: add-header X: a: b", ""},
		{"filter on end-of-message: progress", ""},
		{"filter on end-of-message: tell-macros i {j}", ""},
		{"# anything", ""},
	}
	for _, tt := range tests {
		s, err := Parse("test", tt.line)
		if err != nil {
			t.Errorf("%s: %v", tt.line, err)
			continue
		}
		want := tt.printed
		if want == "" {
			want = tt.line
		}
		if got := strings.TrimSuffix(s.String(), "\n"); got != want {
			t.Errorf("%s\n got %s\nwant %s", tt.line, got, want)
		}
	}
}

// TestMistakes checks where mistakes are found, and that the error says what should
// stand there.
func TestMistakes(t *testing.T) {
	tests := []struct {
		text         string
		line, column int
		want         string
	}{
		{"hello", 1, 1, "->"},
		{"# fine\n\n->", 3, 3, "command"},
		{"-> nonsense", 1, 4, "command"},
		{"-> helo a b", 1, 11, "end of the line"},
		{`-> helo "a`, 1, 9, "quote"},
		{`-> helo "\x00"`, 1, 8, "NUL"},
		{"-> connect a b", 1, 14, "address"},
		{"-> connect a inet:1@::1", 1, 14, "address"},
		{"-> connect a inet:99999@192.0.2.1", 1, 14, "address"},
		{"-> macro nobody j=1", 1, 10, "command"},
		{"-> macro helo j", 1, 15, "macro"},
		{"-> negotiate x", 1, 14, "actions="},
		{"-> negotiate 6 actions=fly", 1, 24, "names"},
		{"-> negotiate 6 flags=1", 1, 16, "actions="},
		{"-> header Subject", 1, 11, "Subject:"},
		{"-> raw 0", 1, 8, "hexadecimal"},
		{`-> body "x"*0`, 1, 13, "times"},
		{`-> body "xx"*4000000`, 1, 14, "times"},
		{"<- maybe", 1, 4, "answer"},
		{"<- symbol-list", 1, 4, "answer"},
		{"<~", 1, 3, "answer"},
		{"<~ nothing", 1, 4, "beginning of an answer"},
		{"<~ accept \x01", 1, 4, "prints"},
		{"<- reject 450 later", 1, 11, "550"},
		{"<- insert-header first A: b", 1, 18, "place"},
		{"+> quit", 1, 1, "->"},
		{"-> close\n+> quit", 2, 1, "->"},
		{"-> quit\n+> close", 2, 4, "command"},
		{"state asleep", 1, 7, "state"},
		{"wait long", 1, 6, "time"},
		{"event abort", 1, 1, "watch abort"},
		{"watch birds", 1, 7, "event"},
		{"filter sleeps", 1, 8, "answers"},
		{"filter on finished: accept", 1, 11, "answered"},
		{"filter on helo accept", 1, 16, "colon"},
		{"filter on helo: dance", 1, 17, "what the filter does"},
		{"filter on helo: reject x", 1, 24, "550"},
	}
	for _, tt := range tests {
		_, err := Parse("test", tt.text)
		bad, ok := errors.AsType[*SyntaxError](err)
		if !ok {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if bad.Line != tt.line || bad.Column != tt.column || !strings.Contains(bad.Want, tt.want) {
			t.Errorf("%q: %v, want %d:%d with %q", tt.text, err, tt.line, tt.column, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, file := range scripts(f) {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("fuzz", text)
		if err != nil {
			return
		}
		printed := s.String()
		again, err := Parse("printed", printed)
		if err != nil {
			t.Fatalf("%q is printed as %q: %v", text, printed, err)
		}
		if again.String() != printed {
			t.Errorf("%q is printed as %q, and that as %q", text, printed, again)
		}
		for i, l := range s.Lines {
			send, ok := l.Step.(*Send)
			if !ok {
				continue
			}
			a, b := send.Append(nil), again.Lines[i].Step.(*Send).Append(nil)
			if string(a) != string(b) {
				t.Errorf("%v sends %q, and as printed %q", send, a, b)
			}
		}
	})
}
