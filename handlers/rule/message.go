package rule

import (
	"fmt"

	"millstream/handlers"
	"millstream/protocol"
)

// maxMarks is how many recipients of a message are kept with what holds for them. An MTA
// lets fewer through.
const maxMarks = 10000

// A mark is a recipient that rules hold for.
type mark struct {
	addr  string // as received
	holds []hold // the last may end the rules for it
}

// A hold is a rule that holds for a recipient.
type hold struct {
	rule int
	to   string // the address in its place; empty if it has none
}

// A message is what is kept on the shelf of the rules about recipients.
type message struct {
	count  int   // of recipients not refused
	held   []int // of each rule, for how many of them it holds
	marks  []mark
	open   bool // the last recipient has not been answered
	marked bool // and is the last of marks
	err    error
}

// kept returns what is kept of a message; nil for nothing.
func (f *filter) kept(s *handlers.Session) *message {
	kept, _ := s.Shelf().Get(f.key)
	m, _ := kept.(*message)
	return m
}

// begin counts a recipient.
func (m *message) begin() {
	m.count++
	m.open, m.marked = true, false
}

// note notes the rules that hold for the recipient under way.
func (m *message) note(addr protocol.View, holds []hold) error {
	if len(holds) == 0 {
		return nil
	}
	if len(m.marks) == maxMarks {
		return fmt.Errorf("milter: rules hold for more than %d recipients of a message", maxMarks)
	}
	m.marked = true
	m.marks = append(m.marks, mark{addr.String(), holds})
	for _, h := range holds {
		m.held[h.rule]++
	}
	return nil
}

// answered forgets the last recipient if it was refused.
func (m *message) answered(r *handlers.Response) {
	if m.open && (r.Status == protocol.StatusReject || r.Status == protocol.StatusTempFail) {
		m.count--
		if m.marked {
			last := len(m.marks) - 1
			for _, h := range m.marks[last].holds {
				m.held[h.rule]--
			}
			m.marks = m.marks[:last]
		}
	}
	m.open = false
}
