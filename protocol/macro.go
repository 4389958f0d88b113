package protocol

import (
	"bytes"
	"iter"
)

// Macro defines macros for the command that follows. It takes no reply and
// changes no state. It replaces all macros of its stage.
type Macro struct {
	Stage Code // the command the macros belong to

	pairs View // names and values, each ended by a NUL
}

// NewMacro returns the macro packet of a stage. Names may have braces or not;
// pairs are names and values in turn.
func NewMacro(stage Code, pairs ...string) *Macro {
	m := &Macro{Stage: stage}
	for i := 0; i+1 < len(pairs); i += 2 {
		m.pairs = append(appendMacroName(m.pairs, bare(pairs[i])), 0)
		m.pairs = appendString(m.pairs, pairs[i+1])
	}
	return m
}

// Code returns CodeMacro.
func (*Macro) Code() Code { return CodeMacro }

// All yields names without braces, and values. Empty names are left out.
func (m *Macro) All() iter.Seq2[View, View] { return namedPairs(m.pairs) }

// namedPairs yields the strings of b, each ended by a NUL, two by two: names without
// braces, and values. Empty names are left out.
func namedPairs(b View) iter.Seq2[View, View] {
	return func(yield func(View, View) bool) {
		for b := b; len(b) > 0; {
			var name, value View
			name, b, _ = cutString(b)
			value, b, _ = cutString(b)
			if name = bare(name); len(name) > 0 && !yield(name, value) {
				return
			}
		}
	}
}

// Clone returns a copy that owns its bytes.
func (m *Macro) Clone() Command { return &Macro{m.Stage, m.pairs.Clone()} }

// Append appends the packet of m to dst.
func (m *Macro) Append(dst []byte) []byte {
	dst, start := begin(dst, CodeMacro)
	dst = append(dst, byte(m.Stage))
	return end(append(dst, m.pairs...), start)
}

// decode sets m to the fields of b, which it borrows. A stage that the protocol
// does not have is no error: MTAs send macros for more commands than they wait
// for.
func (m *Macro) decode(b View) error {
	if len(b) == 0 {
		return fault(CodeMacro, "stage", ErrShortPacket)
	}
	pairs := b[1:]
	if n := len(pairs); n > 0 && pairs[n-1] != 0 {
		return fault(CodeMacro, "value", ErrMissingNull)
	}
	strings := bytes.Count(pairs, []byte{0})
	if strings%2 != 0 {
		return fault(CodeMacro, "value", ErrMissingNull)
	}
	if strings/2 > MaxMacros {
		return fault(CodeMacro, "name", ErrTooMany)
	}
	*m = Macro{Stage: Code(b[0]), pairs: pairs}
	return nil
}
