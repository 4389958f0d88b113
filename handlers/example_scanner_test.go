package handlers_test

import (
	"bytes"
	"context"
	"io"
	"strings"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// A Conn is a connection to a virus scanner, such as a *net.TCPConn.
type Conn interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// A scanning streams the body of one message after the other to a scanner. It
// belongs to one connection, so it needs no lock.
type scanning struct {
	dial func(context.Context) (Conn, error)
	conn Conn
}

// Scanner quarantines what a scanner does not like.
func Scanner(dial func(context.Context) (Conn, error)) handlers.Factory {
	return func(*handlers.Session) handlers.Handler {
		c := &scanning{dial: dial}
		return handlers.Chain(
			handlers.Go(c.body),
			handlers.Go(c.endOfMessage),
			handlers.Observe(c.processed),
		)
	}
}

func (c *scanning) body(s *handlers.Session, b *protocol.Body) handlers.Reply {
	if c.conn == nil {
		conn, err := c.dial(s.Context())
		if err != nil {
			return handlers.TempFail.With(451, "4.7.0", "scanner not available")
		}
		c.conn = conn
	}
	if _, err := c.conn.Write(b.Chunk); err != nil {
		return handlers.TempFail
	}
	return handlers.Continue
}

func (c *scanning) endOfMessage(_ *handlers.Session, m *handlers.Message) handlers.Reply {
	if c.conn == nil { // an empty message
		return handlers.Continue
	}
	c.conn.CloseWrite()
	verdict, err := io.ReadAll(c.conn)
	if err != nil {
		return handlers.TempFail
	}
	if virus, found := strings.CutPrefix(string(verdict), "FOUND "); found {
		m.AddHeader("X-Virus", virus)
		m.Quarantine("virus " + virus)
	}
	return handlers.Continue
}

// processed comes for every message, whatever became of it.
func (c *scanning) processed(*handlers.Session, *handlers.Result) {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// scanner is a connection to one that knows a single virus.
type scanner struct{ in, out bytes.Buffer }

func (s *scanner) Write(p []byte) (int, error) { return s.in.Write(p) }
func (s *scanner) Read(p []byte) (int, error)  { return s.out.Read(p) }
func (s *scanner) Close() error                { return nil }

func (s *scanner) CloseWrite() error {
	if strings.Contains(s.in.String(), "EICAR") {
		s.out.WriteString("FOUND EICAR")
	}
	return nil
}

// The body is streamed to a scanner while it comes.
func Example_scanner() {
	s := handlertest.NewFactory(t, Scanner(func(context.Context) (Conn, error) { return &scanner{}, nil }))
	show(s.Send(handlertest.Mail{From: "<a@example.com>", Body: "Hello.\r\n"}))
	show(s.Send(handlertest.Mail{From: "<b@example.com>", Body: "This is EICAR.\r\n"}))
	// Output:
	// end-of-message: continue
	// end-of-message: continue
	//   add-header X-Virus: EICAR
	//   quarantine virus EICAR
}
