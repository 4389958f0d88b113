package traceparent

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"millstream/handlers"
	"millstream/protocol"
)

// The names of the fields.
const (
	parentName = "Traceparent"
	stateName  = "Tracestate"
)

// keyOf returns what package propagation calls a field.
func keyOf(name string) string { return strings.ToLower(name) }

// maxFields is how many fields of a message are replaced at most: each is a change that
// the MTA has to make.
const maxFields = 32

// How much is kept of the values, in bytes. A traceparent has 55, and a tracestate at
// most 32 members of 513.
const (
	maxParent = 512
	maxState  = 32 * 514
)

// isOurs reports whether a header is one of the fields.
func isOurs(name protocol.View) bool { return name.EqualFold(parentName) || name.EqualFold(stateName) }

// fields are those of one message.
type fields struct {
	parents, states int    // how many there are
	parent          string // the last value; empty if it is too long
	state           string // all values as one list, without what is too long
}

// add notes a field.
func (f *fields) add(name protocol.View, value string) {
	value = strings.TrimSpace(unfold.Replace(value))
	if name.EqualFold(stateName) {
		if f.states++; len(f.state)+len(value) < maxState {
			f.state = strings.Trim(f.state+","+value, ",")
		}
		return
	}
	f.parents++
	f.parent = value
	if len(value) > maxParent {
		f.parent = ""
	}
}

// unfold joins the lines of a value. The white space that follows a line end is part
// of the value.
var unfold = strings.NewReplacer("\r\n", "", "\n", "")

// remote returns the span that the fields name. It is not valid if there is none, or
// more than one, or if it is malformed: so says the specification of Trace Context. A
// malformed tracestate alone is left out.
func (f *fields) remote() trace.SpanContext {
	if f.parents != 1 {
		return trace.SpanContext{}
	}
	carrier := propagation.MapCarrier{keyOf(parentName): f.parent, keyOf(stateName): f.state}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
}

// many reports whether there are too many to be replaced.
func (f *fields) many() bool { return f.parents+f.states > maxFields }

// remove deletes the fields from a message: the last first, so that it does not matter
// whether the MTA counts those that are gone.
func (f *fields) remove(m *handlers.Message) {
	for i := f.parents; i > 0; i-- {
		m.DeleteHeader(parentName, i)
	}
	for i := f.states; i > 0; i-- {
		m.DeleteHeader(stateName, i)
	}
}
