package config

import (
	"fmt"
	"reflect" //nolint:depguard // see field.go
	"slices"
	"strings"
)

// fixed are the tables and keys that a server takes up when it starts, and not again.
var fixed = []string{
	"listener", "admin", "control",
	"limits.max_sessions", "limits.close_when_full", "limits.backlog", "limits.reuse_port", "limits.loops", "limits.grace",
	"log.format", "log.syslog", "log.syslog_socket",
	"otel.endpoint", "otel.protocol", "otel.service_name", "otel.sample",
	"store.type", "store.path", "store.max_entries",
}

// isFixed reports whether a setting is taken up at the start alone.
func isFixed(key string) bool {
	table, _, _ := strings.Cut(key, ".")
	return slices.Contains(fixed, key) || slices.Contains(fixed, table)
}

// A Change is a setting that is another one in a new configuration.
type Change struct {
	// Key is the setting, such as limits.idle, networks.internal, or handler.NAME for all
	// of a handler; handler alone is their order.
	Key string

	// Old and New are what it was and is, as a file has it; "" is nothing. They are the
	// same where that is not to be shown, or is long.
	Old, New string

	// Restart says that a server takes it up when it starts, and not before.
	Restart bool
}

// String returns the change in a line.
func (c Change) String() string {
	switch {
	case c.Old == c.New:
		return c.Key + ": changed"
	case c.Old == "":
		return c.Key + ": added, " + c.New
	case c.New == "":
		return c.Key + ": removed, it was " + c.Old
	}
	return fmt.Sprintf("%s: %s, it was %s", c.Key, c.New, c.Old)
}

// Diff returns what changes from one configuration to another, in the order of a file.
func Diff(old, next *Config) []Change {
	before, after := old.settings(), next.settings()
	var changes []Change
	note := func(key, was, is string) { changes = append(changes, Change{key, was, is, isFixed(key)}) }
	for _, s := range after {
		switch was := find(before, s.key); {
		case was == nil:
			note(s.key, "", s.text)
		case !was.equals(s):
			note(s.key, was.text, s.text)
		}
	}
	for _, s := range before {
		if find(after, s.key) == nil {
			note(s.key, s.text, "")
		}
	}
	return changes
}

// Keep gives c what a server with the configuration running has taken up at its start,
// and does not take up again.
func (c *Config) Keep(running *Config) {
	to, from := reflect.ValueOf(c).Elem(), reflect.ValueOf(running).Elem()
	for _, table := range fieldsOf(to.Type()) {
		t, f := to.Field(table.index), from.Field(table.index)
		if isFixed(table.name) {
			t.Set(f)
			continue
		}
		if t.Kind() != reflect.Struct {
			continue
		}
		for _, key := range fieldsOf(t.Type()) {
			if isFixed(table.name + "." + key.name) {
				t.Field(key.index).Set(f.Field(key.index))
			}
		}
	}
}

// A setting is something in a configuration that changes as one.
type setting struct {
	key    string
	text   string
	values []any
}

func find(all []setting, key string) *setting {
	i := slices.IndexFunc(all, func(s setting) bool { return s.key == key })
	if i < 0 {
		return nil
	}
	return &all[i]
}

func (s *setting) equals(t setting) bool { return reflect.DeepEqual(s.values, t.values) }

// settings returns all of c.
func (c *Config) settings() (all []setting) {
	add := func(key string, v reflect.Value) {
		all = append(all, setting{key, inline(v, false), []any{v.Interface()}})
	}
	root := reflect.ValueOf(c).Elem()
	for _, f := range fieldsOf(root.Type()) {
		v := root.Field(f.index)
		switch {
		case f.name == "handler":
			all = append(all, c.handlerSettings()...)
		case v.Kind() == reflect.Struct:
			for _, g := range fieldsOf(v.Type()) {
				add(f.name+"."+g.name, v.Field(g.index))
			}
		case v.Kind() == reflect.Map:
			names := v.MapKeys()
			slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
			for _, name := range names {
				add(f.name+"."+name.String(), v.MapIndex(name))
			}
		default:
			add(f.name, v)
		}
	}
	return all
}

// handlerSettings returns a setting for each handler, and one for their order.
func (c *Config) handlerSettings() (all []setting) {
	names := make([]string, len(c.Handlers))
	for i := range c.Handlers {
		h := reflect.ValueOf(&c.Handlers[i]).Elem()
		names[i] = c.Handlers[i].Name
		s := setting{key: "handler." + names[i], text: "type " + c.Handlers[i].Type}
		for _, v := range []reflect.Value{h, reflect.ValueOf(c.Handlers[i].Settings).Elem()} {
			for _, f := range fieldsOf(v.Type()) {
				s.values = append(s.values, v.Field(f.index).Interface())
			}
		}
		all = append(all, s)
	}
	return append(all, setting{"handler", strings.Join(names, ", "), []any{names}})
}
