package script

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"millstream/protocol"
)

// A Do is one thing that a filter does at an event: [Reply], [After], [Hang],
// [Panic], [Change], [TellMacros], [Ask], [Require], [AskMacros] or [Set].
type Do interface {
	// String returns what stands in the script.
	String() string
}

// Reply answers the event.
type Reply struct {
	Status protocol.Status
	SMTP   bool // with a text for the SMTP client: Code, Enhanced and Text
	Code   int

	Enhanced, Text string
}

// String writes it as a script does.
func (r Reply) String() string {
	text := r.Status.String()
	if !r.SMTP {
		return text
	}
	text += " " + strconv.Itoa(r.Code)
	if r.Enhanced != "" {
		text += " " + r.Enhanced
	}
	if r.Text != "" {
		text += " " + quoteText(r.Text)
	}
	return text
}

// After has the answer come later.
type After time.Duration

// String writes it as a script does.
func (a After) String() string { return "after " + durationText(time.Duration(a)) }

// Hang has no answer come until it is not wanted any more.
type Hang struct{}

// String writes it as a script does.
func (Hang) String() string { return "hang" }

// Panic panics.
type Panic string

// String writes it as a script does.
func (p Panic) String() string { return "panic " + quoteText(string(p)) }

// TellMacros adds a header for each of some macros.
type TellMacros []string

// String writes it as a script does.
func (m TellMacros) String() string {
	return "tell-macros" + quoteWords(slices.Values(m))
}

// Ask sets what is asked for in a negotiation.
type Ask struct {
	Actions protocol.Actions
	Steps   protocol.Steps
}

// String writes it as a script does.
func (a Ask) String() string {
	return "ask actions=" + setText(a.Actions, protocol.ActionsAll) + " steps=" + setText(a.Steps, protocol.StepsAll)
}

// Require names actions without which the filter is of no use.
type Require protocol.Actions

// String writes it as a script does.
func (r Require) String() string {
	return "require " + setText(protocol.Actions(r), protocol.ActionsAll)
}

// AskMacros asks for macros in a negotiation.
type AskMacros struct {
	Stage protocol.Stage
	Names []string
}

// String writes it as a script does.
func (a AskMacros) String() string {
	return "ask-macros " + commandWord(stages[a.Stage]) + quoteWords(slices.Values(a.Names))
}

// Set sets how the session behaves.
type Set struct {
	PacketBuffer int // if Timeout is negative
	Timeout      time.Duration
}

// String writes it as a script does.
func (s Set) String() string {
	if s.Timeout < 0 {
		return "packet-buffer " + strconv.Itoa(s.PacketBuffer)
	}
	return "timeout " + durationText(s.Timeout)
}

// enhanced matches what is meant to be an enhanced status code, good or bad.
var enhanced = regexp.MustCompile(`^\d*\.[\d.]*$`)

const wantDo = "what the filter does, such as accept, add-header X-Test: yes, or after 3s"

// do reads what a filter does.
func (s *scanner) do() (Do, error) {
	s.done()
	start := s.pos
	word, err := s.word(wantDo)
	if err != nil {
		return nil, err
	}
	if status, ok := ParseStatus(word); ok && status != protocol.StatusProgress {
		return s.reply(status)
	}
	switch word {
	case "after":
		d, err := s.duration()
		return After(d), err
	case "hang":
		return Hang{}, nil
	case "panic":
		text, err := s.rest()
		return Panic(text), err
	case "tell-macros":
		names, err := s.words()
		return TellMacros(names), err
	case "ask":
		o, err := s.options(s.noOther)
		return Ask{o.Actions, o.Steps}, err
	case "ask-macros":
		return s.askMacros()
	case "require":
		s.done()
		actions, err := set(s, protocol.ActionsAll)
		return Require(actions), err
	case "packet-buffer":
		n, err := s.index()
		return Set{PacketBuffer: int(n), Timeout: -1}, err
	case "timeout":
		d, err := s.duration()
		return Set{Timeout: d}, err
	}
	return s.change(word, start)
}

// reply reads the rest of an answer.
func (s *scanner) reply(status protocol.Status) (Do, error) {
	r := Reply{Status: status}
	if s.done() {
		return r, nil
	}
	r.SMTP = true
	start := s.pos
	word, err := s.word("an SMTP reply such as 550 5.7.1 no")
	if err == nil {
		if r.Code, err = strconv.Atoi(word); err != nil {
			err = s.fail(start, "an SMTP reply such as 550 5.7.1 no")
		}
	}
	if err != nil || s.done() {
		return r, err
	}
	if word, _, _ := strings.Cut(s.text[s.pos:], " "); enhanced.MatchString(word) {
		r.Enhanced = word
		s.pos += len(word)
	}
	r.Text, err = s.rest()
	return r, err
}

// words reads words up to the end of the line.
func (s *scanner) words() (list []string, err error) {
	for !s.done() {
		word, err := s.word("a word")
		if err != nil {
			return nil, err
		}
		list = append(list, word)
	}
	return list, nil
}

func (s *scanner) askMacros() (Do, error) {
	s.done()
	start := s.pos
	command, err := s.word("a command")
	if err != nil {
		return nil, err
	}
	stage := stageFor(command)
	if stage == protocol.NumStages {
		return nil, s.fail(start, "connect, helo, mail, rcpt, data, end-of-header or end-of-message")
	}
	names, err := s.words()
	return AskMacros{stage, names}, err
}
