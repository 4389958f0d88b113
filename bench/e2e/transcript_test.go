package e2e

import (
	"fmt"
	"regexp"
	"strings"

	"millstream/protocol"
	"millstream/protocol/script"
)

// A transcript is made of a tape: lines of a session script.
type transcript struct {
	steps       []script.Step
	mta, milter []byte // of packets that are not whole
	joined      bool   // the next packet of the mail server came with the one before
	quit, left  bool
	err         error
}

// transcribe writes down what a tape has.
func transcribe(t *tape) (*transcript, error) {
	x := &transcript{}
	for _, p := range t.pieces {
		if p.mta {
			x.hear(p)
		} else {
			x.reply(p)
		}
	}
	if n := len(x.mta) + len(x.milter); n > 0 && x.err == nil {
		x.err = fmt.Errorf("%d bytes are left of packets", n)
	}
	return x, x.err
}

// hear takes what a mail server says.
func (x *transcript) hear(p piece) {
	x.joined = x.joined && len(x.mta) > 0
	x.mta = append(x.mta, p.bytes...)
	for {
		code, _, n, err := protocol.Frame(x.mta, protocol.DefaultMaxPacketSize)
		if n == 0 {
			x.fail(err)
			break
		}
		x.quit = code == protocol.CodeQuit
		x.steps = append(x.steps, script.Sent(x.mta[:n], x.joined))
		x.mta, x.joined = x.mta[n:], true
	}
	if p.err != nil && !x.quit {
		x.left = true
		x.steps = append(x.steps, &script.Send{Leave: leave(p.err)})
	}
}

// reply takes what the milter answers.
func (x *transcript) reply(p piece) {
	x.milter = append(x.milter, p.bytes...)
	for {
		code, body, n, err := protocol.Frame(x.milter, protocol.DefaultMaxPacketSize)
		if n == 0 {
			x.fail(err)
			break
		}
		a, err := protocol.DecodeAnswer(code, body)
		x.fail(err)
		x.steps = append(x.steps, &script.Receive{Answer: a.Clone()})
		x.milter = x.milter[n:]
	}
	if p.err != nil && !x.left {
		x.steps = append(x.steps, &script.Receive{Close: true})
	}
}

func (x *transcript) fail(err error) {
	if x.err == nil {
		x.err = err
	}
}

// from reports whether the SMTP client had an address, or a name.
func (x *transcript) from(client string) bool {
	for _, step := range x.steps {
		if s, ok := step.(*script.Send); ok {
			if c, ok := s.Command.(*protocol.Connect); ok {
				return c.Host.String() == client || c.Addr.IP.String() == client
			}
		}
	}
	return false
}

// clientPort finds the port of the SMTP client.
var clientPort = regexp.MustCompile(`inet:[1-9]\d*@`)

// text returns the lines. What is another each time is replaced: queue ids, the
// port of the client, and words of the caller, of which the first of two is
// replaced by the second.
func (x *transcript) text(words ...string) string {
	seen := map[string]bool{}
	var b strings.Builder
	for _, step := range x.steps {
		if id := queueMacro(step); id != "" && !seen[id] {
			seen[id] = true
			words = append(words, id, fmt.Sprint("QUEUE", len(seen)))
		}
		b.WriteString(step.String() + "\n")
	}
	text := clientPort.ReplaceAllString(b.String(), "inet:50443@")
	return strings.NewReplacer(words...).Replace(text)
}

// queueMacro returns the queue id that a packet tells, or "".
func queueMacro(step script.Step) string {
	s, _ := step.(*script.Send)
	if s == nil {
		return ""
	}
	m, _ := s.Command.(*protocol.Macro)
	if m == nil {
		return ""
	}
	for name, value := range m.All() {
		if name.String() == "i" {
			return value.String()
		}
	}
	return ""
}
