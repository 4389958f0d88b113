package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// origin returns the place in the file of a byte of what a string comes to, variables of
// the environment filled in. One that is not known is that of the string.
func (n *node) origin(at int, env func(string) (string, bool)) Position {
	text, places := unquote(n.raw)
	e, err := expanded(n.text, env)
	if err != nil || text != n.text {
		return n.at
	}
	if at = min(at, len(e.from)); at < len(e.from) {
		at = e.from[at]
	} else {
		at = len(text)
	}
	before := n.raw[:places[at]]
	p := n.at
	p.Line += strings.Count(before, "\n")
	if i := strings.LastIndexByte(before, '\n'); i >= 0 {
		p.Column = 1 + len(before) - i - 1
		return p
	}
	p.Column += len(before)
	return p
}

// unquote returns what a string of TOML is, and the place of each of its bytes in the
// string as it is written, with that of the end.
func unquote(raw string) (text string, places []int) {
	var b strings.Builder
	add := func(s string, at int) {
		for range len(s) {
			places = append(places, at)
		}
		b.WriteString(s)
	}
	begin, end := body(raw)
	literal := strings.HasPrefix(raw, "'")
	for at := begin; at < end; {
		size := 1
		switch {
		case raw[at] != '\\' || literal:
			add(raw[at:at+1], at)
		case strings.TrimLeft(raw[at+1:end], " \t\r\n") == "" || isFold(raw[at+1:end]):
			size = end - at - len(strings.TrimLeft(raw[at+1:end], " \t\r\n"))
		case raw[at+1] == 'e':
			add("\x1b", at)
			size = len(`\e`)
		case raw[at+1] == 'x' && len(raw) > at+3: // a letter, where in Go it is a byte
			code, _ := strconv.ParseUint(raw[at+2:at+4], 16, 8)
			add(string(rune(code)), at)
			size = len(`\x00`)
		default:
			r, _, rest, err := strconv.UnquoteChar(raw[at:end], '"')
			if err != nil {
				return "", nil
			}
			add(string(utf8.AppendRune(nil, r)), at)
			size = end - at - len(rest)
		}
		at += size
	}
	return b.String(), append(places, end)
}

// body returns where in a string of TOML what is between the quotes begins and ends. The
// first line end of a string of several lines does not count.
func body(raw string) (begin, end int) {
	if len(raw) < 6 || raw[:3] != `"""` && raw[:3] != "'''" {
		return min(1, len(raw)), max(min(1, len(raw)), len(raw)-1)
	}
	begin, end = 3, len(raw)-3
	for _, eol := range []string{"\r\n", "\n"} {
		if strings.HasPrefix(raw[begin:end], eol) {
			return begin + len(eol), end
		}
	}
	return begin, end
}

// isFold reports whether what follows a backslash is the end of a line, which joins it
// with the next.
func isFold(s string) bool {
	s = strings.TrimLeft(s, " \t\r")
	return strings.HasPrefix(s, "\n")
}
