package load

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"millstream/protocol"
)

// Idle sessions are greeted, held, and left as MTAs leave.
func TestIdle(t *testing.T) {
	m := &testMilter{}
	last, progress := watchProgress(t, 0)
	r, err := Run(t.Context(), Config{Address: m.start(t), Mails: mails(), Idle: 20, Workers: 2}, progress)
	if err != nil || r.Failures() > 0 || r.Counts.Messages > 0 || r.Idle.Sessions != 20 || hasWarning(r, "idle") {
		t.Errorf("%+v, %v, %v, %v, %v", r.Counts, r.Samples, r.Idle, r.Warnings, err)
	}
	helos, quits, mails := m.count(protocol.CodeHelo), m.count(protocol.CodeQuit), m.count(protocol.CodeMailFrom)
	if helos != 20 || quits != 20 || mails != 0 || last.InFlight != 0 {
		t.Errorf("%d helo, %d quit, %d messages", helos, quits, mails)
	}
}

// An idle session that loses its connection is opened anew.
func TestIdleLost(t *testing.T) {
	m := &testMilter{}
	var connections atomic.Int64
	m.answer = func(_ net.Conn, code protocol.Code, _ int, natural []byte) ([]byte, bool, bool) {
		return natural, code == protocol.CodeHelo, code == protocol.CodeHelo && connections.Add(1) <= 3
	}
	r, err := Run(t.Context(), Config{
		Address: m.start(t), Mails: mails()[:1], Idle: 5, Connections: 2, Workers: 2, Messages: 30,
	}, nil)
	if err != nil || r.Failures() > 0 || r.Idle.Sessions != 5 || r.Counts.Messages != 30 { // the loss was before anything counted
		t.Errorf("%+v, %v, %v, %v", r.Counts, r.Samples, r.Idle, err)
	}
	if n := m.count(protocol.CodeHelo); n != 5+3+2 && n != 5+3+1 { // one session may be quick enough for all messages
		t.Errorf("%d connections were greeted", n)
	}
}

// A milter that does not take all of the idle sessions does not hold up the run.
func TestIdleRefused(t *testing.T) {
	m := &testMilter{}
	var connections atomic.Int64
	m.answer = func(_ net.Conn, code protocol.Code, _ int, natural []byte) ([]byte, bool, bool) {
		isOver := code == protocol.CodeNegotiate && connections.Add(1) > 2
		return nil, isOver, isOver
	}
	r, err := Run(t.Context(), Config{
		Address: m.start(t), Mails: mails(), Idle: 4, Timeout: 300 * time.Millisecond,
	}, nil)
	if err != nil || r.Idle.Sessions != 2 || !hasWarning(r, "only 2 of 4 idle sessions") {
		t.Errorf("%v, %v, %v", r.Idle, r.Warnings, err)
	}
}
