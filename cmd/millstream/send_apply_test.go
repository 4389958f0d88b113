package main

import (
	"bytes"
	"strings"
	"testing"

	"millstream/protocol"
)

// testLetter has two recipients, three headers of one name, and a body.
func testLetter() letter {
	return letter{
		from: mailbox{addr: "<a@example.org>"},
		to:   []mailbox{{addr: "<b@example.com>"}, {addr: "<c@example.com>"}},
		fields: []letterField{
			{name: "Received", value: " mta", own: true},
			{name: "X", value: " 1"},
			{name: "Subject", value: " hi"},
			{name: "x", value: " 2"},
			{name: "X", value: " 3"},
		},
		body: []byte("body\r\n"),
	}
}

// brief returns a letter as one line.
func (l *letter) brief() string {
	parts := []string{strings.TrimSpace(l.from.String())}
	for _, to := range l.to {
		parts = append(parts, to.String())
	}
	for _, f := range l.fields {
		if !f.gone {
			parts = append(parts, f.name+":"+f.value)
		}
	}
	return strings.Join(parts, "|") + "|" + string(l.body)
}

func letterAnswer(c protocol.Code, index uint32, name, value string) protocol.Answer {
	return protocol.Answer{Code: c, Index: index, Name: protocol.View(name), Value: protocol.View(value)}
}

func letterAdd(name, value string) protocol.Answer {
	return letterAnswer(protocol.CodeAddHeader, 0, name, value)
}

func letterInsert(i uint32, name, value string) protocol.Answer {
	return letterAnswer(protocol.CodeInsertHeader, i, name, value)
}

func letterChange(i uint32, name, value string) protocol.Answer {
	return letterAnswer(protocol.CodeChangeHeader, i, name, value)
}

func letterOther(c protocol.Code, name, value string) protocol.Answer {
	return letterAnswer(c, 0, name, value)
}

// Parts of a letter in brief.
const (
	letterEnvelope = "<a@example.org>|<b@example.com>|<c@example.com>|"
	letterFields   = "Received: mta|X: 1|Subject: hi|x: 2|X: 3|"
	letterBody     = "body\r\n"
)

// letterChanges are changes and what becomes of the letter.
var letterChanges = []struct {
	name     string
	changes  []protocol.Answer
	want     string
	note     string // in the last change
	leading  bool
	sendmail bool
}{
	{name: "nothing", want: letterEnvelope + letterFields + letterBody},
	{name: "add", changes: []protocol.Answer{letterAdd("Y", "4")}, want: letterEnvelope + letterFields + "Y: 4|" + letterBody},
	{name: "add as it is", changes: []protocol.Answer{letterAdd("Y", "4")}, leading: true, want: letterEnvelope + letterFields + "Y:4|" + letterBody},
	{name: "insert at the top", changes: []protocol.Answer{letterInsert(0, "Y", "4")}, want: letterEnvelope + "Y: 4|" + letterFields + letterBody},
	{
		name: "insert below the line of the MTA", changes: []protocol.Answer{letterInsert(1, "Y", "4")},
		want: letterEnvelope + "Received: mta|Y: 4|X: 1|Subject: hi|x: 2|X: 3|" + letterBody,
	},
	{
		name: "insert at the end", changes: []protocol.Answer{letterInsert(99, "Y", "4")},
		want: letterEnvelope + letterFields + "Y: 4|" + letterBody, note: "there are fewer",
	},
	{
		name: "change the first", changes: []protocol.Answer{letterChange(1, "x", "new")},
		want: letterEnvelope + "Received: mta|x: new|Subject: hi|x: 2|X: 3|" + letterBody,
	},
	{
		name: "0 is the first", changes: []protocol.Answer{letterChange(0, "X", "new")},
		want: letterEnvelope + "Received: mta|X: new|Subject: hi|x: 2|X: 3|" + letterBody,
	},
	{
		name: "Sendmail keeps the name", changes: []protocol.Answer{letterChange(1, "x", "new")}, sendmail: true,
		want: letterEnvelope + "Received: mta|X: new|Subject: hi|x: 2|X: 3|" + letterBody,
	},
	{
		name: "change a later one", changes: []protocol.Answer{letterChange(3, "X", "new")}, leading: true,
		want: letterEnvelope + "Received: mta|X: 1|Subject: hi|x: 2|X:new|" + letterBody,
	},
	{
		name: "change one that is not there", changes: []protocol.Answer{letterChange(4, "X", "new")},
		want: letterEnvelope + letterFields + "X: new|" + letterBody, note: "there are 3: added",
	},
	{
		name: "the line of the MTA is not for milters", changes: []protocol.Answer{letterChange(1, "Received", "")},
		want: letterEnvelope + letterFields + letterBody, note: "there are 0: nothing is deleted",
	},
	{
		name: "delete and delete", changes: []protocol.Answer{letterChange(1, "X", ""), letterChange(2, "X", "")},
		want: letterEnvelope + "Received: mta|Subject: hi|x: 2|" + letterBody,
	},
	{
		name: "Sendmail counts on", changes: []protocol.Answer{letterChange(1, "X", ""), letterChange(2, "X", "")}, sendmail: true,
		want: letterEnvelope + "Received: mta|Subject: hi|X: 3|" + letterBody,
	},
	{
		name: "Postfix hides what stands at the top", changes: []protocol.Answer{letterInsert(0, "Subject", "top"), letterChange(1, "Subject", "new")},
		want: letterEnvelope + "Subject: top|Received: mta|X: 1|Subject: new|x: 2|X: 3|" + letterBody,
	},
	{
		name: "Sendmail does not", changes: []protocol.Answer{letterInsert(0, "Subject", "top"), letterChange(1, "Subject", "new")}, sendmail: true,
		want: letterEnvelope + "Subject: new|Received: mta|X: 1|Subject: hi|x: 2|X: 3|" + letterBody,
	},
	{
		name: "body in pieces", changes: []protocol.Answer{
			letterOther(protocol.CodeReplaceBody, "", "new\r"), letterOther(protocol.CodeReplaceBody, "", "\nbody\r\n"),
		},
		want: letterEnvelope + letterFields + "new\r\nbody\r\n",
	},
	{name: "no body", changes: []protocol.Answer{letterOther(protocol.CodeReplaceBody, "", "")}, want: letterEnvelope + letterFields},
	{
		name: "sender", changes: []protocol.Answer{letterOther(protocol.CodeChangeFrom, "new@example.org", "SIZE=1 RET=HDRS")},
		want: "<new@example.org> SIZE=1 RET=HDRS|<b@example.com>|<c@example.com>|" + letterFields + letterBody,
	},
	{
		name: "null sender", changes: []protocol.Answer{letterOther(protocol.CodeChangeFrom, "<>", "")},
		want: "<>|<b@example.com>|<c@example.com>|" + letterFields + letterBody,
	},
	{
		name: "recipient", changes: []protocol.Answer{letterOther(protocol.CodeAddRecipient, "d@example.com", "")},
		want: letterEnvelope + "<d@example.com>|" + letterFields + letterBody,
	},
	{
		name: "recipient with parameters", changes: []protocol.Answer{letterOther(protocol.CodeAddRecipientParams, "<d@example.com>", "NOTIFY=NEVER")},
		want: letterEnvelope + "<d@example.com> NOTIFY=NEVER|" + letterFields + letterBody,
	},
	{
		name: "recipient twice", changes: []protocol.Answer{letterOther(protocol.CodeAddRecipient, "<B@example.com>", "")},
		want: letterEnvelope + letterFields + letterBody, note: "is one already",
	},
	{
		name: "recipient deleted", changes: []protocol.Answer{letterOther(protocol.CodeDeleteRecipient, "B@Example.com", "")},
		want: "<a@example.org>|<c@example.com>|" + letterFields + letterBody,
	},
	{
		name: "nobody deleted", changes: []protocol.Answer{letterOther(protocol.CodeDeleteRecipient, "<d@example.com>", "")},
		want: letterEnvelope + letterFields + letterBody, note: "is none",
	},
}

func TestApply(t *testing.T) {
	for _, tt := range letterChanges {
		t.Run(tt.name, func(t *testing.T) {
			before := testLetter()
			after := before.clone()
			made := after.apply(tt.changes, tt.leading, tt.sendmail)
			if got := after.brief(); got != tt.want {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
			if original := testLetter(); before.brief() != original.brief() {
				t.Errorf("what was sent became %q", before.brief())
			}
			if n := len(made); n > 0 && (tt.note == "") != (made[n-1].Note == "") || n > 0 && !strings.Contains(made[n-1].Note, tt.note) {
				t.Errorf("note %q, want %q", made[n-1].Note, tt.note)
			}
		})
	}
}

// TestApplyQuarantine checks that the last reason counts, and that an empty one is
// one.
func TestApplyQuarantine(t *testing.T) {
	l := testLetter()
	l.apply([]protocol.Answer{
		{Code: protocol.CodeQuarantine, Name: protocol.View("one")}, {Code: protocol.CodeQuarantine},
	}, false, false)
	if !l.isHeld || l.held != "" {
		t.Errorf("held is %t for %q", l.isHeld, l.held)
	}
}

func TestLetterMessage(t *testing.T) {
	l := testLetter()
	l.fields = append(l.fields, letterField{name: "Y", value: " a\r\n\tb"})
	l.fields[1].gone = true
	const want = "Subject: hi\nx: 2\nX: 3\nY: a\n\tb\n\nbody\n"
	if got := l.message(false); string(got) != want {
		t.Errorf("%q", got)
	}
	if got := l.message(true); !bytes.Equal(got, []byte(strings.ReplaceAll(want, "\n", "\r\n"))) {
		t.Errorf("%q", got)
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"grüße\tx\n": "grüße\tx\n", "a\x1b[2J": `a\x1b[2J`, "\xff\xfe": `\xff\xfe`, "a\rb": `a\x0db`, "\u0085": `\xc2\x85`, "\ufffd": "\ufffd",
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}
