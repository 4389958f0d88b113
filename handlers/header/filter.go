package header

import (
	"strings"

	"millstream/handlers"
)

// The words of Change.Which.
const (
	all   = "all"
	first = "first"
	last  = "last"
)

// An edit is a value that a field gets.
type edit struct {
	name  string
	value value
	which string // of a change
	index int    // of an insertion
}

// filter makes the changes.
type filter struct {
	remove []string
	rename []Rename
	change []edit
	insert []edit
	add    []edit
}

// message changes a message.
func (f *filter) message(s *handlers.Session, m *handlers.Message) handlers.Reply {
	came := s.Result().Headers
	for _, name := range f.remove {
		remove(m, name, len(values(came, name)))
	}
	for _, r := range f.rename {
		values := values(came, r.Name)
		remove(m, r.Name, len(values))
		for _, v := range values {
			m.AddHeader(r.To, foldable(v))
		}
	}
	for i := range f.change {
		if err := f.change[i].change(s, m, came); err != nil {
			return handlers.Failed(err)
		}
	}
	for i := range f.insert {
		e := &f.insert[i]
		text, err := e.value.text(s, "")
		if err != nil {
			return handlers.Failed(err)
		}
		m.InsertHeader(e.index, e.name, text)
	}
	for i := range f.add {
		e := &f.add[i]
		text, err := e.value.text(s, "")
		if err != nil {
			return handlers.Failed(err)
		}
		m.AddHeader(e.name, text)
	}
	return handlers.Continue
}

// remove removes the fields of a name, the last first: MTAs count those that are left.
func remove(m *handlers.Message, name string, count int) {
	for i := count; i > 0; i-- {
		m.DeleteHeader(name, i)
	}
}

// change gives fields of a name another value. Without text it is a space, since one
// that is empty would remove the field.
func (e *edit) change(s *handlers.Session, m *handlers.Message, came []handlers.Field) error {
	values := values(came, e.name)
	from, to := 0, len(values)
	switch e.which {
	case first:
		to = min(to, 1)
	case last:
		from = max(0, to-1)
	}
	for i := from; i < to; i++ {
		text, err := e.value.text(s, foldable(values[i]))
		if err != nil {
			return err
		}
		if text == "" {
			text = " "
		}
		m.ChangeHeader(e.name, i+1, text)
	}
	return nil
}

// values returns the values of the fields of a name.
func values(came []handlers.Field, name string) (values []string) {
	for _, h := range came {
		if strings.EqualFold(h.Name, name) {
			values = append(values, h.Value)
		}
	}
	return values
}

// foldable returns a value as it came in a form in which it can be sent back: a line
// break that does not fold becomes a space, as does a control character.
func foldable(v string) string {
	v = strings.ReplaceAll(v, "\r\n", "\n")
	var b strings.Builder
	for i := range len(v) {
		c := v[i]
		folds := c == '\n' && i+1 < len(v) && (v[i+1] == ' ' || v[i+1] == '\t')
		if isControl(c) && c != '\t' && !folds {
			c = ' '
		}
		b.WriteByte(c)
	}
	return b.String()
}
