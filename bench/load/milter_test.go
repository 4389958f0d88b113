package load

import (
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"millstream/protocol"
)

// A testMilter goes on with everything, but for what its faults do.
type testMilter struct {
	steps protocol.Steps // that it agrees to

	// answer returns what is written in answer to a command in place of what comes
	// naturally; use is false for that. n counts the commands of this kind, from 1.
	// hangUp has the connection closed after it.
	answer func(c net.Conn, code protocol.Code, n int, natural []byte) (b []byte, use, hangUp bool)

	stop  func() // has it end when its connections have ended
	mu    sync.Mutex
	heard []protocol.Command // in full when it has ended
}

// start serves until the test ends, and returns the address.
func (m *testMilter) start(tb testing.TB) string {
	tb.Helper()
	watchLeaks(tb)
	var address string
	address, m.stop = accept(tb, m.serve)
	return address
}

// accept calls serve for each connection to a new address, until stop is called or the
// test ends, when all connections have ended.
func accept(tb testing.TB, serve func(net.Conn)) (address string, stop func()) {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "milter")
	l, err := net.Listen("unix", path)
	if err != nil {
		tb.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { serve(c) })
		}
	})
	stop = func() {
		l.Close()
		all.Wait()
	}
	tb.Cleanup(stop)
	return "unix:" + path, stop
}

// count ends the milter and returns how many commands of a kind it has heard.
func (m *testMilter) count(code protocol.Code) (n int64) {
	m.stop()
	for _, cmd := range m.heard {
		if cmd.Code() == code {
			n++
		}
	}
	return n
}

// serve answers one connection.
func (m *testMilter) serve(c net.Conn) {
	defer c.Close()
	var d protocol.Decoder
	var seen [256]int
	pending, buf := []byte(nil), make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		pending = append(pending, buf[:n]...)
		for {
			code, body, n, err := protocol.Frame(pending, protocol.DefaultMaxPacketSize)
			if err != nil || n == 0 {
				break
			}
			cmd, err := d.Decode(code, body)
			if err != nil {
				return
			}
			m.mu.Lock()
			m.heard = append(m.heard, cmd.Clone())
			m.mu.Unlock()
			if code == protocol.CodeQuit {
				return
			}
			seen[code]++
			answer, hangUp := m.reply(c, cmd, seen[code])
			if _, err := c.Write(answer); err != nil || hangUp {
				return
			}
			pending = slices.Delete(pending, 0, n)
		}
	}
}

// reply returns the answer to a command.
func (m *testMilter) reply(c net.Conn, cmd protocol.Command, n int) (b []byte, hangUp bool) {
	code := cmd.Code()
	switch {
	case code == protocol.CodeNegotiate:
		o := protocol.Options{Version: 6, Actions: protocol.ActionAddHeaders, Steps: m.steps}
		b = (&protocol.Agreement{Wire: o}).Append(nil)
	case code == protocol.CodeMacro, code == protocol.CodeAbort, code == protocol.CodeQuitNewConnection,
		m.steps.Has(protocol.NoReply(code)) && protocol.NoReply(code) != 0:
	case code == protocol.CodeEndOfMessage:
		b, _ = protocol.AppendAddHeader(nil, "X-Load", "yes")
		b = goOn(b)
	default:
		b = goOn(nil)
	}
	if m.answer != nil {
		if other, use, hangUp := m.answer(c, code, n, b); use {
			return other, hangUp
		}
	}
	return b, false
}

func goOn(b []byte) []byte { return protocol.AppendReply(b, protocol.StatusContinue, nil) }
