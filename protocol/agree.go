package protocol

import (
	"encoding/binary"
	"slices"
	"strings"
)

// A Stage is a place for which macros can be asked, as the number of the wire.
type Stage uint32

// The stages, in the order of the wire: end-of-message comes before
// end-of-header.
const (
	StageConnect      Stage = 0
	StageHelo         Stage = 1
	StageMail         Stage = 2
	StageRcpt         Stage = 3
	StageData         Stage = 4
	StageEndOfMessage Stage = 5
	StageEndOfHeader  Stage = 6

	NumStages = 7
)

var stageCodes = [NumStages]Code{
	CodeConnect, CodeHelo, CodeMailFrom, CodeRcptTo, CodeData, CodeEndOfMessage, CodeEndOfHeader,
}

// String returns the protocol's word for s.
func (s Stage) String() string {
	if s >= NumStages {
		return "unknown"
	}
	return stageCodes[s].String()
}

// MacroLists are the macros asked for, by stage. A nil list asks for nothing in
// particular; an empty one asks for no macros.
type MacroLists [NumStages][]string

// Add asks for macros at a stage, with or without braces. Order is kept, names
// asked for twice are sent once. As with libmilter, a string may hold several
// names with spaces between. A stage that the protocol does not have is ignored.
func (l *MacroLists) Add(stage Stage, names ...string) {
	if stage >= NumStages {
		return
	}
	if l[stage] == nil {
		l[stage] = []string{}
	}
	for _, list := range names {
		for name := range strings.FieldsFuncSeq(list, isSpace) {
			if name = bare(name); name != "" && !slices.Contains(l[stage], name) {
				l[stage] = append(l[stage], name)
			}
		}
	}
}

// isSpace reports whether r would end a name, or the list, on the wire.
func isSpace(r rune) bool { return r <= ' ' }

// Empty reports whether nothing is asked for at any stage.
func (l *MacroLists) Empty() bool {
	for _, names := range l {
		if names != nil {
			return false
		}
	}
	return true
}

// clone returns a copy that shares no memory with l.
func (l *MacroLists) clone() MacroLists {
	var c MacroLists
	for stage, names := range l {
		c[stage] = slices.Clone(names)
	}
	return c
}

// normal returns a copy of l with its names as Add has them.
func (l *MacroLists) normal() MacroLists {
	var c MacroLists
	for stage, names := range l {
		if names != nil {
			c.Add(Stage(stage), names...)
		}
	}
	return c
}

// A Request is what a milter wants of a connection.
type Request struct {
	Actions  Actions
	Required Actions // without these the connection is refused
	Steps    Steps
	Macros   MacroLists
}

// An Agreement is the end of a negotiation.
type Agreement struct {
	Granted Options // what the session obeys
	Wire    Options // what the MTA is told
	Macros  MacroLists
}

// Agree makes req fit offer. Actions and steps that are not offered are left
// out of Wire, as MTAs refuse an answer with them. Steps that a session can make
// up for by answering Continue itself stay in Granted all the same: no event, no
// reply, and skip. The greatest packet size offered is taken. Macros are left out
// where they cannot be asked for.
//
// The error is a [*NegotiationError]: ErrVersionTooOld or ErrActionNotOffered.
func Agree(offer Options, req Request) (Agreement, error) {
	if offer.Version < MinVersion {
		return Agreement{}, &NegotiationError{Offer: offer, Err: ErrVersionTooOld}
	}
	offer = offer.Normal()
	if missing := req.Required &^ offer.Actions; missing != 0 {
		return Agreement{}, &NegotiationError{Offer: offer, Missing: missing, Err: ErrActionNotOffered}
	}
	a := Agreement{Granted: Options{
		Version: min(Version, offer.Version),
		Actions: (req.Actions | req.Required) & offer.Actions,
	}}
	if offer.Actions.Has(ActionSetSymbolList) && !req.Macros.Empty() {
		a.Granted.Actions |= ActionSetSymbolList
		a.Macros = req.Macros.normal()
		// Sendmail 8.17 looks whether end-of-header has a list before it uses that
		// of end-of-message.
		if a.Macros[StageEndOfMessage] != nil && a.Macros[StageEndOfHeader] == nil {
			a.Macros[StageEndOfHeader] = []string{}
		}
	}
	a.Wire = a.Granted
	size := largestData(offer.Steps)
	want := req.Steps & StepsAll
	a.Wire.Steps = want&offer.Steps | size
	// What the MTA cannot leave out is made up for: an event that comes all the
	// same is answered, a reply that is waited for is written, a body is swallowed.
	madeUp := StepNoEventMask | StepNoReplyMask | StepSkip
	a.Granted.Steps = want&(offer.Steps|madeUp) | size
	return a, nil
}

// largestData returns the step of the greatest packet size that is offered.
func largestData(offered Steps) Steps {
	switch {
	case offered.Has(StepMaxData1M):
		return StepMaxData1M
	case offered.Has(StepMaxData256K):
		return StepMaxData256K
	}
	return 0
}

// Append appends the answer to the MTA's offer.
func (a *Agreement) Append(dst []byte) []byte {
	dst, start := begin(dst, CodeNegotiate)
	dst = appendOptions(dst, a.Wire)
	if a.Wire.Actions.Has(ActionSetSymbolList) {
		dst = appendMacroLists(dst, &a.Macros)
	}
	return end(dst, start)
}

func appendOptions(dst []byte, o Options) []byte {
	dst = binary.BigEndian.AppendUint32(dst, o.Version)
	dst = binary.BigEndian.AppendUint32(dst, uint32(o.Actions))
	return binary.BigEndian.AppendUint32(dst, uint32(o.Steps))
}

// appendMacroLists appends each list as a stage and one string. MTAs read names
// of one letter bare, and longer ones in braces.
func appendMacroLists(dst []byte, l *MacroLists) []byte {
	for stage, names := range l {
		if names == nil {
			continue
		}
		dst = binary.BigEndian.AppendUint32(dst, uint32(stage))
		for i, name := range names {
			if i > 0 {
				dst = append(dst, ' ')
			}
			dst = appendMacroName(dst, name)
		}
		dst = append(dst, 0)
	}
	return dst
}

// appendMacroName appends a name without braces in the spelling of the wire.
func appendMacroName(dst []byte, name string) []byte {
	if len(name) == 1 {
		return append(dst, name...)
	}
	dst = append(dst, '{')
	dst = append(dst, name...)
	return append(dst, '}')
}

// bare returns the name of a macro without its braces.
func bare[S ~string | ~[]byte](name S) S {
	if n := len(name); n >= 2 && name[0] == '{' && name[n-1] == '}' {
		return name[1 : n-1]
	}
	return name
}

// decodeOptions reads version, actions and steps from the head of b.
func decodeOptions(b View) (o Options, rest View, ok bool) {
	if len(b) < 12 {
		return Options{}, nil, false
	}
	o.Version = binary.BigEndian.Uint32(b)
	o.Actions = Actions(binary.BigEndian.Uint32(b[4:]))
	o.Steps = Steps(binary.BigEndian.Uint32(b[8:]))
	return o, b[12:], true
}
