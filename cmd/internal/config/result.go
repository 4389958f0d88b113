package config

import (
	"fmt"
	"regexp"
	"slices"
)

// resultOf finds where an expression asks for the result of a handler.
func resultOf(name string) *regexp.Regexp {
	return regexp.MustCompile(`result\(\s*["'` + "`" + `]` + regexp.QuoteMeta(name))
}

// value returns what a string comes to; "" if n is none, or a variable in it is wrong.
func (n *node) value(env func(string) (string, bool)) string {
	text, err := expand(n.text, env)
	if err != nil {
		return ""
	}
	return text
}

// asking returns the first string within the settings of a handler, which are n, that asks
// for the result of another one, with its path; the path of n if there is none. The
// condition in front of the handler is not of its settings.
func (n *node) asking(path, name string, env func(string) (string, bool)) (key, source string) {
	var find func(n *node, key string) bool
	find = func(n *node, at string) bool {
		if n.kind == kindText {
			key, source = at, n.value(env)
			return resultOf(name).MatchString(source)
		}
		for i, item := range n.items {
			if find(item, fmt.Sprintf("%s[%d]", at, i)) {
				return true
			}
		}
		return slices.ContainsFunc(n.names, func(field string) bool {
			return (at != path || field != "when") && find(n.fields[field], join(at, field))
		})
	}
	if !find(n, path) {
		return path, ""
	}
	return key, source
}

// order notes that an expression of handler i asks for the result of one that does not
// come before it.
func (c *checker) order(cfg *Config, i int, key string, at int, source, name string) {
	j := slices.IndexFunc(cfg.Handlers, func(h Handler) bool { return h.Name == name })
	if j < i {
		return
	}
	if place := resultOf(name).FindStringIndex(source); place != nil {
		at += place[0]
	}
	if j == i {
		c.within(key, at, "%q is this handler, which has no result yet: name one before it", name)
		return
	}
	c.within(key, at, "%q comes after this handler: put %s before %s in the file", name, handlerPath(j), handlerPath(i))
}
