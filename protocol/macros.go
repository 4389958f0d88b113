package protocol

import (
	"iter"
	"slices"
)

// Macros holds the macros of a session, stage by stage, for as long as each is
// good for. Its strings are owned. The zero Macros is empty and ready to use.
//
// All sets stand in one buffer, oldest stage first, as they were sent: names and values
// each ended by a NUL. To define a set is to copy it, and again allocates nothing.
type Macros struct {
	buf []byte
	at  [numSets + 1]uint32 // where the set of each stage begins in buf, which is where the one before ends
}

// setOf has the place of the macros of each stage, from 1, in the order in which
// the stages come. Those of unknown come last, so that they are found first while
// there are any.
var setOf = [...]uint8{
	CodeConnect: 1, CodeHelo: 2, CodeMailFrom: 3, CodeRcptTo: 4, CodeData: 5, CodeHeader: 6,
	CodeEndOfHeader: 7, CodeBody: 8, CodeEndOfMessage: 9, CodeUnknown: numSets,
}

const numSets = 10

// set returns the place of the macros of c, from 0; ok is false if c has none.
func set(c Code) (i int, ok bool) {
	if int(c) >= len(setOf) || setOf[c] == 0 {
		return 0, false
	}
	return int(setOf[c]) - 1, true
}

// HasMacros reports whether macros can be defined for c.
func (c Code) HasMacros() bool {
	_, ok := set(c)
	return ok
}

// Define replaces the macros of a stage. A stage without macros is ignored.
func (m *Macros) Define(p *Macro) {
	i, ok := set(p.Stage)
	if !ok {
		return
	}
	m.drop(i, i+1)
	at, n := int(m.at[i]), len(m.buf)
	m.buf = append(m.buf, p.pairs...)
	if at < n { // a newer stage has macros already: move them behind
		rotate(m.buf[at:], n-at)
	}
	m.shift(i+1, len(m.buf)-n)
}

// set returns set i.
func (m *Macros) set(i int) View { return m.buf[m.at[i]:m.at[i+1]] }

// rotate moves the first n bytes of b to its end.
func rotate(b []byte, n int) {
	slices.Reverse(b[:n])
	slices.Reverse(b[n:])
	slices.Reverse(b)
}

// shift moves set i and all after it.
func (m *Macros) shift(i, by int) {
	for ; i <= numSets; i++ {
		m.at[i] += uint32(by)
	}
}

// drop empties the sets from i up to but not including j.
func (m *Macros) drop(i, j int) {
	from, to := m.at[i], m.at[j]
	if from == to {
		return
	}
	m.buf = append(m.buf[:from], m.buf[to:]...)
	for k := i + 1; k < j; k++ {
		m.at[k] = from
	}
	m.shift(j, int(from)-int(to))
}

// Set sets one macro of a stage. It is for tests.
func (m *Macros) Set(stage Code, name, value string) {
	i, ok := set(stage)
	if !ok {
		return
	}
	pairs := slices.Clone(m.set(i))
	pairs = appendString(appendString(pairs, bare(name)), value)
	m.Define(&Macro{Stage: stage, pairs: pairs})
}

// Arrive drops what ends with the arrival of c. The macros of c itself stay.
func (m *Macros) Arrive(c Code) {
	if c != CodeUnknown { // one that was not sent may have left its macros
		m.drop(numSets-1, numSets)
	}
	switch c {
	case CodeNegotiate:
		m.Reset()
	case CodeConnect, CodeHelo, CodeMailFrom, CodeRcptTo:
		i, _ := set(c)
		m.drop(i+1, numSets)
	}
}

// Answered drops the macros that are good for one command only: those of a
// header, a piece of the body, or an unknown command.
func (m *Macros) Answered(c Code) {
	switch c {
	case CodeHeader, CodeBody, CodeUnknown:
		i, _ := set(c)
		m.drop(i, i+1)
	}
}

// EndMessage drops the macros of the message. Those of connect and helo stay, and
// those of next: where a command gives up one message and begins another, its
// macros are there before the old message ends. Without such a command next is 0.
func (m *Macros) EndMessage(next Code) {
	first, _ := set(CodeMailFrom)
	last, _ := set(CodeEndOfMessage)
	keep, ok := set(next)
	if !ok || keep < first || keep > last {
		m.drop(first, last+1)
		return
	}
	m.drop(keep+1, last+1)
	m.drop(first, keep)
}

// Reset drops all macros.
func (m *Macros) Reset() { *m = Macros{buf: m.buf[:0]} }

// Lookup returns the value of a macro, newest stage first. Braces around name
// do not matter. An empty value is found too.
func (m *Macros) Lookup(name string) (value string, ok bool) {
	name = bare(name)
	for i := numSets - 1; i >= 0; i-- {
		if v, found := m.find(i, name); found {
			return v.String(), true
		}
	}
	return "", false
}

// find returns the value of name in set i: the last one, if it is there twice.
func (m *Macros) find(i int, name string) (value View, ok bool) {
	for k, v := range m.pairs(i) {
		if string(k) == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// pairs yields the names, without braces, and values of set i.
func (m *Macros) pairs(i int) iter.Seq2[View, View] {
	return namedPairs(m.set(i))
}

// All yields every macro once, with the value Lookup returns.
func (m *Macros) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		seen := make(map[string]bool)
		for i := numSets - 1; i >= 0; i-- {
			for k := range m.pairs(i) {
				name := k.String()
				if seen[name] {
					continue
				}
				seen[name] = true
				value, _ := m.find(i, name)
				if !yield(name, value.String()) {
					return
				}
			}
		}
	}
}
