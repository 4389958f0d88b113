package config

import (
	"fmt"
	"reflect" //nolint:depguard // see field.go
	"slices"
	"strings"

	"millstream/handlers"
	"millstream/handlers/policy"
)

// A Type is a type of handlers: a ready-made filter with its settings.
type Type struct {
	// Name is what the file calls it.
	Name string

	// Doc says in a sentence what it does.
	Doc string

	// Failing is what on_error and on_timeout are if a file does not say otherwise.
	Failing policy.Verdict

	// New returns its settings as they are if a file does not say otherwise: a pointer
	// to a struct whose fields have tags as in this package. No key may be that of a
	// [Handler].
	New func() Settings

	// Build makes the handler of settings without mistakes. It has no other effect: the
	// handler may never be used.
	Build func(Settings, *Env) (handlers.Handler, error)
}

// Settings are what a file says of a handler of some type.
type Settings interface {
	// Check tells wrong what cannot be: the key, such as "add[1].name", and what is wrong
	// and how to mend it. What single values may be, the tags of their fields say.
	Check(wrong func(key, text string))
}

// handlerKey is the key of handlers in the file.
const handlerKey = "handler"

// handlerPath returns the path of a handler in the file.
func handlerPath(i int) string { return fmt.Sprintf("%s[%d]", handlerKey, i) }

// handler decodes a handler.
func (d *decoder) handler(n *node, h *Handler, path string) {
	*h = defaultHandler(policy.TempFail)
	common := reflect.ValueOf(h).Elem()
	named := n.fields["type"]
	if named == nil || named.kind != kindText {
		d.table(pick(n, namesOf(fieldsOf(common.Type()))), path, common)
		return
	}
	name, err := expand(named.text, d.env)
	i := slices.IndexFunc(d.types, func(t Type) bool { return t.Name == name })
	if err != nil || i < 0 {
		d.table(pick(n, namesOf(fieldsOf(common.Type()))), path, common)
		if err == nil {
			d.wrong(named.at, "`%s.type`: there is no type %q: %s", path, name, unknownType(name, d.types))
		}
		return
	}
	*h = defaultHandler(d.types[i].Failing)
	h.kind = &d.types[i]
	h.Settings = h.kind.New()
	d.table(n, path, common, reflect.ValueOf(h.Settings).Elem())
	if h.Name == "" {
		h.Name = h.Type
	}
}

// unknownType says which types there are.
func unknownType(name string, types []Type) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.Name
	}
	slices.Sort(names)
	hint, list := didYouMean(name, names), "there are "+strings.Join(names, ", ")
	if !strings.HasPrefix(hint, "did") {
		return list
	}
	return hint + " " + strings.ToUpper(list[:1]) + list[1:]
}

// pick returns a table with some keys of another.
func pick(n *node, names []string) *node {
	some := &node{at: n.at, key: n.key}
	for _, name := range n.names {
		if slices.Contains(names, name) {
			some.set(name, n.fields[name])
		}
	}
	return some
}
