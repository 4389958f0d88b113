package rule

import (
	"bytes"
	"io"
	"mime"
	"strings"

	"millstream/handlers"
	"millstream/protocol"
)

const (
	subjectKey  = "subject of rules" // on the shelf; one for all filters, so that their tags add up
	subjectName = "Subject"
	maxLine     = 998 // bytes of a line of a message, RFC 5322
)

// WatchSubject returns a handler that notes the Subject of a message for [TagSubject].
// It stands in front of the function that calls that.
func WatchSubject() handlers.Handler {
	return handlers.Observe(func(s *handlers.Session, h *protocol.Header) {
		if !h.Name.EqualFold(subjectName) {
			return
		}
		if _, seen := s.Shelf().Get(subjectKey); !seen { // the first of several counts
			s.Shelf().Set(subjectKey, h.Value.String())
		}
	})
}

// TagSubject puts tags in front of the Subject of a message, in their order, as [Tagged]
// does. A message without a Subject is given one. What cannot be done is an error of m.
func TagSubject(s *handlers.Session, m *handlers.Message, tags ...string) {
	kept, _ := s.Shelf().Get(subjectKey)
	old, found := kept.(string)
	subject := old
	for i := range tags {
		subject = Tagged(subject, tags[len(tags)-1-i])
	}
	switch {
	case subject == old:
		return
	case found:
		m.ChangeHeader(subjectName, 1, subject)
	default:
		m.AddHeader(subjectName, subject)
	}
	if m.Err() == nil {
		s.Shelf().Set(subjectKey, subject)
	}
}

// subjectNeeds returns the action that TagSubject needs.
func subjectNeeds(s *handlers.Session) protocol.Actions {
	if _, found := s.Shelf().Get(subjectKey); found {
		return protocol.ActionChangeHeaders
	}
	return protocol.ActionAddHeaders
}

// Tagged returns the value of a Subject with a tag in front. A value that has the tag
// somewhere as words of its own stays as it is, also where it is encoded: so a reply is
// not tagged twice. What follows the tag keeps its encoding (RFC 2047) and its folds, and
// a tag that is not ASCII is encoded.
func Tagged(subject, tag string) string {
	tag = plain(tag)
	if tag == "" || strings.Contains(" "+words(decoded(subject))+" ", " "+tag+" ") {
		return subject
	}
	rest := strings.TrimLeft(subject, " \t")
	space := subject[:len(subject)-len(rest)]
	rest = folded(strings.Trim(rest, " \t\r\n"))
	if rest == "" {
		return space + encoded(tag)
	}
	first, _, _ := strings.Cut(rest, "\n")
	between := " "
	if len(subjectName+": ")+len(space)+len(encoded(tag+" "))+len(between)+len(first) > maxLine {
		between = "\n "
	}
	if strings.HasPrefix(rest, "=?") && encoded(tag) != tag {
		tag += " " // space between two encoded words is not shown
	}
	return space + encoded(tag) + between + rest
}

// plain returns a tag as words that no decoder takes for encoded ones.
func plain(tag string) string {
	tag = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(tag, "?"))
	return words(strings.ReplaceAll(tag, "=?", "= ?"))
}

// words returns a text with one space between its words.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// encoded returns a text as it is written in a header.
func encoded(text string) string { return mime.QEncoding.Encode("utf-8", text) }

// decoded returns the value of a header as it is read.
func decoded(value string) string {
	d := mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) {
		text, err := io.ReadAll(r)
		return bytes.NewReader(bytes.ToValidUTF8(text, []byte("?"))), err // a tag is ASCII there, or not there
	}}
	text, err := d.DecodeHeader(value)
	if err != nil {
		return value
	}
	return text
}

// folded returns a value without line ends that would begin another header.
func folded(value string) string {
	value = strings.ReplaceAll(value, "\r\n", "\n")
	if !strings.ContainsAny(value, "\r\n\x00") {
		return value
	}
	var b strings.Builder
	for i := range len(value) {
		switch c := value[i]; {
		case c == '\r' || c == 0:
			b.WriteByte(' ')
		case c == '\n' && value[i+1] != ' ' && value[i+1] != '\t': // the last byte is none
			b.WriteString("\n ")
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
