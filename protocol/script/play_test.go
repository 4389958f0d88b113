package script

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"millstream/protocol"
)

// simple is a milter that continues with all commands but the end of a message, which
// it accepts, and quit, at which it closes the connection. It never answers helo.
type simple struct {
	in, out []byte
	writes  int
	state   protocol.State
	events  []Event
	slept   time.Duration
	gone    bool
}

func (m *simple) Send(p []byte) error {
	m.in = append(m.in, p...)
	for {
		code, _, n, err := protocol.Frame(m.in, 1<<20)
		if n == 0 || err != nil || m.gone {
			return err
		}
		m.in = m.in[n:]
		m.writes++
		m.events = append(m.events, Event(code.String()))
		switch code {
		case protocol.CodeNegotiate:
			a := protocol.Agreement{Wire: protocol.Options{Version: 6, Steps: protocol.StepNoReplyHelo}}
			m.out = a.Append(m.out)
			m.state = protocol.StateNegotiateReplied
		case protocol.CodeEndOfMessage:
			m.out = protocol.AppendReply(m.out, protocol.StatusAccept, nil)
		case protocol.CodeQuit:
			m.gone = true
		case protocol.CodeAbort, protocol.CodeHelo:
		default:
			m.out = protocol.AppendReply(m.out, protocol.StatusContinue, nil)
		}
	}
}

func (m *simple) Receive(time.Duration) ([]byte, error) {
	out := m.out
	m.out = nil
	if len(out) == 0 && m.gone {
		return nil, io.EOF
	}
	return out, nil
}

func (m *simple) Leave(bool) { m.gone = true }

func (m *simple) State() protocol.State { return m.state }

func (m *simple) Events() []Event {
	events := m.events
	m.events = nil
	return events
}

func (m *simple) Writes() int {
	n := m.writes
	m.writes = 0
	return n
}

func (m *simple) Advance(d time.Duration) { m.slept += d }

const simpleScript = `# What the milter does.
watch envelope-from end-of-message

-> negotiate
<- negotiate 6 actions=none steps=no-reply-helo
state negotiate-replied
writes 1
-> helo mx.example
<- nothing
# A message.
-> mail <a@example>
+> rcpt <b@example>
<- continue
<- continue
event envelope-from
writes 2
wait 2s
-> end-of-message
<- accept
event end-of-message
-> quit
<- close
`

func parse(t *testing.T, text string) *Script {
	t.Helper()
	s, err := Parse("test", text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPlay(t *testing.T) {
	for _, cut := range []int{0, 1, 5} {
		m := &simple{}
		played, differences := (&Player{Cut: cut}).Play(parse(t, simpleScript), m)
		if len(differences) > 0 {
			t.Errorf("cut %d: %v", cut, differences)
		}
		if played.String() != simpleScript {
			t.Errorf("cut %d: played\n%s", cut, played)
		}
		if m.slept != 2*time.Second {
			t.Errorf("slept %v", m.slept)
		}
	}
}

// TestPlayDifferences has scripts that differ in one line, and that line.
func TestPlayDifferences(t *testing.T) {
	tests := []struct{ instead, of, want, got string }{
		{"state helo", "state negotiate-replied", "state helo", "state negotiate-replied"},
		{"writes 7", "writes 2", "writes 7", "writes 2"},
		{"<- reject", "<- accept", "<- reject", "<- accept"},
		{"", "<- accept\n", "", "<- accept"},
		{"<- accept\n<- accept", "<- accept", "<- accept", "<- nothing"},
		{"event envelope-from\nevent envelope-from", "event envelope-from", "event envelope-from", ""},
		{"", "event end-of-message\n", "", "event end-of-message"},
		{"<- nothing", "<- close", "<- nothing", "<- close"},
		{"<- close\n-> abort", "<- close", "-> abort", "<- close"},
	}
	text := func(s Step) string {
		if s == nil {
			return ""
		}
		return s.String()
	}
	for _, tt := range tests {
		s := parse(t, strings.Replace(simpleScript, tt.of, tt.instead, 1))
		if strings.HasPrefix(tt.of, "event ") && tt.instead != "" {
			s = parse(t, strings.Replace(simpleScript, "\n"+tt.of, "\n"+tt.instead, 1))
		}
		_, differences := (&Player{}).Play(s, &simple{})
		if len(differences) != 1 || text(differences[0].Want) != tt.want || text(differences[0].Got) != tt.got {
			t.Errorf("%q: differences %v", tt.instead, differences)
		}
	}
}

// TestPlayBegins expects answers of which only the beginning is known.
func TestPlayBegins(t *testing.T) {
	for _, tt := range []struct {
		begins string
		ok     bool
	}{{"accept", true}, {"acc", false}, {"reject", false}, {"accept now", false}} {
		text := strings.Replace(simpleScript, "<- accept", "<~ "+tt.begins, 1)
		s, err := Parse("test", text)
		if err != nil {
			if tt.ok {
				t.Error(err)
			}
			continue
		}
		played, differences := (&Player{}).Play(s, &simple{})
		if ok := len(differences) == 0; ok != tt.ok || ok && played.String() != text {
			t.Errorf("%q: differences %v, played\n%s", tt.begins, differences, played)
		}
	}
	agreed := strings.Replace(simpleScript, "<- negotiate 6 actions=none steps=no-reply-helo", "<~ negotiate 6 actions=no", 1)
	if _, differences := (&Player{}).Play(parse(t, agreed), &simple{}); len(differences) > 0 {
		t.Errorf("differences %v", differences)
	}
}

// TestPlayRecord checks that what is recorded is what comes, with comments where they
// were.
func TestPlayRecord(t *testing.T) {
	wrong := strings.NewReplacer("<- accept\n", "<- reject\n# twice\n<- reject\n", "<- continue\n", "",
		"event envelope-from\n", "", "writes 2", "writes 3").Replace(simpleScript)
	played, differences := (&Player{Record: true}).Play(parse(t, wrong), &simple{})
	want := strings.Replace(simpleScript, "<- accept\n", "# twice\n<- accept\n", 1)
	if played.String() != want || len(differences) > 0 {
		t.Errorf("differences %v, played\n%s", differences, played)
	}
	again, _ := (&Player{Record: true}).Play(played, &simple{})
	if again.String() != want {
		t.Errorf("played again\n%s", again)
	}
}

// TestPlayNonsense checks that what is no answer is told as it came.
func TestPlayNonsense(t *testing.T) {
	here, there := net.Pipe()
	go func() {
		_, _ = there.Read(make([]byte, 100))
		_, _ = there.Write([]byte{0, 0, 0, 2, 'c', 'x', 0, 0, 0, 9, 'h'})
		there.Close()
	}()
	defer here.Close()
	s := parse(t, "-> helo mx\n<- raw 00 00 00 02 63 78\n<- raw 00 00 00 09 68\n<- close\n")
	if _, differences := (&Player{Timeout: 10 * time.Second}).Play(s, NewConn(here)); len(differences) > 0 {
		t.Errorf("differences %v", differences)
	}
}
