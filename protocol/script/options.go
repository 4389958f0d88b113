package script

import (
	"fmt"
	"strconv"
	"strings"

	"millstream/protocol"
)

// current is what MTAs of today offer.
var current = protocol.Options{
	Version: protocol.Version, Actions: protocol.ActionsAll, Steps: protocol.StepsAll,
}

// flags is a set of bits with names.
type flags interface {
	~uint32
	fmt.Stringer
}

// setText returns a set as it stands in a script.
func setText[F flags](set, all F) string {
	if set&all != all {
		return set.String()
	}
	if more := set &^ all; more != 0 {
		return "all|" + more.String()
	}
	return "all"
}

// parseSet reads a set.
func parseSet[F flags](text string, all F) (set F, ok bool) {
	for name := range strings.SplitSeq(text, "|") {
		bits, ok := parseFlag(name, all)
		if !ok {
			return 0, false
		}
		set |= bits
	}
	return set, true
}

func parseFlag[F flags](name string, all F) (F, bool) {
	switch name {
	case "none":
		return 0, true
	case "all":
		return all, true
	}
	if digits, ok := strings.CutPrefix(name, "0x"); ok {
		n, err := strconv.ParseUint(digits, 16, 32)
		return F(n), err == nil
	}
	for bit := F(1); bit != 0; bit <<= 1 {
		if bit.String() == name {
			return bit, true
		}
	}
	return 0, false
}

const wantSet = "none, all, or names with | between them"

// set reads the value of a key as a set.
func set[F flags](s *scanner, all F) (F, error) {
	start := s.pos
	text, err := s.value(wantSet)
	if err != nil {
		return 0, err
	}
	bits, ok := parseSet(text, all)
	if !ok {
		return 0, s.fail(start, wantSet)
	}
	return bits, nil
}

// options reads a version, actions and steps. other reads what has another key.
func (s *scanner) options(other func(key string, at int) error) (protocol.Options, error) {
	o := current
	if !s.done() && isDigit(s.text[s.pos]) {
		start := s.pos
		word, err := s.word("a version")
		if err != nil {
			return o, err
		}
		n, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			return o, s.fail(start, "a version")
		}
		o.Version = uint32(n)
	}
	for !s.done() {
		start := s.pos
		key, err := s.key('=', "actions= or steps=")
		if err != nil {
			return o, err
		}
		switch key {
		case "actions":
			o.Actions, err = set(s, protocol.ActionsAll)
		case "steps":
			o.Steps, err = set(s, protocol.StepsAll)
		default:
			err = other(key, start)
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// noOther refuses other keys.
func (s *scanner) noOther(_ string, at int) error { return s.fail(at, "actions= or steps=") }

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// offered returns a set that an MTA offers: short, as it is seldom looked at.
func offered[F flags](set, all F) string {
	text := setText(set, all)
	if strings.Count(text, "|") > 3 {
		return fmt.Sprintf("%#x", uint32(set))
	}
	return text
}

// offerText returns what an MTA offers, but for what they all do.
func offerText(o protocol.Options) string {
	var b strings.Builder
	if o.Version != current.Version {
		fmt.Fprintf(&b, " %d", o.Version)
	}
	if o.Actions != current.Actions {
		b.WriteString(" actions=" + offered(o.Actions, protocol.ActionsAll))
	}
	if o.Steps != current.Steps {
		b.WriteString(" steps=" + offered(o.Steps, protocol.StepsAll))
	}
	return b.String()
}

// stages has the command that each stage belongs to.
var stages = [protocol.NumStages]protocol.Code{
	protocol.StageConnect: protocol.CodeConnect, protocol.StageHelo: protocol.CodeHelo,
	protocol.StageMail: protocol.CodeMailFrom, protocol.StageRcpt: protocol.CodeRcptTo,
	protocol.StageData: protocol.CodeData, protocol.StageEndOfMessage: protocol.CodeEndOfMessage,
	protocol.StageEndOfHeader: protocol.CodeEndOfHeader,
}

const macrosKey = "-macros"

// agreedText returns what a milter asks for.
func agreedText(o protocol.Options, lists *protocol.MacroLists) string {
	var b strings.Builder
	fmt.Fprintf(&b, " %d actions=%s steps=%s", o.Version,
		setText(o.Actions, protocol.ActionsAll), setText(o.Steps, protocol.StepsAll))
	for stage, names := range lists {
		if names == nil {
			continue
		}
		list := strings.Join(names, ",")
		if len(names) == 0 {
			list = "none"
		}
		b.WriteString(" " + commandWord(stages[stage]) + macrosKey + "=" + quoteWord(list))
	}
	return b.String()
}

// agreed reads what a milter asks for.
func (s *scanner) agreed() (o protocol.Options, lists protocol.MacroLists, err error) {
	o, err = s.options(func(key string, at int) error {
		command, ok := strings.CutSuffix(key, macrosKey)
		stage := stageFor(command)
		if !ok || stage == protocol.NumStages {
			return s.fail(at, "actions=, steps=, or the macros of a command, such as helo-macros=")
		}
		names, err := s.value("names of macros with commas between them")
		if err != nil {
			return err
		}
		if names == "none" {
			names = ""
		}
		lists.Add(stage, strings.Split(names, ",")...)
		return nil
	})
	return o, lists, err
}

// stageFor returns the stage of a command; NumStages if it has none.
func stageFor(command string) protocol.Stage {
	for stage, code := range stages {
		if commandWord(code) == command {
			return protocol.Stage(stage)
		}
	}
	return protocol.NumStages
}
