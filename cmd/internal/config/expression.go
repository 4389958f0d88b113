package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"millstream/handlers"
	"millstream/handlers/lists"
	"millstream/handlers/when"
)

// A text is one of the texts of a handler's settings, with expressions in it.
type text struct {
	source string
	*when.Text
}

// A Texter is [Settings] with texts that have expressions between {{ and }}.
type Texter interface {
	// Texts tells each of its texts: the key, such as "add[1].value", where in its value
	// the text begins, and the text. Env.Text has what they are compiled to.
	Texts(each func(key string, at int, text string))
}

// A Compiler is [Settings] with expressions or names of networks that its type makes
// something of when a handler is built. What it tells stands in place of its Check.
type Compiler interface {
	// Mistakes returns what is wrong, with the names that there are.
	Mistakes(names *when.Names) when.Mistakes

	// Needs returns the macros and results that the expressions have to be told. The error
	// is about mistakes.
	Needs(names *when.Names) (when.Needs, error)
}

// names returns what the configuration has given a name. Its networks and lists are those
// of a set, or without one have nothing in them.
func (c *Config) names(set *lists.Set) *when.Names {
	n := &when.Names{
		Networks: make(map[string]when.Network), Lists: make(map[string]when.List), Results: make(map[string]handlers.Kind),
	}
	for name := range c.Networks {
		if n.Networks[name] = when.Prefixes(); set != nil {
			n.Networks[name] = set.List(name)
		}
	}
	for name := range c.Lists {
		if n.Lists[name] = when.Words(); set != nil {
			n.Lists[name] = set.List(name)
		}
	}
	return n
}

// expressions compiles the expressions of handlers. To know from which event on a result
// can be told, handlers that are asked for theirs are made and thrown away; so are those
// with an expression, which may come too late for them.
func (c *checker) expressions(cfg *Config) {
	names := cfg.names(nil)
	for i := range cfg.Handlers { // which are asked for is known when all have been read
		names.Results[cfg.Handlers[i].Name] = handlers.KindConnect
	}
	asked := make(map[string]bool)
	for i := range cfg.Handlers {
		for _, result := range c.compile(cfg, i, names) {
			asked[result] = true
		}
	}
	if len(c.mistakes) > 0 {
		return
	}
	clear(names.Results)
	for i := range cfg.Handlers {
		h := &cfg.Handlers[i]
		c.compile(cfg, i, names)
		if h.recorded = asked[h.Name]; !h.recorded && h.when == nil || len(c.mistakes) > 0 {
			continue
		}
		kinds, err := cfg.answers(h, names)
		if err != nil {
			c.unbuilt(h, handlerPath(i), err)
			continue
		}
		names.Results[h.Name] = first(kinds)
	}
	cfg.results = names.Results
}

// compile compiles the expressions of a handler, and returns the handlers whose results
// they ask for.
func (c *checker) compile(cfg *Config, i int, names *when.Names) (results []string) {
	h, path := &cfg.Handlers[i], handlerPath(i)
	take := func(key string, at int, source string, needs func() when.Needs, err error) bool {
		if err != nil {
			c.expression(key, at, source, err)
			return false
		}
		for _, name := range needs().Results {
			c.order(cfg, i, key, at, source, name)
			results = append(results, name)
		}
		return true
	}
	if h.When != "" {
		p, err := when.Compile(h.When, names)
		if take(path+".when", 0, h.When, p.Needs, err) {
			h.when = p
		}
	}
	h.texts = nil
	if t, ok := h.Settings.(Texter); ok {
		t.Texts(func(key string, at int, source string) {
			compiled, err := when.Template(source, names)
			if take(join(path, key), at, source, compiled.Needs, err) && !h.hasText(source) {
				h.texts = append(h.texts, text{source, compiled})
			}
		})
	}
	if s, ok := h.Settings.(Compiler); ok {
		h.needs = c.settings(s, path, names)
		for _, name := range h.needs.Results {
			key, source := c.root.find(path).asking(path, name, c.env)
			c.order(cfg, i, key, 0, source, name)
			results = append(results, name)
		}
	}
	return results
}

// settings checks the settings of the handler at path, and returns what their expressions
// need.
func (c *checker) settings(s Compiler, path string, names *when.Names) when.Needs {
	needs, err := s.Needs(names)
	if err != nil {
		for _, m := range s.Mistakes(names) {
			key := join(path, m.Key)
			c.expression(key, 0, c.root.find(key).value(c.env), m.Err)
		}
	}
	return needs
}

// compile compiles the expressions of h again, which have no mistakes, with other names.
func (h *Handler) compile(names *when.Names) (err error) {
	if h.when != nil {
		if h.when, err = when.Compile(h.When, names); err != nil {
			return err
		}
	}
	texts := make([]text, len(h.texts))
	for i, t := range h.texts {
		if t.Text, err = when.Template(t.source, names); err != nil {
			return err
		}
		texts[i] = t
	}
	h.texts = texts
	return nil
}

// hasText reports whether a text has been compiled.
func (h *Handler) hasText(source string) bool {
	return slices.ContainsFunc(h.texts, func(t text) bool { return t.source == source })
}

// expression notes what is wrong with an expression that begins at a byte of a setting.
func (c *checker) expression(key string, at int, source string, err error) {
	e, ok := errors.AsType[*when.Error](err)
	if !ok {
		c.at(key, "%s", strings.TrimPrefix(err.Error(), "milter: "))
		return
	}
	what := e.Message
	if e.Hint != "" {
		what += ": " + e.Hint
	}
	c.within(key, at+offset(source, e.Line, e.Column), "%s", what)
}

// within notes a mistake at a byte of a setting.
func (c *checker) within(key string, at int, format string, args ...any) {
	n := c.root.find(key)
	if n.kind != kindText {
		c.at(key, format, args...)
		return
	}
	c.wrong(n.origin(at, c.env), "`%s`: %s", key, fmt.Sprintf(format, args...))
}

// offset returns the byte at a line and a column of characters.
func offset(source string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(source[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	for i := range source[at:] {
		if column--; column < 1 {
			return at + i
		}
	}
	return len(source)
}

// unbuilt notes why a handler cannot be made.
func (c *checker) unbuilt(h *Handler, path string, err error) {
	late, ok := errors.AsType[*when.StageError](err)
	if !ok {
		c.at(path, "%v", err)
		return
	}
	c.within(path+".when", max(strings.Index(h.When, late.Name), 0),
		"%s is known from %v on, but %s takes %v: use names that are known by then, or a handler that begins later",
		late.Name, late.Known, h.Type, late.Event)
}

// answers makes a handler with names and throws it away. It returns the events that it
// answers.
func (c *Config) answers(h *Handler, names *when.Names) (handlers.Kinds, error) {
	env, err := c.complete(Env{Names: names})
	if err != nil {
		return 0, err
	}
	built, err := h.make(env)
	if err = errors.Join(err, env.generation().Close()); err != nil {
		return 0, err
	}
	return built.Wants().Replies, nil
}

// first returns the first command of a set, or the last there is if it has none.
func first(set handlers.Kinds) handlers.Kind {
	for k := handlers.KindConnect; k < handlers.KindEndOfMessage; k++ {
		if set.Has(k) {
			return k
		}
	}
	return handlers.KindEndOfMessage
}
