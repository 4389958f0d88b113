package corpus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millstream/netio/mta"
)

// write writes files for a test, each "name: text", and returns their directory.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		name, text, _ := strings.Cut(f, ": ")
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// subjects returns the subjects and bodies of mails.
func subjects(mails []*mta.Mail) string {
	list := []string{}
	for _, m := range mails {
		list = append(list, strings.Join(values(m, "Subject"), "|")+"="+m.Body.String())
	}
	return strings.Join(list, ";")
}

func TestReadDirectory(t *testing.T) {
	dir := write(t, "b.eml: Subject: b\n\nB\n", "a/cur/2: Subject: a2\r\n\r\nA2\r\n", "a/cur/1: Subject: a1\n\nA1\n", ".hidden: x",
		"c.mbox: From x\nSubject: c\n\nC\n\nFrom y\nSubject: d\n\nD\n\n")
	if err := os.Symlink(dir, filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	mails, err := Read(dir, Envelope{})
	if want := " a1=A1\r\n; a2=A2\r\n; b=B\r\n; c=C\r\n; d=D\r\n"; err != nil || subjects(mails) != want {
		t.Errorf("%q, %v, want %q", subjects(mails), err, want)
	}
	mails, err = Read(filepath.Join(dir, "b.eml"), Envelope{})
	if err != nil || subjects(mails) != " b=B\r\n" {
		t.Errorf("%q, %v", subjects(mails), err)
	}
}

func TestReadMbox(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"one", "From a@b Mon Jan  5 08:00:00 2026\nSubject: 1\n\nx\n", " 1=x\r\n"},
		{"empty line left out", "From a\nSubject: 1\n\nx\n\nFrom b\nSubject: 2\n\ny\n\n\n", " 1=x\r\n; 2=y\r\n\r\n"},
		{"CRLF", "From a\r\nSubject: 1\r\n\r\nx\r\n\r\nFrom b\r\nSubject: 2\r\n\r\ny\r\n", " 1=x\r\n; 2=y\r\n"},
		{"quoted", "From a\nSubject: 1\n\n>From x\n>>From y\n> From z\n", " 1=From x\r\n>From y\r\n> From z\r\n"},
		{"not after an empty line", "From a\nSubject: 1\n\nx\nFrom here on\n", " 1=x\r\nFrom here on\r\n"},
		{"no body", "From a\nSubject: 1\n\nFrom b\nSubject: 2\n", " 1=; 2="},
		{"no line end", "From a\nSubject: 1\n\nx", " 1=x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mails, err := Read(filepath.Join(write(t, "m: "+tt.text), "m"), Envelope{})
			if err != nil || subjects(mails) != tt.want {
				t.Errorf("%q, %v, want %q", subjects(mails), err, tt.want)
			}
		})
	}
}

func TestReadEnvelope(t *testing.T) {
	tests := []struct {
		name, header string
		own          Envelope
		want         string
	}{
		{"return path", "Return-Path: <r@x>\nFrom: A <a@x>\nTo: b@y, \"B, C\" <c@y>\n", Envelope{}, "<r@x> -> <b@y> <c@y>"},
		{"bounce", "Return-Path: <>\nFrom: a@x\nTo: b@y\n", Envelope{}, "<> -> <b@y>"},
		{"from", "From: A <a@x>\nTo: =?utf-8?q?B?= <b@y>\nCC: c@y,\n b@y\n", Envelope{}, "<a@x> -> <b@y> <c@y>"},
		{"delivered", "From: a@x\nTo: undisclosed-recipients:;\nDelivered-To: d@y\nDelivered-To: e@y\n", Envelope{}, "<a@x> -> <d@y> <e@y>"},
		{"nothing of use", "From: ???\nTo: no address\n", Envelope{}, defaultSender + " -> " + defaultRecipient},
		{"given", "From: a@x\nTo: b@y\n", Envelope{"<>", []string{"p@q", "<r@s> NOTIFY=NEVER"}}, "<> -> <p@q> <r@s>"},
		{"sender given", "From: a@x\nTo: b@y\n", Envelope{From: `"a b"@x`}, `<"a> -> <b@y>`},
		{"quoted sender given", "From: a@x\nTo: b@y\n", Envelope{From: `<"a b"@x>`}, `<"a b"@x> -> <b@y>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mails, err := Read(filepath.Join(write(t, "m: "+tt.header+"\nx\n"), "m"), tt.own)
			if err != nil || envelopeText(mails[0]) != tt.want {
				t.Errorf("%v, %v, want %q", mails, err, tt.want)
			}
		})
	}
	many := "Subject: x\nTo: " + strings.Repeat("a@x, ", 5)
	for i := range 200 {
		many += strings.Repeat("b", i+1) + "@x,\n "
	}
	mails, err := Read(filepath.Join(write(t, "m: "+many+"z@x\n\n"), "m"), Envelope{})
	if err != nil || len(mails[0].To) != maxRecipients {
		t.Errorf("%d recipients, %v", len(mails[0].To), err)
	}
}

func TestReadMistakes(t *testing.T) {
	dir := write(t, "empty/.x: x", "none/list: one two\n", "null: ", "mbox: From a\n", "second: From a\nSubject: x\n\n\nFrom b\nx\n")
	for file, want := range map[string]string{
		"nowhere": "no corpus: stat ", "empty": "no mails in ", "none": "list is no mail, as it does not begin with a header field",
		"null": "null is no mail", "mbox": "mbox: give", "second": "second, message 2 is no mail",
	} {
		if mails, err := Read(filepath.Join(dir, file), Envelope{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v, want %q", file, mails, err, want)
		}
	}
}

func TestReadLimits(t *testing.T) {
	dir := write(t, "a: Subject: a\n\n12345\n", "b: From x\nSubject: b\n\n1234567890\n")
	tests := []struct {
		maxMail, maxTotal int64
		want              string
	}{
		{23, 100, ""},
		{22, 100, "b, message 1: the message has 23 bytes, and 22 is the limit"},
		{23, 45, "the corpus is larger than 45 with " + filepath.Join(dir, "b")},
	}
	for _, tt := range tests {
		r := reader{maxMail: tt.maxMail, maxTotal: tt.maxTotal, left: tt.maxTotal}
		err := r.dir(dir)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}

// TestReadHeader checks that nothing of a header breaks the packets.
func TestReadHeader(t *testing.T) {
	mails, err := Read(filepath.Join(write(t, "m: Subject: a\x00b\n c\nX:\n\n\x00\n"), "m"), Envelope{})
	if err != nil || len(mails[0].Headers) != 2 || mails[0].Headers[0].Value.String() != " ab\n c" || mails[0].Body.String() != "\x00\r\n" {
		t.Errorf("%v, %v", mails[0], err)
	}
}
