package load

import (
	"errors"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"millstream/protocol"
)

// A fault is a way in which a milter may fail: in place of its answer to a command it
// does something else.
type fault struct {
	name   string
	at     protocol.Code
	answer func(natural []byte) []byte // nil for no answer at all
	hangUp bool
	steps  protocol.Steps
	kind   string // of the errors that show it
	text   string // that tells of it
}

func bytesOf(b ...byte) func([]byte) []byte { return func([]byte) []byte { return b } }

// then has more come after the right answer.
func then(b ...byte) func([]byte) []byte {
	return func(natural []byte) []byte { return append(natural, b...) }
}

var addHeader, _ = protocol.AppendAddHeader(nil, "X-Late", "1")

var faults = []fault{
	{
		name: "wrong answer", at: protocol.CodeHelo, answer: bytesOf(0, 0, 0, 1, 's'),
		kind: ErrorProtocol, text: "skip answers helo",
	},
	{
		name: "unknown answer", at: protocol.CodeHelo, answer: bytesOf(0, 0, 0, 1, '?'),
		kind: ErrorProtocol, text: "0x3f",
	},
	{
		name: "extra bytes", at: protocol.CodeEndOfMessage, answer: then(1, 2, 3),
		kind: ErrorProtocol, text: "3 bytes beside the answer to end-of-message",
	},
	{
		name: "no answer", at: protocol.CodeRcptTo,
		kind: ErrorTimeout, text: "no answer to envelope-recipient in time",
	},
	{
		name: "answer to what takes none", at: protocol.CodeHeader, steps: protocol.StepNoReplyHeader, answer: bytesOf(0, 0, 0, 1, 'c'),
		kind: ErrorProtocol,
	},
	{
		name: "change after the verdict", at: protocol.CodeEndOfMessage,
		answer: func(n []byte) []byte { return append(goOn(nil), addHeader...) },
		kind:   ErrorProtocol, text: "beside the answer to end-of-message",
	},
	{
		name: "change before the end", at: protocol.CodeBody,
		answer: func(n []byte) []byte { return goOn(slices.Clone(addHeader)) },
		kind:   ErrorProtocol, text: "add-header answers body",
	},
	{
		name: "closes in place of an answer", at: protocol.CodeData, hangUp: true,
		kind: ErrorLost, text: "closed in place of the answer to data",
	},
	{
		name: "closes between messages", at: protocol.CodeEndOfMessage, answer: then(), hangUp: true,
		kind: ErrorLost,
	},
	{
		name: "closes in a packet", at: protocol.CodeEndOfHeader, answer: bytesOf(0, 0, 0, 9, 'y', '5'), hangUp: true,
		kind: ErrorLost, text: "connection ended in a packet",
	},
	{
		name: "refuses the offer", at: protocol.CodeNegotiate, answer: bytesOf(0, 0, 0, 1, 'r'),
		kind: ErrorOffer, text: "negotiation failed",
	},
	{
		name: "wants what was not offered", at: protocol.CodeNegotiate,
		answer: bytesOf(0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 0, 0x80, 0, 0, 0, 0, 0),
		kind:   ErrorOffer, text: "not offered",
	},
	{
		name: "wants another version", at: protocol.CodeNegotiate,
		answer: bytesOf(0, 0, 0, 13, 'O', 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0),
		kind:   ErrorOffer, text: "version 9",
	},
	{
		name: "short offer", at: protocol.CodeNegotiate, answer: bytesOf(0, 0, 0, 2, 'O', 0),
		kind: ErrorProtocol,
	},
	{
		name: "oversized", at: protocol.CodeConnect, answer: bytesOf(0x7f, 0xff, 0xff, 0xff, 'c'),
		kind: ErrorProtocol, text: "packet",
	},
	{
		name: "empty packet", at: protocol.CodeConnect, answer: bytesOf(0, 0, 0, 0, 0),
		kind: ErrorProtocol,
	},
	{
		name: "doubled", at: protocol.CodeMailFrom, answer: then(0, 0, 0, 1, 'c'),
		kind: ErrorProtocol, text: "5 bytes beside the answer to envelope-from",
	},
	{
		name: "verdict with a payload", at: protocol.CodeMailFrom, answer: bytesOf(0, 0, 0, 2, 'c', 0),
		kind: ErrorProtocol,
	},
	{
		name: "reply without a code", at: protocol.CodeMailFrom, answer: bytesOf(0, 0, 0, 4, 'y', 'n', 'o', 0),
		kind: ErrorProtocol, text: "reply-text",
	},
	{
		name: "progress before the end", at: protocol.CodeRcptTo,
		answer: func(n []byte) []byte { return append([]byte{0, 0, 0, 1, 'p'}, n...) },
		kind:   ErrorProtocol, text: "progress answers envelope-recipient",
	},
	{
		name: "change that was not agreed on", at: protocol.CodeEndOfMessage,
		answer: func(n []byte) []byte { return goOn(protocol.AppendReplaceBody(nil, []byte("new"))) },
		kind:   ErrorProtocol, text: "replace-body was not agreed on",
	},
	{
		name: "header missing", at: protocol.CodeEndOfMessage,
		answer: func(n []byte) []byte { return goOn(nil) },
		kind:   ErrorExpected, text: "X-Load was not added",
	},
	{
		name: "talks HTTP", at: protocol.CodeNegotiate,
		answer: func(n []byte) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") },
		kind:   ErrorProtocol,
	},
}

// Each fault of a milter is found, and told from the others.
func TestFaults(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			m := &testMilter{steps: f.steps}
			m.answer = func(_ net.Conn, code protocol.Code, n int, natural []byte) ([]byte, bool, bool) {
				if code != f.at || n != 1 {
					return nil, false, false
				}
				if f.answer == nil {
					return nil, true, f.hangUp
				}
				return f.answer(natural), true, f.hangUp
			}
			cfg := Config{
				Address: m.start(t), Mails: mails()[:1], Connections: 2, Reuse: 2, Messages: 8, Expect: []string{"X-Load"},
			}
			if f.kind == ErrorTimeout {
				cfg.Timeout = 50 * time.Millisecond
			}
			r, err := Run(t.Context(), cfg, nil)
			if failed := f.at == protocol.CodeNegotiate; (err != nil) != failed {
				t.Errorf("error %v", err)
			}
			if n := r.Errors[f.kind]; n == 0 || n != r.Failures() && f.steps == 0 { // one answer too many is taken for the next one
				t.Errorf("errors %v, want %q and no other", r.Errors, f.kind)
			}
			if len(r.Samples) == 0 || !strings.Contains(r.Samples[0].Text, f.text) {
				t.Errorf("errors %v, want %q in the first", r.Samples, f.text)
			}
		})
	}
}

// A doubled answer that comes later is found too, with the next message at the latest.
func TestDoubledLater(t *testing.T) {
	m := &testMilter{}
	m.answer = func(c net.Conn, code protocol.Code, n int, natural []byte) ([]byte, bool, bool) {
		if code != protocol.CodeMailFrom {
			return nil, false, false
		}
		_, err := c.Write(natural)
		return natural, err == nil, false // in a write of its own
	}
	r, err := Run(t.Context(), Config{Address: m.start(t), Mails: mails(), Messages: 5}, nil)
	if err != nil || r.Errors[ErrorProtocol] == 0 {
		t.Errorf("%v, %v", r.Errors, err)
	}
}

// A slow answer is in the latency of its stage, of its message, and of those that had
// to wait for it.
func TestSlowAnswer(t *testing.T) {
	const slow = 60 * time.Millisecond
	m := &testMilter{}
	m.answer = func(c net.Conn, code protocol.Code, n int, _ []byte) (b []byte, use, hangUp bool) {
		if code == protocol.CodeData && n == 10 {
			timer := time.NewTimer(slow)
			defer timer.Stop()
			<-timer.C
		}
		return nil, false, false
	}
	address := m.start(t)
	run := func(rate Schedule) *Result {
		r, err := Run(t.Context(), Config{Address: address, Mails: mails()[:1], Messages: 100, Rate: rate}, nil)
		if err != nil || r.Failures() > 0 || r.Counts.Messages != 100 {
			t.Fatalf("%v, %v, %v", r, r.Errors, err)
		}
		if worst := r.Latency("data").Quantile(100); worst < slow {
			t.Errorf("the slowest answer took %v", worst)
		}
		return r
	}
	closed, open := run(nil), run(Schedule{{From: 1000, To: 1000}})
	late := func(r *Result) (n int64) {
		for _, bar := range r.Latency(MessageLatency).Hist.Distribution() {
			if time.Duration(bar.From) > slow/4 {
				n += bar.Count
			}
		}
		return n
	}
	if n := late(closed); n > 20 {
		t.Errorf("closed loop: %d messages are late", n)
	}
	if n := late(open); n < 30 { // one each millisecond had to wait
		t.Errorf("open loop: %d messages are late", n)
	}
}

// Without a milter there is an error at once.
func TestNoMilter(t *testing.T) {
	r, err := Run(t.Context(), Config{Address: "unix:" + t.TempDir() + "/none", Mails: mails(), Connections: 3}, nil)
	if err == nil || !strings.Contains(err.Error(), "does the milter listen there?") || r.Errors[ErrorConnect] == 0 {
		t.Errorf("%v, %v", r, err)
	}
}

func TestConfigErrors(t *testing.T) {
	for text, cfg := range map[string]Config{
		"no mails":     {Address: "unix:/s"},
		"address":      {Address: "nonsense:", Mails: mails()},
		"connections":  {Connections: -1, Mails: mails()},
		"100 %":        {Chaos: Chaos{Abort: 0.6, Reset: 0.5}, Mails: mails()},
		"below 0":      {Chaos: Chaos{Abort: -0.1}, Mails: mails()},
		"of chaos":     {Chaos: Chaos{SlowRead: math.NaN()}, Mails: mails()},
		"negative":     {Reuse: -1, Mails: mails()},
		"step 2":       {Rate: Schedule{{From: 1, To: 1, For: 1}, {From: math.Inf(1), To: math.Inf(1)}}, Mails: mails()},
		"step 1":       {Rate: Schedule{{From: 1, To: 2}}, Mails: mails()},
		"65 headers":   {Expect: make([]string, 65), Mails: mails()},
		"an inherited": {Address: "fd:3", Mails: mails()},
	} {
		if _, err := Run(t.Context(), cfg, nil); !errors.Is(err, protocol.ErrInvalidArgument) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
