package config

import (
	"fmt"
	"reflect" //nolint:depguard // see field.go
	"slices"
	"strings"
)

// unknown says what may be meant by an unknown key of a table at a path, whose keys are
// known: another one, or another place for it.
func (d *decoder) unknown(n *node, path, name string, known []string) string {
	hint := didYouMean(name, known)
	near, place := strings.HasPrefix(hint, "did"), ""
	if value := n.fields[name]; path == "" {
		place = d.place(name, value)
		near = near && !value.hasTables()
	} else if list, inside := strings.CutPrefix(withoutIndexes(path), handlerKey+"."); inside && hasKey(reflect.TypeFor[Handler](), name) {
		place = fmt.Sprintf("it is of the handler: write it above [[%s.%s]]", handlerKey, list)
	}
	if near || place == "" {
		return hint
	}
	return place
}

// place says where a key belongs that stands at the top of a file; "" if nowhere.
func (d *decoder) place(name string, value *node) string {
	var types, tables []string
	isType := false
	for _, t := range d.types {
		isType = isType || t.Name == name
		if hasKey(reflect.TypeOf(t.New()).Elem(), name) {
			types = append(types, t.Name)
		}
	}
	if value.hasTables() && len(types) > 0 {
		return fmt.Sprintf("it is of handlers of type %s: write [[%s.%s]] below such a [[%s]]", strings.Join(types, " or "), handlerKey, name, handlerKey)
	}
	if isType {
		return fmt.Sprintf("it is a type of handlers: write [[%s]], and type = %q", handlerKey, name)
	}
	config := reflect.TypeFor[Config]()
	for _, f := range fieldsOf(config) {
		switch t := config.Field(f.index).Type; {
		case t.Kind() == reflect.Struct && hasKey(t, name):
			tables = append(tables, "["+f.name+"]")
		case t.Kind() == reflect.Slice && (hasKey(t.Elem(), name) || f.name == handlerKey && len(types) > 0):
			tables = append(tables, "[["+f.name+"]]")
		}
	}
	if len(tables) == 0 || value.kind == kindTable {
		return ""
	}
	return "write it below " + strings.Join(tables, " or ")
}

// hasKey reports whether a struct has a setting of a name.
func hasKey(t reflect.Type, name string) bool { return slices.Contains(namesOf(fieldsOf(t)), name) }

// withoutIndexes returns a path as headers of tables have it: handler.rule and not
// handler[0].rule[1].
func withoutIndexes(path string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(path, "[") {
		_, after, indexed := strings.Cut(part, "]")
		if !indexed {
			after = part
		}
		b.WriteString(after)
	}
	return b.String()
}
