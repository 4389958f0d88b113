package when

import (
	"errors"
	"strings"
)

// A SettingError is a setting of a filter that cannot be. It is what filters with
// expressions in their settings tell, so that a configuration has one place for each.
type SettingError struct {
	Key string // such as "rule[1].when"
	Err error  // what is wrong and how to mend it; an *Error if it is in an expression
}

// Error tells the key, what is wrong and how to mend it.
func (e *SettingError) Error() string { return e.Key + ": " + e.reason() }

// Unwrap returns Err.
func (e *SettingError) Unwrap() error { return e.Err }

// reason tells what is wrong, beginning with line and column in an expression.
func (e *SettingError) reason() string {
	return strings.TrimPrefix(e.Err.Error(), "milter: expression, ")
}

// Mistakes are all that is wrong with the settings of a filter, in the order in which it
// was found.
type Mistakes []*SettingError //nolint:recvcheck // Add makes it longer, and what a function returns can be told

// Add adds a mistake. A nil err is none.
func (m *Mistakes) Add(key string, err error) {
	if err != nil {
		*m = append(*m, &SettingError{Key: key, Err: err})
	}
}

// AddText adds a mistake that is a text. It is what a Check of settings tells.
func (m *Mistakes) AddText(key, text string) { m.Add(key, errors.New(text)) }

// Tell tells wrong of each mistake: its key, and what is wrong, beginning with line and
// column if it is in an expression.
func (m Mistakes) Tell(wrong func(key, text string)) {
	for _, e := range m {
		wrong(e.Key, e.reason())
	}
}

// Err joins the mistakes, each a [*SettingError]; nil if there are none.
func (m Mistakes) Err() error {
	list := make([]error, len(m))
	for i, e := range m {
		list[i] = e
	}
	return errors.Join(list...)
}
