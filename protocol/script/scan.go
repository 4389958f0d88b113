package script

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A SyntaxError is a line that is not understood.
type SyntaxError struct {
	File         string
	Line, Column int    // from 1; the column counts bytes
	Want         string // what was expected
	Found        string // what is there instead
}

// Error names the place, what was expected there and what was found.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: expected %s, found %s", e.File, e.Line, e.Column, e.Want, e.Found)
}

// scanner reads one line.
type scanner struct {
	file string
	line int
	text string // without white space at its end
	pos  int
}

// fail returns the error that something else was expected at a place.
func (s *scanner) fail(at int, want string) error {
	found := "the end of the line"
	if at < len(s.text) {
		found, _, _ = strings.Cut(s.text[at:], " ")
		found = strconv.Quote(found)
	}
	return &SyntaxError{s.file, s.line, at + 1, want, found}
}

// done skips spaces and reports whether the line ends.
func (s *scanner) done() bool {
	for s.pos < len(s.text) && isSpace(s.text[s.pos]) {
		s.pos++
	}
	return s.pos == len(s.text)
}

// end checks that nothing follows.
func (s *scanner) end() error {
	if !s.done() {
		return s.fail(s.pos, "the end of the line")
	}
	return nil
}

// word reads a word, of what the error says if there is none.
func (s *scanner) word(want string) (string, error) {
	if s.done() {
		return "", s.fail(s.pos, want)
	}
	return s.upTo(0, want)
}

// upTo reads a word, or up to a byte that is not in it.
func (s *scanner) upTo(stop byte, want string) (string, error) {
	if s.text[s.pos] == '"' {
		return s.quoted()
	}
	start := s.pos
	for s.pos < len(s.text) && !isSpace(s.text[s.pos]) && (stop == 0 || s.text[s.pos] != stop) {
		s.pos++
	}
	if word := s.text[start:s.pos]; isPlain(word) {
		return word, nil
	}
	return "", s.fail(start, want)
}

// key reads a word and the byte that ends it.
func (s *scanner) key(stop byte, want string) (string, error) {
	if s.done() {
		return "", s.fail(s.pos, want)
	}
	start := s.pos
	word, err := s.upTo(stop, want)
	if err != nil {
		return "", err
	}
	if s.pos == len(s.text) || s.text[s.pos] != stop {
		return "", s.fail(start, want)
	}
	s.pos++
	return word, nil
}

// value reads the word that follows a key at once; it may be empty.
func (s *scanner) value(want string) (string, error) {
	if s.pos == len(s.text) || isSpace(s.text[s.pos]) {
		return "", nil
	}
	return s.upTo(0, want)
}

// quoted reads what stands between quotes.
func (s *scanner) quoted() (string, error) {
	prefix, err := strconv.QuotedPrefix(s.text[s.pos:])
	if err != nil {
		return "", s.fail(s.pos, "a string that ends with a quote")
	}
	text, err := strconv.Unquote(prefix)
	if err != nil {
		return "", s.fail(s.pos, "a string that ends with a quote")
	}
	s.pos += len(prefix)
	return text, nil
}

// maxText is how long a text can be.
const maxText = 4 << 20

// repeated reads a quoted string, and how often it stands there.
func (s *scanner) repeated() (text string, times int, err error) {
	if text, err = s.quoted(); err != nil {
		return "", 0, err
	}
	if s.pos == len(s.text) || s.text[s.pos] != '*' {
		return text, 1, nil
	}
	s.pos++
	start := s.pos
	for s.pos < len(s.text) && !isSpace(s.text[s.pos]) {
		s.pos++
	}
	times, err = strconv.Atoi(s.text[start:s.pos])
	if err != nil || times < 1 || times > maxText || times*len(text) > maxText {
		return "", 0, s.fail(start, fmt.Sprintf("a number of times, up to %d bytes in all", maxText))
	}
	return text, times, nil
}

// rest reads the text up to the end of the line; it may be empty.
func (s *scanner) rest() (string, error) {
	if s.done() {
		return "", nil
	}
	if s.text[s.pos] == '"' {
		text, times, err := s.repeated()
		if err != nil {
			return "", err
		}
		return strings.Repeat(text, times), s.end()
	}
	start := s.pos
	s.pos = len(s.text)
	if text := s.text[start:]; isPlainText(text) {
		return text, nil
	}
	return "", s.fail(start, "a text that prints, or one in quotes")
}

// string reads what ends with a NUL on the wire, and so has none in it.
func (s *scanner) string(read func() (string, error)) (string, error) {
	start := s.pos
	text, err := read()
	if err == nil && strings.Contains(text, "\x00") {
		return "", s.fail(start, "a string without NUL; raw has any bytes")
	}
	return text, err
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' }

// isPlain reports whether a word needs no quotes.
func isPlain(word string) bool {
	return word != "" && word[0] != '"' && utf8.ValidString(word) && !strings.ContainsFunc(word, notGraphic)
}

// isPlainText reports whether a text needs no quotes.
func isPlainText(text string) bool {
	return text != "" && text[0] != '"' && text[0] != ' ' && text[len(text)-1] != ' ' &&
		utf8.ValidString(text) && !strings.ContainsFunc(text, notPrint)
}

func notPrint(r rune) bool   { return !unicode.IsPrint(r) }
func notGraphic(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }

// quoteWord returns a word as it stands in a script.
func quoteWord(word string) string {
	if isPlain(word) {
		return word
	}
	return strconv.Quote(word)
}

// quoteWords returns words as they stand in a script, each with a space before it.
func quoteWords(words iter.Seq[string]) string {
	var b strings.Builder
	for word := range words {
		b.WriteString(" " + quoteWord(word))
	}
	return b.String()
}

// quoteKey returns a word that a byte ends.
func quoteKey(word string, stop byte) string {
	if isPlain(word) && strings.IndexByte(word, stop) < 0 {
		return word
	}
	return strconv.Quote(word)
}

// quoteText returns a text as it stands at the end of a line.
func quoteText(text string) string {
	if n := period(text); n < len(text) {
		return strconv.Quote(text[:n]) + "*" + strconv.Itoa(len(text)/n)
	}
	if isPlainText(text) {
		return text
	}
	return strconv.Quote(text)
}

const (
	longText  = 128 // bytes that are worth to be told as a repetition
	maxPeriod = 64
)

// period returns how long the piece is that a long text repeats.
func period(text string) int {
	if len(text) < longText {
		return len(text)
	}
	for n := 1; n <= maxPeriod; n++ {
		if len(text)%n == 0 && text[n:] == text[:len(text)-n] {
			return n
		}
	}
	return len(text)
}
