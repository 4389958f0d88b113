package config

import (
	_ "embed"
	"os"
	"path/filepath"
	"reflect" //nolint:depguard // see field.go
	"slices"
)

// Example is the configuration that is served if none is given. It says of every
// setting what it does.
//
//go:embed example.toml
var Example []byte

// exampleName stands for the file in messages.
const exampleName = "example.toml"

// Options are what a configuration is read with. The zero value is that of the program.
type Options struct {
	// Env looks up a variable of the environment. Nil means os.LookupEnv.
	Env func(name string) (value string, ok bool)

	// Types are the types of handlers there are. Nil means Types().
	Types []Type
}

// complete fills in the defaults.
func (o Options) complete() Options {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	if o.Types == nil {
		o.Types = Types()
	}
	return o
}

// A File is the content of a file, and what messages call it.
type File struct {
	Name string
	Data []byte
}

// Load reads a file, and the files conf.d/*.toml beside it in the order of their
// names. The error is an [Error] with all mistakes, or says why a file cannot be
// read.
func Load(path string, o Options) (*Config, error) {
	more, err := filepath.Glob(filepath.Join(quoteGlob(filepath.Dir(path)), "conf.d", "*.toml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(more)
	var files []File
	for _, name := range append([]string{path}, more...) {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, File{name, data})
	}
	return Parse(files, o)
}

// quoteGlob returns a path as a pattern that only it matches.
func quoteGlob(path string) string {
	var quoted []byte
	for i := range len(path) {
		switch path[i] {
		case '*', '?', '[', '\\':
			quoted = append(quoted, '\\')
		}
		quoted = append(quoted, path[i])
	}
	return string(quoted)
}

// Default returns the configuration that is served if none is given: that of Example.
func Default(o Options) (*Config, error) {
	return Parse([]File{{exampleName, Example}}, o)
}

// Parse reads files that belong together. Tables of theirs are joined, lists of tables
// appended; what is set twice is a mistake. The error is an [Error] with all mistakes.
func Parse(files []File, o Options) (*Config, error) {
	o = o.complete()
	d := &decoder{env: o.Env, types: o.Types}
	c := defaults()
	c.root = new(node)
	names, readable := make([]string, len(files)), true
	for i, f := range files {
		names[i] = f.Name
		tree, err := parse(f.Name, f.Data)
		switch {
		case err != nil:
			d.mistakes, readable = append(d.mistakes, *err), false
		case i == 0:
			c.root = tree
		default:
			c.root.merge(tree, "", func(at Position, text string) { d.wrong(at, "%s", text) })
		}
	}
	if !readable { // what follows would only be mistakes about mistakes
		return nil, sorted(d.mistakes, names)
	}
	d.config(c)
	if len(c.Listeners) == 0 {
		c.Listeners = []Listener{{Socket: DefaultSocket}}
	}
	c.check(d)
	if err := sorted(d.mistakes, names); err != nil {
		return nil, err
	}
	return c, nil
}

// config decodes a tree. Handlers have the settings of their type, so they come by
// themselves.
func (d *decoder) config(c *Config) {
	root := *c.root
	root.fields = make(map[string]*node, len(c.root.fields))
	for name, n := range c.root.fields {
		if name != handlerKey || !n.hasTables() { // what else it is, is a mistake
			root.fields[name] = n
		}
	}
	root.names = slices.DeleteFunc(slices.Clone(root.names), func(name string) bool { return root.fields[name] == nil })
	d.table(&root, "", reflect.ValueOf(c).Elem())
	if list := c.root.fields[handlerKey]; list != nil && list.hasTables() {
		c.Handlers = make([]Handler, len(list.items))
		for i, n := range list.items {
			d.handler(n, &c.Handlers[i], handlerPath(i))
		}
	}
}
