package mta

import (
	"bytes"
	"net"
	"testing"

	"millstream/protocol"
)

// A recording Conn keeps what was written.
type recording struct {
	net.Conn
	written []byte
}

func (c *recording) Write(b []byte) (int, error) {
	c.written = append(c.written, b...)
	return c.Conn.Write(b)
}

// Packets are what Greet and Deliver write.
func TestPackets(t *testing.T) {
	for _, dialect := range []Dialect{Postfix, Sendmail} {
		for name, wants := range map[string]protocol.Request{
			"all":        {},
			"little":     {Steps: protocol.StepNoHelo | protocol.StepNoHeaders | protocol.StepNoEndOfHeader | protocol.StepNoReplyMail},
			"body":       {Steps: protocol.StepNoBody | protocol.StepHeaderLeadingSpace},
			"no replies": {Steps: noReplies},
		} {
			t.Run(dialect.String()+", "+name, func(t *testing.T) {
				f := &filter{wants: wants}
				f.wants.Macros.Add(protocol.StageRcpt, "i", "rcpt_addr", "client_addr")
				f.wants.Macros.Add(protocol.StageEndOfMessage, "i")
				var record *recording
				c := f.start(t, func(tb testing.TB) (ours, theirs net.Conn) {
					ours, theirs = socket(tb)
					record = &recording{Conn: ours}
					return record, theirs
				})
				c.SetDialect(dialect)
				if _, _, err := c.Negotiate(Offer()); err != nil {
					t.Fatal(err)
				}
				client, mail := testClient(), testMail()
				record.written = nil
				if _, err := c.Greet(client); err != nil {
					t.Fatal(err)
				}
				samePackets(t, c.terms.Greeting(dialect, client), record.written)
				record.written = nil
				if _, err := c.Deliver(mail); err != nil {
					t.Fatal(err)
				}
				p := c.terms.Message(dialect, client, mail)
				samePackets(t, p, record.written)
				if len(p.IDs) != bytes.Count(p.Bytes, []byte(mail.ID)) || len(p.IDs) == 0 {
					t.Errorf("queue ids at %v of %q", p.IDs, p.Bytes)
				}
				for _, at := range p.IDs {
					if !bytes.HasPrefix(p.Bytes[at:], []byte(mail.ID)) {
						t.Errorf("no queue id at %d of %q", at, p.Bytes)
					}
				}
				c.Close()
			})
		}
	}
}

// samePackets checks the bytes of p, and that its steps are where the packets are.
func samePackets(t *testing.T, p *Packets, want []byte) {
	t.Helper()
	if !bytes.Equal(p.Bytes, want) {
		t.Fatalf("packets\n got %q\nwant %q", p.Bytes, want)
	}
	at := 0
	for _, s := range p.Steps {
		for _, part := range []struct {
			end  int
			code protocol.Code
		}{{s.Command, protocol.CodeMacro}, {s.End, s.Code}} {
			if part.end == at {
				continue
			}
			code, _, n, err := protocol.Frame(p.Bytes[at:], protocol.DefaultMaxPacketSize)
			if err != nil || code != part.code || at+n != part.end {
				t.Fatalf("%v: %v of %d bytes at %d of %q, %v", s, code, n, at, p.Bytes, err)
			}
			at += n
		}
	}
	if at != len(p.Bytes) {
		t.Errorf("steps end at %d of %d", at, len(p.Bytes))
	}
}
