package when

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/file"

	"millstream/handlers"
)

// An Error is an expression or a text that cannot be compiled.
type Error struct {
	Line, Column int    // within the source, from 1; a column is a character
	Message      string // what is wrong
	Hint         string // how to mend it; may be empty
}

// Error tells the place, what is wrong and how to mend it.
func (e *Error) Error() string {
	text := fmt.Sprintf("milter: expression, %d:%d: %s", e.Line, e.Column, e.Message)
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	return text
}

// An EvalError is an expression that could not be worked out for one event: an index
// beyond the end of a list, a division by zero, too much memory. It is what a reply of
// [Handler] has failed with, so that the failure status of the server answers.
type EvalError struct {
	Source       string
	Line, Column int // within the source, from 1
	Err          error
}

// Error tells the expression, the place and what went wrong.
func (e *EvalError) Error() string {
	return fmt.Sprintf("milter: expression %q, %d:%d: %v", e.Source, e.Line, e.Column, e.Err)
}

// Unwrap returns Err.
func (e *EvalError) Unwrap() error { return e.Err }

// A StageError is a handler that takes an event at which its expression cannot be
// decided yet.
type StageError struct {
	Source string
	Name   string        // what in the expression is known so late, such as header("Subject")
	Known  handlers.Kind // from when on it is known
	Event  handlers.Kind // the first event that the handler takes
}

// Error tells which name forces which stage.
func (e *StageError) Error() string {
	return fmt.Sprintf("milter: expression %q: %s is known from %v on, but the handler takes %v: "+
		"use names that are known by then, or a handler that begins later", e.Source, e.Name, e.Known, e.Event)
}

// located returns an error of the expression engine as one of ours.
func located(err error) *Error {
	var at *file.Error
	if !errors.As(err, &at) {
		return &Error{Line: 1, Column: 1, Message: err.Error()}
	}
	e := &Error{Line: max(at.Line, 1), Column: at.Column + 1, Message: strings.TrimSpace(at.Message)}
	e.reword()
	return e
}

// nearest returns a hint that names the one of several names that is most like a
// word; empty if none is.
func nearest(word string, names []string) string {
	best, least := "", len(word)/3+1
	for _, name := range names {
		if d := distance(word, name); d < least {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// distance returns how many letters must be put in, left out or changed to make b
// of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, corner+1)
		}
	}
	return row[len(b)]
}
