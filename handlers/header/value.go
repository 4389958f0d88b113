package header

import (
	"errors"
	"regexp"
	"strings"

	"millstream/handlers"
)

// A Text is a value with expressions in it. It is told for a message, as the value of a
// header field: one line without control characters.
type Text interface {
	Header(s *handlers.Session) (string, error)
}

// old is what stands for the value so far in a change.
var old = regexp.MustCompile(`\{\{ *old *\}\}`)

// A value is the text of a field: what stands before the value so far, between it and
// the next, and after it.
type value []Text

// newValue compiles a value. withOld says that there is a value so far.
func newValue(source string, withOld bool, compile func(string) (Text, error)) (value, error) {
	var v value
	for _, p := range pieces(source, withOld) {
		t, err := compile(p.text)
		if err != nil {
			return nil, err
		}
		v = append(v, t)
	}
	return v, nil
}

// A piece is a part of a value that stands by itself.
type piece struct {
	at   int // in the value
	text string
}

// pieces returns what stands around the values so far.
func pieces(source string, withOld bool) (list []piece) {
	begin := 0
	if withOld {
		for _, at := range old.FindAllStringIndex(source, -1) {
			list = append(list, piece{begin, source[begin:at[0]]})
			begin = at[1]
		}
	}
	return append(list, piece{begin, source[begin:]})
}

// text returns the value for a message.
func (v value) text(s *handlers.Session, soFar string) (string, error) {
	words := make([]string, len(v))
	for i, t := range v {
		var err error
		if words[i], err = t.Header(s); err != nil {
			return "", err
		}
	}
	return strings.Join(words, soFar), nil
}

// checkLine returns what is wrong with a value that is not one line.
func checkLine(source string) error {
	if strings.ContainsFunc(source, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errors.New("it has a line break or control character in it: write one line")
	}
	return nil
}

func isControl(c byte) bool { return c < ' ' || c == 0x7f }
