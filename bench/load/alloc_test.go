package load

import (
	"net"
	"runtime"
	"testing"

	"millstream/netio/mta"
	"millstream/protocol"
)

// serveFrugal serves a milter that goes on with everything and allocates nothing for a
// message, until the test ends.
func serveFrugal(tb testing.TB, steps protocol.Steps) string {
	tb.Helper()
	watchLeaks(tb)
	address, _ := accept(tb, func(c net.Conn) { answerFrugally(c, steps) })
	return address
}

// answerFrugally answers what comes on a connection.
func answerFrugally(c net.Conn, steps protocol.Steps) {
	defer c.Close()
	offer := (&protocol.Agreement{Wire: protocol.Options{Version: 6, Steps: steps}}).Append(nil)
	proceed := goOn(nil)
	buf := make([]byte, 256<<10)
	for have := 0; ; {
		n, err := c.Read(buf[have:])
		if err != nil {
			return
		}
		have += n
		rest := buf[:have]
		for {
			code, _, n, err := protocol.Frame(rest, protocol.DefaultMaxPacketSize)
			if err != nil || n == 0 {
				break
			}
			rest = rest[n:]
			switch {
			case code == protocol.CodeNegotiate:
				_, err = c.Write(offer)
			case code == protocol.CodeMacro, code == protocol.CodeAbort, code == protocol.CodeQuit,
				steps&protocol.NoReply(code) != 0:
			default:
				_, err = c.Write(proceed)
			}
			if err != nil {
				return
			}
		}
		have = copy(buf, rest)
	}
}

// A message more costs no allocation.
func TestAllocs(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	const n, most = 10_000, 0.05
	const content = protocol.StepNoReplyHeader | protocol.StepNoReplyEndOfHeader | protocol.StepNoReplyBody
	tests := []struct {
		name  string
		steps protocol.Steps
		cfg   Config
	}{
		{"closed", content, Config{}},
		{"closed, no replies", protocol.StepNoReplyMask, Config{}},
		{"closed, Sendmail", protocol.StepNoReplyMask, Config{Dialect: mta.Sendmail}},
		{"open", protocol.StepNoReplyMask, Config{Rate: Schedule{{From: 20_000, To: 20_000}}}},
		{"chaos", content, Config{Chaos: Chaos{Abort: 0.2, Unknown: 0.3}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address := serveFrugal(t, tt.steps)
			run := func(n int64) uint64 {
				cfg := tt.cfg
				cfg.Address, cfg.Mails, cfg.Connections, cfg.Workers, cfg.Messages = address, mails()[:1], 4, 2, n
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				r, err := Run(t.Context(), cfg, nil)
				runtime.ReadMemStats(&after)
				if err != nil || r.Failures() > 0 || r.Counts.Messages+r.Counts.Aborts != n {
					t.Fatalf("%+v, %v, %v", r.Counts, r.Samples, err)
				}
				return after.Mallocs - before.Mallocs
			}
			few, many := run(n), run(2*n)
			if each := (float64(many) - float64(few)) / n; each > most {
				t.Errorf("%.3f allocations for a message", each)
			}
		})
	}
}
