package mta

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"testing"

	"millstream/protocol"
)

func TestDeliverBody(t *testing.T) {
	tests := []struct {
		name  string
		steps protocol.Steps // offered, and wanted
		size  int
		want  string
	}{
		{"empty", 0, 0, ""},
		{"one", 0, 65535, "65535"},
		{"two", 0, 65536, "65535 1"},
		{"many", 0, 200_000, "65535 65535 65535 3395"},
		{"256K", protocol.StepMaxData256K, 300_000, "262143 37857"},
		{"1M", protocol.StepMaxData1M, 1_048_576, "1048575 1"},
		{"skip", protocol.StepSkip, 200_000, "65535"},
		{"none", protocol.StepNoBody, 200_000, ""},
	}
	for _, tt := range tests {
		f := &filter{}
		f.wants.Steps = tt.steps
		if tt.name == "skip" {
			f.say = on(protocol.CodeBody, answer(protocol.StatusSkip))
		}
		c := f.start(t, socket)
		offer := Offer()
		offer.Steps |= tt.steps
		if _, _, err := c.Negotiate(offer); err != nil {
			t.Fatal(err)
		}
		m := testMail()
		m.Body = bytes.Repeat([]byte("x"), tt.size)
		if out, err := c.Deliver(m); err != nil || out.Stage != protocol.CodeEndOfMessage {
			t.Fatalf("%s: %v, %v", tt.name, out, err)
		}
		var got []string
		for _, line := range f.end(t, c) {
			if size, ok := strings.CutPrefix(line, "body of "); ok {
				got = append(got, size)
			} else if strings.HasPrefix(line, "body ") {
				got = append(got, "1")
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: pieces %v, want %s", tt.name, got, tt.want)
		}
	}
}

func TestDeliverLeadingSpace(t *testing.T) {
	f := &filter{}
	f.wants.Steps = protocol.StepHeaderLeadingSpace
	c := f.agreed(t)
	if _, err := c.Deliver(testMail()); err != nil {
		t.Fatal(err)
	}
	heard := f.end(t, c)
	if !slices.Contains(heard, `header Subject " hi"`) || !slices.Contains(heard, `header To "  b"`) {
		t.Errorf("heard %q", heard)
	}
}

// Commands without an answer are written with the next one that has an answer,
// unless there are many.
func TestDeliverGathers(t *testing.T) {
	const noReply = protocol.StepNoReplyMail | protocol.StepNoReplyHeader | protocol.StepNoReplyEndOfHeader
	tests := []struct {
		name    string
		dialect Dialect
		headers int
		writes  int
	}{
		{"together", Postfix, 2, 5}, // up to the first recipient; the second; data; up to the body; the end
		{"apart", Sendmail, 2, 3*2 + 6},
		{"many", Postfix, 2000, 5 + 2000*len("....DL{i}.4XYZ.....LSubject.hi.")/maxGathered},
	}
	for _, tt := range tests {
		f := &filter{wants: protocol.Request{Steps: noReply}}
		var count *counting
		c := f.start(t, func(tb testing.TB) (ours, theirs net.Conn) {
			ours, theirs = socket(tb)
			count = &counting{Conn: ours}
			return count, theirs
		})
		if _, _, err := c.Negotiate(Offer()); err != nil {
			t.Fatal(err)
		}
		c.SetDialect(tt.dialect)
		count.writes = 0
		m := testMail()
		m.Headers = slices.Repeat(m.Headers[:1], tt.headers)
		if out, err := c.Deliver(m); err != nil || out.Stage != protocol.CodeEndOfMessage {
			t.Fatal(out, err)
		}
		if count.writes != tt.writes {
			t.Errorf("%s: %d writes, want %d", tt.name, count.writes, tt.writes)
		}
	}
}
