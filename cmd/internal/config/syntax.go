package config

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// byteOrderMark is what some editors put in front of a file in UTF-8.
var byteOrderMark = []byte("\xef\xbb\xbf")

// noTOML returns what is wrong with a file that the decoder of TOML has refused, and how
// to mend it.
func noTOML(file string, data []byte, err error) *Mistake {
	at, text := Position{File: file, Line: 1, Column: 1}, strings.TrimPrefix(err.Error(), "toml: ")
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		at.Line, at.Column = e.Position()
	}
	starts := lineStarts(data)
	line := data[starts[min(at.Line, len(starts))-1]:]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	if hint := mend(text, line, line[min(at.Column-1, len(line)):]); hint != "" {
		text += ": " + hint
	}
	return &Mistake{at, text}
}

// bare finds a value without quotes, and its key.
var bare = regexp.MustCompile(`^\s*([\w.-]+)\s*=\s*([^\s"'\[{#][^\s#]*)`)

// flags finds what others write for true and false.
var flags = regexp.MustCompile(`^(?i:yes|no|on|off|true|false)$`)

// isFlag reports whether a value is one of the two flags of TOML, so that it is not wrong.
func isFlag(value []byte) bool { return string(value) == "true" || string(value) == "false" }

// lineOfItsOwn is how to mend what stands behind a good value.
const lineOfItsOwn = "write # before a comment, and each key in a line of its own"

// blunders are what the decoder says of mistakes that are made often, and how to mend
// them.
var blunders = []struct{ said, hint string }{
	{"cannot have new lines", "the quote at its end is missing"},
	{"invalid escape character", `write \\ for a backslash, or '...' around the text`},
	{"but should be an array table", "write two brackets each time, and [[handler]] above [[handler.rule]]"},
	{"already exists as an array of tables", "write two brackets each time"},
	{"already exists as", "keep one of them"},
	{"already exists", "put all of its keys in one place"},
	{"is already defined", "keep one of them"},
	{"expected '=' after key", `write key = "value", or [table]`},
	{"invalid character at start of key", `write key = "value", or [table]`},
	{"expected newline", lineOfItsOwn},
}

// mend says how to mend a mistake in a line, where rest begins with what is wrong; "" if
// there is nothing to say. No value is told: it may be a secret.
func mend(said string, line, rest []byte) string {
	value := bare.FindSubmatch(line)
	switch first, _ := utf8.DecodeRune(rest); {
	case !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0:
		return "save the file as UTF-8"
	case strings.ContainsRune("“”„‟«»‘’‚", first) && first != utf8.RuneError:
		return `write straight quotes: "`
	case first == '\r' || strings.Contains(said, "carriage return"):
		return "end lines with a line feed"
	case first == ';' || bytes.HasPrefix(rest, []byte("//")):
		return "write # before a comment"
	case strings.Contains(said, "expected newline") && (bytes.IndexByte(rest, '=') >= 0 || value != nil && isFlag(value[2])):
		return lineOfItsOwn
	case value != nil && flags.Match(value[2]):
		return "write true or false, in small letters"
	case value != nil:
		return "write texts, times, sizes and modes in quotes, as in " + string(value[1]) + ` = "..."`
	}
	for _, b := range blunders {
		if strings.Contains(said, b.said) {
			return b.hint
		}
	}
	return ""
}
