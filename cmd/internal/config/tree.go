package config

import (
	"bytes"
	"slices"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// A kind is what a value is in TOML.
type kind uint8

const (
	kindTable kind = iota
	kindList
	kindText
	kindInteger
	kindFloat
	kindBool
	kindTime
)

var kindNames = [...]string{"a table", "a list", "a string", "an integer", "a decimal number", "true or false", "a date or time"}

// String returns the word for k with its article.
func (k kind) String() string { return kindNames[k] }

// A node is a value of a file, with the place where it stands. The decoder of TOML
// tells one mistake and then gives up; from nodes all are found, and what is only wrong
// in its meaning is still known by its place.
type node struct {
	at     Position // the value; of a table its header
	key    Position
	kind   kind
	text   string // of a scalar, a string without its quotes
	raw    string // of a string, as it is written
	names  []string
	fields map[string]*node // of a table, by names
	items  []*node          // of a list
}

// parse reads one file. What is no TOML has no tree but a mistake.
func parse(file string, data []byte) (*node, *Mistake) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	var all map[string]any // what is defined twice, only the decoder finds
	if err := toml.Unmarshal(data, &all); err != nil {
		return nil, noTOML(file, data, err)
	}
	r := &reader{file: file, lines: lineStarts(data)}
	r.p.Reset(data)
	root := &node{at: Position{File: file, Line: 1, Column: 1}}
	table := root
	for r.p.NextExpression() {
		switch e := r.p.Expression(); e.Kind {
		case unstable.Table:
			table = r.descend(root, e.Key())
		case unstable.ArrayTable:
			table = r.element(root, e.Key())
		case unstable.KeyValue:
			r.assign(table, e)
		}
	}
	return root, nil
}

// A reader makes a tree of what the parser of TOML tells.
type reader struct {
	file  string
	lines []int // where each line begins
	p     unstable.Parser
}

func lineStarts(data []byte) []int {
	starts := []int{0}
	for i := 0; ; {
		n := bytes.IndexByte(data[i:], '\n')
		if n < 0 {
			return starts
		}
		i += n + 1
		starts = append(starts, i)
	}
}

func (r *reader) position(raw unstable.Range) Position {
	offset := int(raw.Offset)
	line := sort.SearchInts(r.lines, offset+1)
	return Position{File: r.file, Line: line, Column: offset - r.lines[line-1] + 1}
}

// descend returns the table of a key. It makes those that are not there yet.
func (r *reader) descend(n *node, key unstable.Iterator) *node {
	for key.Next() {
		n = r.child(n, key.Node(), kindTable)
	}
	return n
}

// element adds a table to the list of a key.
func (r *reader) element(n *node, key unstable.Iterator) *node {
	for key.Next() {
		if !key.IsLast() {
			n = r.child(n, key.Node(), kindTable)
			continue
		}
		at := r.position(key.Node().Raw)
		list := r.child(n, key.Node(), kindList)
		n = &node{at: at, key: at}
		list.items = append(list.items, n)
	}
	return n
}

// child returns a member of a table, and makes it if it is not there. Of a list it is
// the last element that is meant, unless a list is asked for.
func (r *reader) child(n *node, key *unstable.Node, k kind) *node {
	name, at := string(key.Data), r.position(key.Raw)
	c := n.fields[name]
	if c == nil {
		c = &node{at: at, key: at, kind: k}
		n.set(name, c)
	}
	if c.kind == kindList && k == kindTable && len(c.items) > 0 {
		return c.items[len(c.items)-1]
	}
	return c
}

func (n *node) set(name string, c *node) {
	if n.fields == nil {
		n.fields = make(map[string]*node)
	}
	if n.fields[name] == nil {
		n.names = append(n.names, name)
	}
	n.fields[name] = c
}

// assign adds a key and its value to a table.
func (r *reader) assign(n *node, e *unstable.Node) {
	for key := e.Key(); key.Next(); {
		if !key.IsLast() {
			n = r.child(n, key.Node(), kindTable)
			continue
		}
		c := r.value(e.Value(), r.position(key.Node().Raw))
		n.set(string(key.Node().Data), c)
	}
}

var kindOfNode = map[unstable.Kind]kind{
	unstable.String: kindText, unstable.Bool: kindBool, unstable.Float: kindFloat, unstable.Integer: kindInteger,
	unstable.Array: kindList, unstable.InlineTable: kindTable, unstable.LocalDate: kindTime,
	unstable.LocalTime: kindTime, unstable.LocalDateTime: kindTime, unstable.DateTime: kindTime,
}

// value returns the value of a key. The parser does not tell where a list begins: its
// place is that of the key.
func (r *reader) value(e *unstable.Node, key Position) *node {
	n := &node{at: key, key: key, kind: kindOfNode[e.Kind], text: string(e.Data)}
	if e.Kind != unstable.Array {
		n.at = r.position(e.Raw)
	}
	if n.kind == kindText {
		n.raw = string(r.p.Raw(e.Raw))
	}
	for it := e.Children(); it.Next(); {
		if n.kind == kindList {
			n.items = append(n.items, r.value(it.Node(), key))
		} else {
			r.assign(n, it.Node())
		}
	}
	return n
}

// merge adds what another file has. Tables are joined and lists of tables made longer;
// wrong is told what is set in both.
func (n *node) merge(more *node, path string, wrong func(Position, string)) {
	for _, name := range more.names {
		old, added, key := n.fields[name], more.fields[name], join(path, name)
		switch {
		case old == nil:
			n.set(name, added)
		case old.kind == kindTable && added.kind == kindTable:
			old.merge(added, key, wrong)
		case old.hasTables() && added.hasTables():
			old.items = append(old.items, added.items...)
		default:
			wrong(added.key, "`"+key+"` is set a second time, the first is at "+old.key.String()+": keep one of them")
		}
	}
}

// hasTables reports whether n is a list of tables.
func (n *node) hasTables() bool {
	return n.kind == kindList && !slices.ContainsFunc(n.items, func(i *node) bool { return i.kind != kindTable })
}

// find returns what stands at a path such as "handler[1].name", or if that was not
// written what it would be in.
func (n *node) find(path string) *node {
	for part := range strings.SplitSeq(path, ".") {
		name, indexes, _ := strings.Cut(part, "[")
		c := n.fields[name]
		if c == nil {
			return n
		}
		n = c
		for index := range strings.SplitSeq(strings.TrimSuffix(indexes, "]"), "][") {
			i, ok := number(index)
			if !ok || i >= len(n.items) {
				break
			}
			n = n.items[i]
		}
	}
	return n
}

// number reads an index.
func number(s string) (n int, ok bool) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > 1<<20 {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, s != ""
}

// join adds a name to a path.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
