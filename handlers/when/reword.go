package when

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What the expression engine says of mistakes that are made often.
var (
	mismatch   = regexp.MustCompile(`^invalid operation: (.+) \(mismatched types? (\S+)(?: and (\S+))?\)$`)
	unexpected = regexp.MustCompile(`^unexpected token (\w+)(?:\((".*")\))?$`)
	badNumber  = regexp.MustCompile(`^bad number syntax: (".*")$`)
)

// reword says what the engine has said so that it can be mended without knowing it.
func (e *Error) reword() {
	if m := mismatch.FindStringSubmatch(e.Message); m != nil {
		e.Message, e.Hint = mismatched(m[1], m[2:])
	} else if m := unexpected.FindStringSubmatch(e.Message); m != nil {
		e.Message, e.Hint = misplaced(m[1], m[2])
	} else if m := badNumber.FindStringSubmatch(e.Message); m != nil {
		e.Message, e.Hint = m[1]+" is no number", "write bytes and seconds without a unit, such as 10 * 1024 * 1024, and texts in quotes"
	}
}

// mismatched says that an operator is not for some types, and how to mend it.
func mismatched(operator string, types []string) (message, hint string) {
	var names []string
	for _, t := range types {
		if t != "" {
			names = append(names, typeName(t))
		}
	}
	switch {
	case slices.Contains([]string{"!", "not", "&&", "and", "||", "or"}, operator):
		hint = `compare what is no flag with something, as in sender != ""`
	case slices.Contains(names, "a number") && slices.Contains(names, "a text"):
		hint = "write numbers without quotes, or make a text of one with string(...)"
	}
	return operator + " is not for " + strings.Join(names, " and "), hint
}

// misplaced says that a word, in quotes, does not belong where it stands, and how to mend
// it. Its kind is that of the engine.
func misplaced(kind, quoted string) (message, hint string) {
	word, err := strconv.Unquote(quoted)
	if err != nil { // only the end has no word
		return "the expression ends too soon", "write what is missing, or take out what stands last"
	}
	message = quoted + " is not expected here"
	switch small := strings.ToLower(word); {
	case word == "=":
		hint = "write == to compare"
	case small != word && slices.Contains([]string{"and", "or", "not", "in", "contains", "matches"}, small):
		hint = "write " + small
	case kind == "Number":
		hint = "write addresses and other texts in quotes"
	case kind == "Identifier":
		hint = "write texts in quotes, and put &&, || or a comparison between two names"
	}
	return message, hint
}
