package mta

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"millstream/protocol"
)

// A filter is a milter at the other end of a Conn: it agrees to what is asked of
// it, and goes on with everything.
type filter struct {
	conn net.Conn
	done chan struct{} // closed when the MTA is gone

	wants protocol.Request
	// say returns what is written in answer to a command; nil for what comes
	// naturally. It runs on the goroutine of the filter, which may close conn.
	say func(protocol.Command) []byte

	heard []string // what came, in words; to be read after done
	reads int      // that were needed for it
	steps protocol.Steps
}

// quiet is an answer of no bytes.
var quiet = []byte{}

// start starts a filter with another end, which is a Conn that has yet to
// negotiate. The test ends when the filter has.
func (f *filter) start(tb testing.TB, pair func(testing.TB) (ours, theirs net.Conn)) *Conn {
	tb.Helper()
	ours, theirs := pair(tb)
	f.conn, f.done = theirs, make(chan struct{})
	go f.serve()
	tb.Cleanup(func() {
		ours.Close()
		theirs.Close()
		<-f.done
	})
	return NewConn(ours)
}

// agreed returns a Conn to f that has negotiated.
func (f *filter) agreed(tb testing.TB) *Conn {
	tb.Helper()
	c := f.start(tb, socket)
	if _, _, err := c.Negotiate(Offer()); err != nil {
		tb.Fatal(err)
	}
	return c
}

// end closes c and returns what f heard.
func (f *filter) end(tb testing.TB, c *Conn) []string {
	tb.Helper()
	if err := c.Close(); err != nil {
		tb.Error(err)
	}
	<-f.done
	return f.heard
}

func (f *filter) serve() {
	defer close(f.done)
	defer f.conn.Close()
	var d protocol.Decoder
	var pending []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := f.conn.Read(buf)
		if err != nil {
			return
		}
		f.reads++
		pending = append(pending, buf[:n]...)
		var answers []byte
		for {
			code, body, n, err := protocol.Frame(pending, protocol.DefaultMaxPacketSize)
			if err != nil || n == 0 {
				break
			}
			cmd, err := d.Decode(code, body)
			if err != nil {
				f.heard = append(f.heard, err.Error())
				return
			}
			f.heard = append(f.heard, describe(cmd))
			answers = append(answers, f.answer(cmd)...)
			pending = pending[n:]
		}
		if len(answers) == 0 { // a Write of nothing would wait for a Read, where there is no buffer
			continue
		}
		if _, err := f.conn.Write(answers); err != nil {
			return
		}
	}
}

// answer returns the answer to a command.
func (f *filter) answer(cmd protocol.Command) []byte {
	if f.say != nil {
		if b := f.say(cmd); b != nil {
			return b
		}
	}
	switch c := cmd.Code(); c {
	case protocol.CodeNegotiate:
		a, err := protocol.Agree(cmd.(*protocol.Negotiate).Offer, f.wants)
		if err != nil {
			return answer(protocol.StatusReject)
		}
		f.steps = a.Wire.Steps
		return a.Append(nil)
	case protocol.CodeMacro, protocol.CodeAbort, protocol.CodeQuit, protocol.CodeQuitNewConnection:
		return nil
	default:
		if f.steps&protocol.NoReply(c) != 0 {
			return nil
		}
	}
	return answer(protocol.StatusContinue)
}

// answer returns the packet of a status.
func answer(s protocol.Status) []byte { return protocol.AppendReply(nil, s, nil) }

// refusal returns the packet of a refusal with a text.
func refusal(tb testing.TB, code int, text string) []byte {
	tb.Helper()
	reply, err := protocol.NewSMTPReply(code, "", text)
	if err != nil {
		tb.Fatal(err)
	}
	s := protocol.StatusReject
	if code < 500 {
		s = protocol.StatusTempFail
	}
	return protocol.AppendReply(nil, s, reply)
}

// on returns a function that answers one command, and leaves the others.
func on(c protocol.Code, b []byte) func(protocol.Command) []byte {
	return func(cmd protocol.Command) []byte {
		if cmd.Code() == c {
			return b
		}
		return nil
	}
}

// packet returns a packet of any code and payload.
func packet(c protocol.Code, payload string) []byte {
	b := (&protocol.Body{Chunk: protocol.View(payload)}).Append(nil)
	b[protocol.HeaderSize-1] = byte(c)
	return b
}

// describe returns a command in words.
func describe(cmd protocol.Command) string {
	switch c := cmd.(type) {
	case *protocol.Macro:
		var b strings.Builder
		fmt.Fprintf(&b, "macros of %v", c.Stage)
		for name, value := range c.All() {
			fmt.Fprintf(&b, " %s=%s", name, value)
		}
		return b.String()
	case *protocol.Connect:
		return fmt.Sprintf("connect %s %v", c.Host, c.Addr)
	case *protocol.Helo:
		return "helo " + c.Name.String()
	case *protocol.MailFrom:
		return strings.Join(append([]string{"mail", c.Addr.String()}, c.Params.Strings()...), " ")
	case *protocol.RcptTo:
		return strings.Join(append([]string{"rcpt", c.Addr.String()}, c.Params.Strings()...), " ")
	case *protocol.Header:
		return fmt.Sprintf("header %s %q", c.Name, c.Value)
	case *protocol.Body:
		if len(c.Chunk) > 100 {
			return fmt.Sprintf("body of %d", len(c.Chunk))
		}
		return fmt.Sprintf("body %q", c.Chunk)
	}
	return cmd.Code().String()
}

// sameLines compares what was heard with what should have been.
func sameLines(tb testing.TB, got []string, want ...string) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("heard:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
