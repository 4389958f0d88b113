package mta

import (
	"bytes"
	"net"
	"testing"

	"millstream/protocol"
)

// echo is a milter that goes on with all that is answered, and costs little.
func echo(conn net.Conn, steps protocol.Steps) {
	defer conn.Close()
	goOn := answer(protocol.StatusContinue)
	c := &Conn{terms: Terms{Options: protocol.Options{Version: 6, Steps: steps}}}
	buf, answers := make([]byte, 128<<10), make([]byte, 0, 4<<10)
	for have := 0; ; {
		n, err := conn.Read(buf[have:])
		if err != nil {
			return
		}
		have += n
		taken := 0
		for {
			code, _, n, err := protocol.Frame(buf[taken:have], protocol.DefaultMaxPacketSize)
			if err != nil || n == 0 {
				break
			}
			taken += n
			if c.Waits(code) {
				answers = append(answers, goOn...)
			}
		}
		have = copy(buf, buf[taken:have])
		if len(answers) == 0 {
			continue
		}
		if _, err := conn.Write(answers); err != nil {
			return
		}
		answers = answers[:0]
	}
}

// withEcho returns a Conn to an echo that both have agreed on steps.
func withEcho(tb testing.TB, pair func(testing.TB) (ours, theirs net.Conn), steps protocol.Steps) *Conn {
	tb.Helper()
	ours, theirs := pair(tb)
	done := make(chan struct{})
	go func() {
		defer close(done)
		echo(theirs, steps)
	}()
	tb.Cleanup(func() {
		ours.Close()
		<-done
	})
	c := NewConn(ours)
	c.terms.Options = protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: steps}
	return c
}

const noReplies = protocol.StepNoReplyConnect | protocol.StepNoReplyHelo | protocol.StepNoReplyMail |
	protocol.StepNoReplyRcpt | protocol.StepNoReplyData | protocol.StepNoReplyHeader |
	protocol.StepNoReplyEndOfHeader | protocol.StepNoReplyBody

// benchMail has two recipients, ten headers and a body of 4 KiB.
func benchMail() *Mail {
	m := testMail()
	for len(m.Headers) < 10 {
		m.Headers = append(m.Headers, protocol.Header{
			Name: protocol.View("Received"), Value: protocol.View(" from a by b\n\tfor c"),
		})
	}
	m.Body = bytes.Repeat([]byte("0123456789abcde\n"), 256)
	return m
}

func BenchmarkDo(b *testing.B) {
	cmd := &protocol.Header{Name: protocol.View("Subject"), Value: protocol.View("hi there")}
	macros := protocol.NewMacro(protocol.CodeHeader, "i", "4XYZ")
	for _, name := range []string{"socket", "pipe"} {
		b.Run(name, func(b *testing.B) {
			c := withEcho(b, pairs[name], 0)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := c.Do(cmd, macros); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDeliver(b *testing.B) {
	m := benchMail()
	for _, bb := range []struct {
		name  string
		steps protocol.Steps
	}{
		{"answered", 0}, {"unanswered", noReplies}, {"envelope", protocol.StepNoHeaders | protocol.StepNoBody},
	} {
		b.Run(bb.name, func(b *testing.B) {
			c := withEcho(b, socket, bb.steps)
			b.ReportAllocs()
			for b.Loop() {
				if out, err := c.Deliver(m); err != nil || !out.Taken() {
					b.Fatal(out, err)
				}
			}
		})
	}
}

// Once buffers have grown nothing is allocated: neither for a command nor for a
// whole message. The peer is part of the count.
func TestAllocs(t *testing.T) {
	header := &protocol.Header{Name: protocol.View("Subject"), Value: protocol.View("hi there")}
	macros := protocol.NewMacro(protocol.CodeHeader, "i", "4XYZ")
	for _, steps := range []protocol.Steps{0, noReplies} {
		c := withEcho(t, socket, steps)
		c.client = testClient()
		m := benchMail()
		for name, f := range map[string]func() error{
			"Do":      func() error { _, _, err := c.Do(header, macros); return err },
			"Deliver": func() error { _, err := c.Deliver(m); return err },
		} {
			n := testing.AllocsPerRun(100, func() {
				if err := f(); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%s with %v: %v allocations", name, steps, n)
			}
		}
	}
}
