package load

import (
	"net"
	"testing"

	"millstream/protocol"
)

// A verdict at any stage ends the message, is counted as what it is, and leaves
// milter and generator of one mind: the next message goes well.
func TestVerdicts(t *testing.T) {
	const n = 12
	statuses := []protocol.Status{
		protocol.StatusContinue, protocol.StatusAccept, protocol.StatusReject, protocol.StatusTempFail,
		protocol.StatusDiscard, protocol.StatusSkip,
	}
	for _, stage := range stages {
		if stage == protocol.CodeUnknown {
			continue
		}
		for _, status := range statuses {
			if !status.Answers(stage, 0) {
				continue
			}
			t.Run(stage.String()+", "+status.String(), func(t *testing.T) { testVerdict(t, n, stage, status) })
		}
	}
}

func testVerdict(t *testing.T, n int64, stage protocol.Code, status protocol.Status) {
	m := &testMilter{steps: protocol.StepSkip}
	m.answer = func(_ net.Conn, code protocol.Code, _ int, _ []byte) ([]byte, bool, bool) {
		return protocol.AppendReply(nil, status, nil), code == stage, false
	}
	r, err := Run(t.Context(), Config{
		Address: m.start(t), Mails: mails()[1:], Connections: 2, Workers: 2, Messages: n,
	}, nil)
	if err != nil || r.Failures() > 0 || r.Counts.Messages != n {
		t.Fatalf("%+v, %v, %v, %v", r.Counts, r.Errors, r.Samples, err)
	}
	word, ended := status.String(), true // by it
	if status == protocol.StatusContinue || status == protocol.StatusSkip {
		word, ended = "continue", false
	}
	if r.Verdicts[word] != n || len(r.Verdicts) != 1 {
		t.Errorf("verdicts %v", r.Verdicts)
	}
	ofClient := stage == protocol.CodeConnect || stage == protocol.CodeHelo
	if got := r.Counts.Sessions; ended && ofClient && got != n || !ofClient && got > 2 {
		t.Errorf("%d sessions", r.Counts.Sessions)
	}
	refused := stage == protocol.CodeRcptTo && (status == protocol.StatusReject || status == protocol.StatusTempFail)
	if refused && r.Counts.Refused != 2*n || !refused && r.Counts.Refused != 0 {
		t.Errorf("%d recipients were refused", r.Counts.Refused)
	}
	aborted := int64(0)
	if ended && !ofClient && stage != protocol.CodeEndOfMessage {
		aborted = n
	}
	if got := m.count(protocol.CodeAbort); got != aborted {
		t.Errorf("%d messages were aborted, want %d", got, aborted)
	}
	chunks := n * 4 // 200 KiB in chunks of 64
	if status == protocol.StatusSkip {
		chunks = n
	}
	if got := m.count(protocol.CodeBody); !ended && got != chunks {
		t.Errorf("%d pieces of bodies were sent, want %d", got, chunks)
	}
}

// One good recipient is enough, and a refused one is counted.
func TestRefusedRecipient(t *testing.T) {
	for bad := range 2 {
		m := &testMilter{}
		m.answer = func(_ net.Conn, code protocol.Code, n int, _ []byte) ([]byte, bool, bool) {
			return protocol.AppendReply(nil, protocol.StatusReject, nil), code == protocol.CodeRcptTo && n%2 == bad, false
		}
		r, err := Run(t.Context(), Config{Address: m.start(t), Mails: mails()[1:], Messages: 10}, nil)
		if err != nil || r.Failures() > 0 || r.Verdicts["continue"] != 10 || r.Counts.Refused != 10 {
			t.Errorf("%+v, %v, %v, %v", r.Counts, r.Verdicts, r.Errors, err)
		}
	}
}

// A milter may want something else on each connection.
func TestAgreesDifferently(t *testing.T) {
	asks := []protocol.Steps{0, protocol.StepNoHelo, protocol.StepNoBody | protocol.StepNoHeaders}
	m := &testMilter{}
	connections := make(chan int, 1)
	connections <- 0
	m.answer = func(_ net.Conn, code protocol.Code, _ int, _ []byte) ([]byte, bool, bool) {
		if code != protocol.CodeNegotiate {
			return nil, false, false
		}
		i := <-connections
		connections <- i + 1
		o := protocol.Options{Version: 6, Actions: protocol.ActionAddHeaders, Steps: asks[i%len(asks)]}
		return (&protocol.Agreement{Wire: o}).Append(nil), true, false
	}
	r, err := Run(t.Context(), Config{
		Address: m.start(t), Mails: mails()[:1], Connections: 4, Workers: 2, Reuse: 1, Messages: 60,
	}, nil)
	if err != nil || r.Failures() > 0 || r.Counts.Messages != 60 || r.Counts.Sessions != 60 {
		t.Errorf("%+v, %v, %v", r.Counts, r.Samples, err)
	}
	if helos, bodies := m.count(protocol.CodeHelo), m.count(protocol.CodeBody); helos != 40 || bodies != 40 {
		t.Errorf("%d helo, %d body", helos, bodies)
	}
}

// skipBody has the milter take only the first piece of a body.
func skipBody(_ net.Conn, code protocol.Code, _ int, _ []byte) ([]byte, bool, bool) {
	return protocol.AppendReply(nil, protocol.StatusSkip, nil), code == protocol.CodeBody, false
}
