package load

import (
	"context"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"millstream/protocol"
)

// watchProgress returns a progress function that checks that the numbers of a run do
// not drift. They are those of the last call.
func watchProgress(t *testing.T, connections int64) (last *Progress, progress func(Progress)) {
	last = new(Progress)
	return last, func(p Progress) {
		if p.InFlight < 0 || p.InFlight > connections || p.Waiting < 0 || p.Done > 1 {
			t.Errorf("progress %+v", p)
		}
		*last = p
	}
}

func hasWarning(r *Result, text string) bool {
	return slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, text) })
}

// Connections that a milter closes while they wait for a message are opened anew when
// there is one, and no message is counted or begun twice.
func TestLostWhileWaiting(t *testing.T) {
	m := &testMilter{}
	m.answer = func(_ net.Conn, code protocol.Code, _ int, natural []byte) ([]byte, bool, bool) {
		return natural, code == protocol.CodeEndOfMessage, code == protocol.CodeEndOfMessage
	}
	last, progress := watchProgress(t, 8)
	r, err := Run(t.Context(), Config{
		Address: m.start(t), Mails: mails()[:1], Connections: 8, Workers: 2, Messages: 300,
		Rate: Schedule{{From: 500, To: 500}}, Expect: []string{"X-Load"},
	}, progress)
	if err != nil || r.Failures() != r.Errors[ErrorLost] || r.Errors[ErrorLost] == 0 || last.InFlight != 0 {
		t.Errorf("%v, %v, %d in flight, %v", r.Errors, r.Samples, last.InFlight, err)
	}
	mails, ends := m.count(protocol.CodeMailFrom), m.count(protocol.CodeEndOfMessage)
	if mails != ends || mails > 300 || r.Counts.Messages > ends || r.Counts.Messages+r.Errors[ErrorLost] < 300 {
		t.Errorf("%d messages were begun and %d ended, %d are counted, %v", mails, ends, r.Counts.Messages, r.Errors)
	}
}

// A run whose context ends tells what it has shown, though a milter never answers.
func TestCancel(t *testing.T) {
	for _, open := range []bool{false, true} {
		m := &testMilter{}
		ctx, cancel := context.WithCancel(t.Context())
		m.answer = func(_ net.Conn, code protocol.Code, n int, _ []byte) ([]byte, bool, bool) {
			stalls := code == protocol.CodeEndOfMessage && n == 5
			if stalls {
				cancel()
			}
			return nil, stalls, false
		}
		cfg := Config{Address: m.start(t), Mails: mails()[:1], Connections: 1}
		if open {
			cfg.Rate = Schedule{{From: 1000, To: 1000}}
		}
		last, progress := watchProgress(t, 1)
		r, err := Run(ctx, cfg, progress)
		if err != nil || r.Failures() > 0 || r.Counts.Messages != 4 || last.InFlight != 0 {
			t.Errorf("%+v, %v, %+v, %v", r.Counts, r.Samples, last, err)
		}
		if !hasWarning(r, "1 messages were under way") {
			t.Errorf("warnings %v", r.Warnings)
		}
	}
}

// A context that has ended before has nothing sent.
func TestCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := &testMilter{}
	r, err := Run(ctx, Config{Address: m.start(t), Mails: mails(), WarmUp: time.Hour}, nil)
	if err != nil || r.Counts != (Counts{}) || m.count(protocol.CodeMailFrom) != 0 {
		t.Errorf("%+v, %v", r.Counts, err)
	}
}

// A milter that is at work for ever is cut off in the end.
func TestCut(t *testing.T) {
	m := &testMilter{}
	m.answer = func(c net.Conn, code protocol.Code, _ int, _ []byte) ([]byte, bool, bool) {
		if code != protocol.CodeEndOfMessage {
			return nil, false, false
		}
		for pause := time.NewTicker(time.Millisecond); ; <-pause.C {
			if _, err := c.Write([]byte{0, 0, 0, 1, 'p'}); err != nil {
				pause.Stop()
				return nil, true, true
			}
		}
	}
	r, err := Run(t.Context(), Config{
		Address: m.start(t), Mails: mails()[:1], Connections: 3, Duration: 10 * time.Millisecond, Timeout: 500 * time.Millisecond,
	}, nil)
	if err != nil || r.Failures() > 0 || r.Counts.Messages != 0 || !hasWarning(r, "3 messages were under way") {
		t.Errorf("%+v, %v, %v, %v", r.Counts, r.Samples, r.Warnings, err)
	}
}

// An SMTP client that thinks takes its time, once for each of its commands.
func TestThink(t *testing.T) {
	const think = 5 * time.Millisecond
	for _, steps := range []protocol.Steps{0, protocol.StepNoReplyMask} {
		for _, reuse := range []int{0, 1} {
			m := &testMilter{steps: steps}
			r, err := Run(t.Context(), Config{
				Address: m.start(t), Mails: mails()[1:], Connections: 3, Messages: 9, Think: think, Reuse: reuse,
			}, nil)
			if err != nil || r.Failures() > 0 || r.Counts.Messages != 9 {
				t.Fatalf("%+v, %v, %v", r.Counts, r.Samples, err)
			}
			pauses := 4 // after sender, two recipients and data
			if reuse == 1 {
				pauses += 2 // after connect and helo
			}
			least := time.Duration(r.Latency(MessageLatency).Hist.Min())
			if want := time.Duration(pauses) * think; least < want-want/500 { // that exact is the histogram
				t.Errorf("a message took %v, want %v at least", least, want)
			}
		}
	}
}

// The progress of a run is told while it lasts, and the process of the milter shown.
func TestProgress(t *testing.T) {
	m := &testMilter{}
	last, check := watchProgress(t, 2)
	calls, total := 0, int64(0)
	r, err := Run(t.Context(), Config{
		Address: m.start(t), Mails: mails()[:1], Connections: 2, Duration: interval + interval/4, PID: unix.Getpid(),
	}, func(p Progress) {
		check(p)
		if p.Total < total || p.WarmUp {
			t.Errorf("progress %+v after %d messages", p, total)
		}
		calls, total = calls+1, p.Total
	})
	if err != nil || r.Failures() > 0 || calls < 2 || len(r.Series) != calls {
		t.Fatalf("%d calls, %v, %v", calls, r.Samples, err)
	}
	sum := int64(0)
	for _, i := range r.Series {
		sum += i.Messages
	}
	if last.Done != 1 || total != r.Counts.Messages || sum != total {
		t.Errorf("%+v, %d messages in all, %d in the series, want %d", last, total, sum, r.Counts.Messages)
	}
	u := r.Server
	if u == nil || u.PID != unix.Getpid() || u.CPU <= 0 || u.Memory <= 0 || u.Peak < u.Memory || u.CPUs <= 0 || r.Generator.CPU <= 0 {
		t.Errorf("server %+v, generator %+v", u, r.Generator)
	}
}

// A process that ends before the run does is not shown as one that needs nothing.
func TestProcessEnds(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "cat")
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m := &testMilter{}
	m.answer = func(_ net.Conn, code protocol.Code, _ int, _ []byte) ([]byte, bool, bool) {
		if code == protocol.CodeEndOfMessage {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		return nil, false, false
	}
	r, err := Run(t.Context(), Config{Address: m.start(t), Mails: mails()[:1], Messages: 1, PID: cmd.Process.Pid}, nil)
	if err != nil || r.Counts.Messages != 1 || r.Server != nil || !hasWarning(r, "has ended") {
		t.Errorf("%+v, %v, %v", r.Server, r.Warnings, err)
	}
}

// A process that is not there is not shown, and that is said.
func TestNoProcess(t *testing.T) {
	m := &testMilter{}
	r, err := Run(t.Context(), Config{Address: m.start(t), Mails: mails()[:1], Messages: 1, PID: 1 << 30}, nil)
	if err != nil || r.Server != nil || !hasWarning(r, "cannot be looked at") {
		t.Errorf("%+v, %v, %v", r.Server, r.Warnings, err)
	}
}
