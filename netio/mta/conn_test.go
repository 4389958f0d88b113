package mta

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"millstream/protocol"
)

func TestDial(t *testing.T) {
	for _, listen := range []struct{ network, address string }{
		{"tcp4", "127.0.0.1:0"}, {"unix", filepath.Join(t.TempDir(), "s")},
	} {
		l, err := net.Listen(listen.network, listen.address)
		if err != nil {
			t.Fatal(err)
		}
		spec := "unix:" + l.Addr().String()
		if listen.network == "tcp4" {
			host, port, _ := net.SplitHostPort(l.Addr().String())
			spec = "inet:" + port + "@" + host
		}
		f := &filter{}
		f.start(t, func(tb testing.TB) (ours, theirs net.Conn) {
			c, err := Dial(t.Context(), spec)
			if err != nil {
				tb.Fatal(err)
			}
			if theirs, err = l.Accept(); err != nil {
				tb.Fatal(err)
			}
			return c.conn, theirs
		})
		l.Close()
	}
}

func TestDialErrors(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name, spec string
		ctx        context.Context //nolint:containedctx // an argument
		err        error
		text       string
	}{
		{"no address", "inet:", t.Context(), protocol.ErrInvalidArgument, "port is missing"},
		{"inherited", "fd:3", t.Context(), protocol.ErrInvalidArgument, `"fd:3": an inherited socket`},
		{"nobody there", filepath.Join(t.TempDir(), "s"), t.Context(), syscall.ENOENT, "milter: no connection: dial unix"},
		{"too late", "inet:1@127.0.0.1", ended, context.Canceled, "milter: no connection: "},
	}
	for _, tt := range tests {
		c, err := Dial(tt.ctx, tt.spec)
		if c != nil || !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, want %v and %q", tt.name, err, tt.err, tt.text)
		}
	}
}

func TestCloseSaysQuit(t *testing.T) {
	f := &filter{}
	c := f.agreed(t)
	sameLines(t, f.end(t, c), "negotiate", "quit")
}

// What was gathered goes out before the quit.
func TestCloseAfterGathering(t *testing.T) {
	f := &filter{}
	c := f.agreed(t)
	if err := c.gather(&protocol.Helo{Name: protocol.View("x")}); err != nil {
		t.Fatal(err)
	}
	sameLines(t, f.end(t, c), "negotiate", "helo x", "quit")
}

func TestCloseAfterError(t *testing.T) {
	f := &filter{say: on(protocol.CodeHelo, packet('z', ""))}
	c := f.agreed(t)
	if _, _, err := c.Do(&protocol.Helo{}); !errors.Is(err, protocol.ErrProtocol) {
		t.Fatal(err)
	}
	sameLines(t, f.end(t, c), "negotiate", "helo ")
}

// A milter that does not read does not hold Close up.
func TestCloseDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		begun := time.Now()
		if err := NewConn(ours).Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took != quitTime {
			t.Errorf("took %v", took)
		}
	})
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &filter{say: on(protocol.CodeHelo, quiet)}
		c := f.start(t, pipe)
		if _, _, err := c.Negotiate(Offer()); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := c.SetDeadline(begun.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		_, _, err := c.Do(&protocol.Helo{})
		if ne := net.Error(nil); !errors.As(err, &ne) || !ne.Timeout() || time.Since(begun) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		if !strings.HasPrefix(err.Error(), "milter: no answer to helo: ") {
			t.Error(err)
		}
	})
}

func TestWriteFails(t *testing.T) {
	ours, theirs := net.Pipe()
	theirs.Close()
	err := NewConn(ours).Send(&protocol.Helo{})
	if !errors.Is(err, io.ErrClosedPipe) || !strings.HasPrefix(err.Error(), "milter: command not sent: ") {
		t.Error(err)
	}
}

func TestRead(t *testing.T) {
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			long := protocol.View(strings.Repeat("x", 3*firstBuffer))
			answers := append(answer(protocol.StatusSkip), packet(protocol.CodeReplaceBody, long.String())...)
			f := &filter{say: on(protocol.CodeHelo, append(answers, answer(protocol.StatusAccept)...))}
			c := f.start(t, pair)
			if err := c.Send(&protocol.Helo{}); err != nil {
				t.Fatal(err)
			}
			for _, want := range []protocol.Answer{
				{Code: protocol.CodeSkip}, {Code: protocol.CodeReplaceBody, Value: long}, {Code: protocol.CodeAccept},
			} {
				a, err := c.Read()
				if err != nil || a.Code != want.Code || string(a.Value) != string(want.Value) {
					t.Errorf("Read() = %v, %d bytes, %v; want %v", a.Code, len(a.Value), err, want.Code)
				}
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	tests := []struct {
		name  string
		bytes []byte
		err   error
	}{
		{"nothing", nil, io.EOF},
		{"half a length", []byte{0, 0}, protocol.ErrUnexpectedEnd},
		{"half a packet", packet(protocol.CodeQuarantine, "reason")[:9], protocol.ErrUnexpectedEnd},
		{"empty packet", []byte{0, 0, 0, 0}, protocol.ErrPacketEmpty},
		{"oversized packet", []byte{0, 0x10, 0, 1}, protocol.ErrPacketTooLarge},
		{"no milter", []byte("220 mx.example.org ESMTP\r\n"), protocol.ErrPacketTooLarge},
		{"unknown code", packet('z', ""), protocol.ErrUnexpectedCommand},
		{"a command", packet(protocol.CodeHelo, "x\x00"), protocol.ErrUnexpectedCommand},
		{"verdict with payload", packet(protocol.CodeContinue, "x"), protocol.ErrProtocol},
		{"text without end", packet(protocol.CodeReplyText, "550 no"), protocol.ErrMissingNull},
	}
	for _, tt := range tests {
		for name, pair := range pairs {
			f := &filter{}
			f.say = func(protocol.Command) []byte {
				f.conn.Write(tt.bytes) //nolint:errcheck // the MTA may have closed
				f.conn.Close()
				return quiet
			}
			c := f.start(t, pair)
			if err := c.Send(&protocol.Helo{}); err != nil {
				t.Fatal(err)
			}
			if a, err := c.Read(); !errors.Is(err, tt.err) || !strings.HasPrefix(err.Error(), "milter: ") {
				t.Errorf("%s over %s: Read() = %v, %v; want %v", tt.name, name, a.Code, err, tt.err)
			}
		}
	}
}
