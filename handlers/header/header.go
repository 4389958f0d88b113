// Package header adds, inserts, changes, renames and removes header fields of messages.
// It is the type "header" of a configuration:
//
//	[[handler]]
//	type = "header"
//	name = "mark"
//	remove = ["X-Spam-Status"]                                   # every field of that name
//	rename = [{ name = "X-Scanned", to = "X-Original-Scanned" }]  # moves to the end
//	change = [{ name = "Subject", value = "[list] {{old}}", which = "first" }]
//	insert = [{ name = "Received-Filter", value = "from {{client_addr}}", index = 0 }]
//	add = [
//		{ name = "X-Queue", value = "{{queue_id}}; {{rcpt_count}} recipients" },
//		{ name = "X-User", value = "{{auth_user}}" },
//	]
//
// The changes are made in this order, whatever the order in the file: remove, rename,
// change, insert, add. Names of header fields are compared without regard to case.
// Fields that were removed, renamed and changed are those that came with the message: not
// what filters before this one in the MTA have hidden, nor what handlers before it have
// added. Of a message with more fields than the server keeps, the rest stay as they are.
//
// # Values
//
// Between {{ and }} stands an expression: what it may be, package when says. Most are one
// name, such as queue_id, client_addr, sender or session. What a client said cannot begin
// another field: line breaks and control characters become spaces.
//
// In change {{old}} is the value so far. It stands by itself: it is no part of an
// expression.
//
// A handler asks the MTA for nothing but what its values name, and for the header if it
// removes, renames or changes fields.
//
// # When something fails
//
// It needs nothing beside the message: no file, no DNS, no store, so nothing can be down. It
// fails where an expression in a value cannot be worked out, such as an index beyond the end
// of a list, or where the MTA lets no headers be changed. on_error answers then, normally
// with a temporary failure. What is measured is the same for all handlers:
// milter.handler.duration has its calls by name and result, and traces have a span for each.
package header

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"millstream/handlers"
)

// Config has the changes to make. The zero Config makes none.
type Config struct {
	Remove []string `toml:"remove,omitempty" doc:"Names of fields to remove, each of them."`
	Rename []Rename `toml:"rename,omitempty" doc:"Fields that get another name."`
	Change []Change `toml:"change,omitempty" doc:"Fields that get another value, if they are there."`
	Insert []Insert `toml:"insert,omitempty" doc:"Fields to put at a place."`
	Add    []Field  `toml:"add,omitempty" doc:"Fields to put after all others."`
}

// A Field is a field to add.
type Field struct {
	Name  string `toml:"name" required:"true" sample:"X-Queue" doc:"Name of the field."`
	Value string `toml:"value" required:"true" sample:"{{queue_id}}" doc:"Value. Between {{ and }} are expressions, such as {{queue_id}} and {{client_addr}}."`
}

// An Insert is a field to put at a place.
type Insert struct {
	Name  string `toml:"name" required:"true" sample:"X-Queue" doc:"Name of the field."`
	Value string `toml:"value" required:"true" sample:"{{queue_id}}" doc:"Value. Between {{ and }} are expressions, such as {{queue_id}} and {{client_addr}}."`
	Index int    `toml:"index" min:"0" max:"10000" doc:"Place among all fields; 0 is the top."`
}

// A Change is another value for fields of a name.
type Change struct {
	Name  string `toml:"name" required:"true" sample:"X-Queue" doc:"Name of the field."`
	Value string `toml:"value" required:"true" sample:"{{queue_id}}" doc:"New value, with expressions as in add. {{old}} is the value so far."`
	Which string `toml:"which,omitempty" enum:"all,first,last" doc:"Which fields of that name. Without it all."`
}

// A Rename is another name for all fields of a name.
type Rename struct {
	Name string `toml:"name" required:"true" sample:"X-Queue" doc:"Name of the field."`
	To   string `toml:"to" required:"true" sample:"X-Original" doc:"New name. The field moves to the end."`
}

// Check tells wrong of what cannot be: the key, such as "add[1].name", and what is wrong
// with it.
func (c *Config) Check(wrong func(key, text string)) {
	name := func(name, key string, args ...any) {
		if !isName(name) {
			wrong(fmt.Sprintf(key, args...), fmt.Sprintf("%q is no name of a header field: write letters, digits and `-`, without a colon", name))
		}
	}
	c.values(func(key, value string, _ bool) {
		if err := checkLine(value); err != nil {
			wrong(key, err.Error())
		}
	})
	for i, f := range c.Remove {
		name(f, "remove[%d]", i)
	}
	for i, f := range c.Rename {
		name(f.Name, "rename[%d].name", i)
		name(f.To, "rename[%d].to", i)
		if strings.EqualFold(f.Name, f.To) {
			wrong(fmt.Sprintf("rename[%d].to", i), "it is the name that it has: write another one")
		}
	}
	for i, f := range c.Change {
		name(f.Name, "change[%d].name", i)
	}
	for i, f := range c.Insert {
		name(f.Name, "insert[%d].name", i)
	}
	for i, f := range c.Add {
		name(f.Name, "add[%d].name", i)
	}
	if len(c.Remove)+len(c.Rename)+len(c.Change)+len(c.Insert)+len(c.Add) == 0 {
		wrong("type", "there is nothing for it to do: write add, insert, change, rename or remove")
	}
}

// isName reports whether a header field can be called so.
func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' })
}

// values tells each of the values, and whether there is a value so far.
func (c *Config) values(each func(key, value string, withOld bool)) {
	for i, f := range c.Change {
		each(fmt.Sprintf("change[%d].value", i), f.Value, true)
	}
	for i, f := range c.Insert {
		each(fmt.Sprintf("insert[%d].value", i), f.Value, false)
	}
	for i, f := range c.Add {
		each(fmt.Sprintf("add[%d].value", i), f.Value, false)
	}
}

// Texts tells each of the texts that New compiles, the key that it is of, and where in
// the value it begins.
func (c *Config) Texts(each func(key string, at int, text string)) {
	c.values(func(key, value string, withOld bool) {
		for _, p := range pieces(value, withOld) {
			each(key, p.at, p.text)
		}
	})
}

// New returns the handler that makes the changes. compile compiles its texts; the error
// is from there.
func New(c Config, compile func(source string) (Text, error)) (handlers.Handler, error) {
	f := filter{remove: c.Remove, rename: c.Rename}
	var errs []error
	add := func(to *[]edit, name, source, which string, index int) {
		v, err := newValue(source, which != "", compile)
		*to = append(*to, edit{name, v, which, index})
		errs = append(errs, err)
	}
	for _, e := range c.Change {
		add(&f.change, e.Name, e.Value, cmp.Or(e.Which, all), 0)
	}
	for _, e := range c.Insert {
		add(&f.insert, e.Name, e.Value, "", e.Index)
	}
	for _, e := range c.Add {
		add(&f.add, e.Name, e.Value, "", 0)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	h := handlers.On(f.message)
	if len(c.Remove)+len(c.Rename)+len(c.Change) == 0 {
		return h, nil
	}
	return handlers.Chain(h, handlers.Need(handlers.KindHeader)), nil
}
