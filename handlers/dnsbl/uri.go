package dnsbl

import "slices"

// scheme is what the scanner looks for; the s may be missing.
const scheme = "https://"

const (
	letterS = 4           // place of the s in scheme
	inHost  = len(scheme) // all of it was there
)

// A scanner finds hosts of http:// and https:// in a text that comes in pieces. What it
// keeps is bounded.
type scanner struct {
	bytes int // that may still come
	room  int // for hosts
	hosts []string

	at   int    // how much of scheme was there
	host []byte // of the URI under way
	over bool   // the host has ended, and a port follows, or all that was a user's name
	soft byte   // what there was of a soft line break: 0, '=', or '\r'
}

// full reports whether more of the text would not matter.
func (s *scanner) full() bool { return s.bytes <= 0 || len(s.hosts) >= s.room }

// write takes a piece of the text.
func (s *scanner) write(text []byte) {
	for _, c := range text[:min(len(text), s.bytes)] {
		s.softly(c)
	}
	s.bytes -= min(len(text), s.bytes)
}

// end says that the text is over.
func (s *scanner) end() { s.take(' ') }

// softly takes a byte, unless it belongs to a line break that quoted-printable has put
// in.
func (s *scanner) softly(c byte) {
	before := s.soft
	s.soft = 0
	switch {
	case before == '=' && c == '\r':
		s.soft = c
		return
	case before != 0 && c == '\n':
		return
	case before == '\r':
		s.take('=')
		s.take(before)
	case before != 0:
		s.take(before)
	}
	if c == '=' {
		s.soft = c
		return
	}
	s.take(c)
}

// take takes a byte of the text.
func (s *scanner) take(c byte) {
	switch {
	case s.at == inHost:
		s.authority(c)
	case lower(c) == scheme[s.at]:
		if s.at++; s.at == inHost {
			s.host, s.over = s.host[:0], false
		}
	case s.at == letterS && c == scheme[letterS+1]:
		s.at = letterS + 2
	case lower(c) == scheme[0]:
		s.at = 1
	default:
		s.at = 0
	}
}

// authority takes a byte between the slashes and the path. Before an @ stands the name
// of a user, which may look like a host.
func (s *scanner) authority(c byte) {
	switch {
	case c == '@':
		s.host, s.over = s.host[:0], false
	case isEnd(c):
		s.add()
		s.at = 0
	case s.over:
	case c == '.' || c >= 0x80 || !isNoLabel(rune(lower(c))):
		if len(s.host) > maxDomain {
			s.host = s.host[:0]
			s.over = true
			return
		}
		s.host = append(s.host, c)
	default:
		s.over = true
	}
}

// add adds the host under way.
func (s *scanner) add() {
	name := domain(string(s.host))
	if name != "" && len(s.hosts) < s.room && !slices.Contains(s.hosts, name) {
		s.hosts = append(s.hosts, name)
	}
}

// isEnd reports whether a byte ends the authority of a URI, or the URI in a text.
func isEnd(c byte) bool {
	switch c {
	case '/', '?', '#', '\\', '"', '\'', '<', '>', '(', ')', '[', ']', '{', '}', ',', ';', '|', '`':
		return true
	}
	return c <= ' ' || c == 0x7f
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
