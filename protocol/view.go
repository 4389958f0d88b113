package protocol

import (
	"bytes"
	"iter"
)

// A View is a borrowed piece of a receive buffer. It is valid until the call it
// was passed to returns, and must not be written to. Clone or String keep it.
type View []byte

// Clone returns an owned copy of v; nil for nil.
func (v View) Clone() View { return bytes.Clone(v) }

// String returns an owned copy of v.
func (v View) String() string { return string(v) }

// EqualFold reports whether v is s, ASCII letter case aside.
func (v View) EqualFold(s string) bool {
	if len(v) != len(s) {
		return false
	}
	for i, c := range v {
		if lower(c) != lower(s[i]) {
			return false
		}
	}
	return true
}

// lower returns c as a small letter if it is an ASCII letter.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// Params are the ESMTP parameters of MAIL or RCPT, each ended by a NUL.
// They are borrowed like any View.
type Params View

// NewParams returns the given ESMTP parameters in the form of the wire.
func NewParams(params ...string) Params {
	var p Params
	for _, s := range params {
		p = append(p, s...)
		p = append(p, 0)
	}
	return p
}

// All yields the parameters as sent, such as "SIZE=1024", in order.
func (p Params) All() iter.Seq[View] {
	return func(yield func(View) bool) {
		for rest := View(p); len(rest) > 0; {
			var param View
			param, rest, _ = cutString(rest)
			if !yield(param) {
				return
			}
		}
	}
}

// Lookup returns the value of the first parameter of the given name, letter
// case aside. A parameter without "=" has an empty value.
func (p Params) Lookup(name string) (value View, ok bool) {
	for param := range p.All() {
		key, value, _ := bytes.Cut(param, []byte{'='})
		if View(key).EqualFold(name) {
			return value, true
		}
	}
	return nil, false
}

// Strings returns an owned copy of the parameters; nil if there are none.
func (p Params) Strings() []string {
	var list []string
	for param := range p.All() {
		list = append(list, param.String())
	}
	return list
}

// Clone returns an owned copy of p.
func (p Params) Clone() Params { return Params(View(p).Clone()) }

// cutString takes a string and the NUL that ends it from b. Without a NUL, s is
// all of b.
func cutString(b View) (s, rest View, ok bool) {
	i := bytes.IndexByte(b, 0)
	if i < 0 {
		return b, nil, false
	}
	return b[:i:i], b[i+1:], true
}

// trimBrackets returns an address without its angle brackets.
func trimBrackets(addr View) View {
	if n := len(addr); n >= 2 && addr[0] == '<' && addr[n-1] == '>' {
		return addr[1 : n-1]
	}
	return addr
}
