package load

import (
	"fmt"
	"slices"
	"testing"

	"millstream/netio/mta"
	"millstream/protocol"
)

// What bad clients do leaves a good milter and the generator of one mind.
func TestChaos(t *testing.T) {
	const n = 200
	tests := []struct {
		name  string
		chaos Chaos
		check func(c *Counts) bool
	}{
		{"abort", Chaos{Abort: 1}, func(c *Counts) bool { return c.Aborts == n && c.Messages == 0 }},
		{"reset", Chaos{Reset: 1}, func(c *Counts) bool { return c.Resets == n && c.Messages == 0 && c.Sessions == n }},
		{"unknown", Chaos{Unknown: 1}, func(c *Counts) bool { return c.Messages == n && c.Changes == n }},
		{"all", Chaos{Abort: 0.3, Reset: 0.2, Unknown: 0.4}, func(c *Counts) bool {
			return c.Aborts > n/10 && c.Resets > n/20 && c.Messages == n-c.Aborts-c.Resets && c.Changes == c.Messages
		}},
	}
	for _, network := range []string{"unix", "tcp"} {
		for _, watch := range []bool{false, true} {
			address := serve(t, network, adding(watch))
			for _, dialect := range []mta.Dialect{mta.Postfix, mta.Sendmail} {
				if network == "tcp" && dialect == mta.Sendmail { // with Nagle's algorithm it takes its time
					continue
				}
				for _, reuse := range []int{0, 2} {
					for _, tt := range tests {
						t.Run(fmt.Sprintf("%s, %s, no replies %v, %v, reuse %d", network, tt.name, watch, dialect, reuse), func(t *testing.T) {
							r, err := Run(t.Context(), Config{
								Address: address, Dialect: dialect, Mails: mails(), Connections: 5, Workers: 2, Messages: n,
								Reuse: reuse, Chaos: tt.chaos, Expect: []string{"X-Load"}, Seed: 7,
							}, nil)
							if err != nil || r.Failures() > 0 || !tt.check(&r.Counts) || r.Verdicts["continue"] != r.Counts.Messages {
								t.Errorf("%+v, %v, %v, %v", r.Counts, r.Verdicts, r.Samples, err)
							}
						})
					}
				}
			}
		}
	}
}

// An unknown command comes within the envelope, whether it has an answer or not, and
// not at all to a milter that does not want it.
func TestChaosUnknown(t *testing.T) {
	for steps, want := range map[protocol.Steps]int64{0: 50, protocol.StepNoReplyUnknown: 50, protocol.StepNoUnknown: 0} {
		m := &testMilter{steps: steps}
		r, err := Run(t.Context(), Config{Address: m.start(t), Mails: mails()[1:], Messages: 50, Chaos: Chaos{Unknown: 1}}, nil)
		if err != nil || r.Failures() > 0 || r.Counts.Messages != 50 || r.Counts.Unknown != want || m.count(protocol.CodeUnknown) != want {
			t.Errorf("%v: %+v, %v, %v", steps, r.Counts, r.Errors, err)
		}
		for i, cmd := range m.heard {
			before := protocol.CodeMailFrom
			if j := lastCommand(m.heard[:i]); j >= 0 {
				before = m.heard[j].Code()
			}
			if cmd.Code() == protocol.CodeUnknown && before != protocol.CodeMailFrom && before != protocol.CodeRcptTo {
				t.Errorf("an unknown command comes after %v", before)
			}
		}
		if has := r.Latency(MessageLatency) != nil; has != (want == 0) {
			t.Errorf("%v: latencies of messages %v", steps, has)
		}
	}
}

// lastCommand returns the place of the last command that is not a macro.
func lastCommand(list []protocol.Command) int {
	for i, cmd := range slices.Backward(list) {
		if cmd.Code() != protocol.CodeMacro {
			return i
		}
	}
	return -1
}

// A milter that takes no more of a body has its message given up all the same, as
// often as was asked for.
func TestChaosAbortAfterSkip(t *testing.T) {
	m := &testMilter{steps: protocol.StepSkip}
	m.answer = skipBody
	r, err := Run(t.Context(), Config{Address: m.start(t), Mails: mails()[1:], Messages: 100, Chaos: Chaos{Abort: 1}}, nil)
	if err != nil || r.Failures() > 0 || r.Counts.Aborts != 100 || m.count(protocol.CodeAbort) != 100 {
		t.Errorf("%+v, %v, %v", r.Counts, r.Samples, err)
	}
}

// An answer is left unread for its time, also if there was no room for all of the
// message at once.
func TestChaosSlowRead(t *testing.T) {
	mail := mta.NewMail("<a@example.com>", []string{"<b@example.net>"}, make([]byte, 2<<20))
	for steps, mail := range map[protocol.Steps]*mta.Mail{0: mails()[0], protocol.StepNoReplyMask: mail} {
		m := &testMilter{steps: steps}
		r, err := Run(t.Context(), Config{
			Address: m.start(t), Mails: []*mta.Mail{mail}, Connections: 3, Messages: 3, Chaos: Chaos{SlowRead: 1},
		}, nil)
		if err != nil || r.Failures() > 0 || r.Counts.Messages != 3 || r.Counts.SlowReads != 3 {
			t.Errorf("%+v, %v, %v", r.Counts, r.Samples, err)
		}
		if r.Elapsed < SlowTime {
			t.Errorf("%v: answers were read after %v", steps, r.Elapsed)
		}
		if r.Latency(MessageLatency) != nil || r.Latency("end-of-message") != nil {
			t.Error("a slow reader is in the latencies")
		}
	}
}
