package e2e

import (
	"cmp"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// A reply is an answer of the MTA to the SMTP client.
type reply struct {
	to   string // the stage: connect, helo, mail, rcpt, data or message
	code int
	text string // without the code, lines joined by LF
}

func (r reply) ok() bool { return r.code/100 == 2 || r.code == 354 }

func (r reply) String() string { return fmt.Sprintf("%s: %d %q", r.to, r.code, r.text) }

// A mail is one message with its envelope.
type mail struct {
	from string // with brackets and parameters
	to   []string
	data []byte // lines end in CRLF
}

// A client is an SMTP client that looks at every reply. What goes wrong with the
// connection shows as a reply with code 0.
type client struct{ conn *textproto.Conn }

// dial connects to the MTA from a local address, such as 127.0.0.1, and returns
// its greeting.
func dial(tb testing.TB, addr, from string) (*client, reply) {
	tb.Helper()
	c, greeting, err := open(addr, from)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.close)
	return c, greeting
}

// open is dial for who closes the client.
func open(addr, from string) (*client, reply, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, reply{}, err
	}
	c := &client{textproto.NewConn(conn)}
	if err := conn.SetDeadline(time.Now().Add(8 * patience)); err != nil {
		c.close()
		return nil, reply{}, err
	}
	return c, c.read("connect"), nil
}

func (c *client) close() { _ = c.conn.Close() }

// read reads one reply.
func (c *client) read(to string) reply {
	code, text, err := c.conn.ReadResponse(0)
	if err != nil && code == 0 {
		text = err.Error()
	}
	return reply{to, code, text}
}

// say sends a command and reads its reply.
func (c *client) say(to, format string, args ...any) reply {
	if err := c.conn.PrintfLine(format, args...); err != nil {
		return reply{to, 0, err.Error()}
	}
	return c.read(to)
}

// hello greets the MTA.
func (c *client) hello(name string) reply {
	return c.say("helo", "EHLO %s", cmp.Or(name, "client.example.org"))
}

// envelope sends what comes before DATA, and returns the first reply that is not
// good, or the last.
func (c *client) envelope(m mail) reply {
	r := c.say("mail", "MAIL FROM:%s", m.from)
	for _, to := range m.to {
		if !r.ok() {
			return r
		}
		r = c.say("rcpt", "RCPT TO:%s", to)
	}
	return r
}

// message sends DATA and the message.
func (c *client) message(data []byte) reply {
	if r := c.say("data", "DATA"); r.code != 354 {
		return r
	}
	w := c.conn.DotWriter()
	_, err := w.Write(data)
	if err = cmp.Or(w.Close(), err); err != nil {
		return reply{"message", 0, err.Error()}
	}
	return c.read("message")
}

// send sends one message, and returns the first reply that is not good, or the
// last.
func (c *client) send(m mail) reply {
	if r := c.envelope(m); !r.ok() {
		return r
	}
	return c.message(m.data)
}

// quit ends the session.
func (c *client) quit() {
	c.say("quit", "QUIT")
	c.close()
}

// text makes a message out of lines.
func text(lines ...string) []byte {
	return []byte(strings.Join(lines, "\r\n") + "\r\n")
}
