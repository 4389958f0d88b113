package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	"millstream/protocol"
)

// load is how a server is loaded.
type load struct{ connections, messages int }

// measure returns the CPU time of a server per message, in microseconds.
func (l load) measure(path, socket string, r run) (float64, error) {
	s, err := start(path, socket, r.stream)
	if err != nil {
		return 0, err
	}
	defer s.stop()
	if err := l.send(s, r, l.messages/10); err != nil { // warm
		return 0, err
	}
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	if err := l.send(s, r, l.messages); err != nil {
		return 0, err
	}
	after, err := s.cpu()
	return (after - before) * 10e3 / float64(l.messages), err
}

// send sends messages over all connections.
func (l load) send(s *server, r run, messages int) error {
	var left atomic.Int64
	left.Store(int64(messages))
	errs := make(chan error, l.connections)
	var all sync.WaitGroup
	for range l.connections {
		all.Go(func() {
			for left.Load() > 0 {
				if err := session(s, r, &left); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// turn is what an MTA writes at once, and whether it waits for an answer.
type turn struct {
	packets []byte
	answers bool
}

// session sends messages over one connection: one, or as long as there are any.
func session(s *server, r run, left *atomic.Int64) error {
	c, err := net.Dial(s.net, s.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	in := bufio.NewReaderSize(c, 4096)
	open, message := greeting(r.stream), mail(r.stream)
	if err := play(c, in, open); err != nil {
		return err
	}
	for left.Add(-1) >= 0 {
		if err := play(c, in, message); err != nil {
			return err
		}
		if r.churn {
			break
		}
	}
	_, err = c.Write((&protocol.Quit{}).Append(nil))
	return err
}

// play sends turns, joined where nothing is waited for, and reads the answers.
func play(w io.Writer, r *bufio.Reader, turns []turn) error {
	for _, t := range turns {
		if _, err := w.Write(t.packets); err != nil {
			return err
		}
		for t.answers {
			final, err := answer(r)
			if err != nil {
				return err
			}
			if final {
				break
			}
		}
	}
	return nil
}

// answer reads one packet and reports whether it ends the wait.
func answer(r *bufio.Reader) (final bool, err error) {
	head, err := r.Peek(protocol.HeaderSize)
	if err != nil {
		return false, err
	}
	size := 4 + (int(head[2])<<8 | int(head[3]))
	code := protocol.Code(head[4])
	if _, err := r.Discard(size); err != nil {
		return false, err
	}
	switch code {
	case protocol.CodeContinue, protocol.CodeAccept, protocol.CodeNegotiate:
		return true, nil
	case protocol.CodeAddHeader:
		return false, nil
	}
	return false, fmt.Errorf("unexpected answer: %v", code)
}

// greeting opens a connection for an SMTP client.
func greeting(stream bool) []turn {
	offer := protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: protocol.StepsAll}
	negotiate := &protocol.Negotiate{Offer: offer}
	client := protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.1"), Port: 40000}
	return append([]turn{{negotiate.Append(nil), true}}, join(stream,
		step(&protocol.Connect{Host: protocol.View("client.example"), Addr: client},
			"j", "mx.example.org", "daemon_name", "smtpd", "v", "Postfix 3.7.11"),
		step(&protocol.Helo{Name: protocol.View("client.example")}))...)
}

// mail is one message as Postfix sends it, with twelve headers.
func mail(stream bool) []turn {
	steps := [][]byte{
		step(&protocol.MailFrom{Addr: protocol.View("<a@example.com>"), Params: protocol.NewParams("SIZE=2048")},
			"mail_addr", "a@example.com", "mail_host", "example.com", "mail_mailer", "smtp"),
		step(&protocol.RcptTo{Addr: protocol.View("<b@example.net>")},
			"rcpt_addr", "b@example.net", "rcpt_host", "example.net", "rcpt_mailer", "smtp"),
		step(&protocol.Data{}, "i", "4XyZ12345678"),
	}
	for i := range 12 {
		steps = append(steps, step(&protocol.Header{
			Name:  protocol.View(fmt.Sprintf("X-Header-%d", i)),
			Value: protocol.View(strings.Repeat("some words ", 5)),
		}, "i", "4XyZ12345678"))
	}
	steps = append(steps,
		step(&protocol.EndOfHeader{}, "i", "4XyZ12345678"),
		step(&protocol.Body{Chunk: protocol.View(strings.Repeat("0123456789abcdef0123456789abcd\r\n", 64))}, "i", "4XyZ12345678"))
	turns := join(stream, steps...)
	last := step(&protocol.EndOfMessage{}, "i", "4XyZ12345678")
	if stream { // everything leaves at once
		turns[0].packets, turns[0].answers = append(turns[0].packets, last...), true
		return turns
	}
	return append(turns, turn{last, true})
}

// step returns a command with its macros before it.
func step(c protocol.Command, macros ...string) []byte {
	return c.Append(protocol.NewMacro(c.Code(), macros...).Append(nil))
}

// join makes turns of steps: one each, or one for all.
func join(stream bool, steps ...[]byte) []turn {
	var turns []turn
	for _, s := range steps {
		if stream && len(turns) > 0 {
			turns[0].packets = append(turns[0].packets, s...)
			continue
		}
		turns = append(turns, turn{s, !stream})
	}
	return turns
}
