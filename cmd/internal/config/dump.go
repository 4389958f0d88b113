package config

import (
	"bytes"
	"encoding"
	"fmt"
	"reflect" //nolint:depguard // see field.go
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Dump returns c as a file that says all of it, defaults and variables of the
// environment filled in. Secrets are ***.
func (c *Config) Dump() []byte {
	w := new(dumper)
	root := reflect.ValueOf(c).Elem()
	for _, f := range fieldsOf(root.Type()) {
		v := root.Field(f.index)
		if v.Kind() == reflect.Struct {
			w.table("["+f.name+"]", v)
			continue
		}
		if v.Kind() == reflect.Map {
			w.named("["+f.name+"]", v)
			continue
		}
		for i := range v.Len() {
			item := v.Index(i)
			if h, ok := reflect.TypeAssert[Handler](item); ok {
				w.table("[["+f.name+"]]", item, reflect.ValueOf(h.Settings).Elem())
			} else {
				w.table("[["+f.name+"]]", item)
			}
		}
	}
	return w.out.Bytes()
}

// A dumper writes tables.
type dumper struct{ out bytes.Buffer }

// header begins a table.
func (w *dumper) header(text string) {
	if w.out.Len() > 0 {
		w.out.WriteByte('\n')
	}
	fmt.Fprintln(&w.out, text)
}

// named writes a table whose keys are names, unless it is empty.
func (w *dumper) named(header string, v reflect.Value) {
	if v.Len() == 0 {
		return
	}
	w.header(header)
	names := v.MapKeys()
	slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, name := range names {
		fmt.Fprintf(&w.out, "%s = %s\n", scalar(name.String()), inline(v.MapIndex(name), true))
	}
}

// table writes a table with the settings of structs.
func (w *dumper) table(header string, structs ...reflect.Value) {
	w.header(header)
	for _, v := range structs {
		for _, f := range fieldsOf(v.Type()) {
			if c := v.Field(f.index); !f.omitEmpty || !c.IsZero() {
				fmt.Fprintf(&w.out, "%s = %s\n", f.name, inline(c, true))
			}
		}
	}
}

// inline returns a value. Only the lists of a table may go over several lines.
func inline(v reflect.Value, outer bool) string {
	switch {
	case isText(v.Type()):
		return scalar(escapeVariables(textOf(v)))
	case v.Kind() == reflect.Struct:
		if list, ok := alone(v); ok {
			return inline(list, false)
		}
		var parts []string
		for _, f := range fieldsOf(v.Type()) {
			if c := v.Field(f.index); !f.omitEmpty || !c.IsZero() {
				parts = append(parts, f.name+" = "+inline(c, false))
			}
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case v.Kind() != reflect.Slice:
		return scalar(v.Interface())
	}
	items := make([]string, v.Len())
	for i := range items {
		items[i] = inline(v.Index(i), false)
	}
	if outer && v.Type().Elem().Kind() == reflect.Struct {
		return "[\n\t" + strings.Join(items, ",\n\t") + ",\n]"
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// alone returns the list that stands for a whole table, if that has nothing else.
func alone(v reflect.Value) (list reflect.Value, ok bool) {
	f, ok := shortOf(v.Type())
	if !ok {
		return list, false
	}
	for _, other := range fieldsOf(v.Type()) {
		ok = ok && (other.short || v.Field(other.index).IsZero())
	}
	return v.Field(f.index), ok
}

// textOf returns the string that a value is written as.
func textOf(v reflect.Value) string {
	switch t := v.Interface().(type) {
	case time.Duration:
		return t.String()
	case encoding.TextMarshaler:
		if text, err := t.MarshalText(); err == nil {
			return string(text)
		}
	}
	return v.String()
}

// escapeVariables is what expand undoes.
func escapeVariables(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(s[i])
		if s[i] == '$' && i+1 < len(s) && (s[i+1] == '$' || s[i+1] == '{') {
			b.WriteByte('$')
		}
	}
	return b.String()
}

// scalar returns a value as TOML has it.
func scalar(v any) string {
	text, err := toml.Marshal(map[string]any{"v": v})
	if err != nil {
		panic(err) // strings, numbers and truth values have a form
	}
	return strings.TrimSpace(strings.TrimPrefix(string(text), "v = "))
}
