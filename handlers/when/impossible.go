package when

import (
	"maps"
	"math"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// known is what is so of a name where a condition holds: a number lies between two ends,
// and anything is one of some values and none of others.
type known struct {
	low, high int
	only      []any // nil is any
	not       []any
}

// anything is what is known of a name at first.
var anything = known{low: math.MinInt, high: math.MaxInt}

// possible reports whether there is a value left.
func (k known) possible() bool {
	if k.low > k.high || k.low == k.high && slices.Contains(k.not, any(k.low)) {
		return false
	}
	return k.only == nil || slices.ContainsFunc(k.only, func(v any) bool {
		n, isNumber := v.(int)
		return !slices.Contains(k.not, v) && !(isNumber && (n < k.low || n > k.high))
	})
}

// and returns what is so if other is so too.
func (k known) and(other known) known {
	both := known{low: max(k.low, other.low), high: min(k.high, other.high), only: k.only, not: slices.Concat(k.not, other.not)}
	switch {
	case k.only == nil:
		both.only = other.only
	case other.only != nil:
		both.only = slices.DeleteFunc(slices.Clone(k.only), func(v any) bool { return !slices.Contains(other.only, v) })
	}
	return both
}

// A clash is a comparison that cannot hold, and the name that it is about.
type clash struct {
	node ast.Node
	name string
}

// impossible returns the comparison due to which a condition is never what want says;
// nil if there is none. Looked at are comparisons of names with constants, each with what
// all must be so in front of it: what is found is so, but not all that is so is found.
func (c *compiler) impossible(n ast.Node, want bool, so map[string]known) *clash {
	together, choices := apart(n, want)
	for _, p := range together {
		name, k := c.comparison(p.node, p.want)
		if name == "" {
			continue
		}
		have, ok := so[name]
		if !ok {
			have = c.span(name)
		}
		if so[name] = have.and(k); !so[name].possible() {
			return &clash{p.node, name}
		}
	}
	for _, p := range choices { // when all else is known
		either := p.node.(*ast.BinaryNode)
		found := c.impossible(either.Left, p.want, maps.Clone(so))
		if found != nil && c.impossible(either.Right, p.want, maps.Clone(so)) != nil {
			return found
		}
	}
	return nil
}

// span returns what a name can be at all.
func (c *compiler) span(name string) known {
	k := anything
	for _, l := range c.leaves {
		if _, isNumber := l.get.(func(moment) int); isNumber && l.key == name {
			k.low = 0
			if l.most > 0 {
				k.high = l.most
			}
		}
	}
	return k
}

// wanted is a condition that is to be true or false.
type wanted struct {
	node ast.Node
	want bool
}

// apart takes a condition apart that is to be true or false: into those of which all are to
// be so, and pairs of which one is.
func apart(n ast.Node, want bool) (together, choices []wanted) {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return apart(n.Node, !want)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "and", "||", "or":
			if (n.Operator == "&&" || n.Operator == "and") != want {
				return nil, []wanted{{n, want}}
			}
			together, choices = apart(n.Left, want)
			t, c := apart(n.Right, want)
			return append(together, t...), append(choices, c...)
		}
	}
	return []wanted{{n, want}}, nil
}

// comparison returns what is known of a name if a comparison is what want says; the
// name is "" for what is none.
func (c *compiler) comparison(n ast.Node, want bool) (name string, k known) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		k = anything
		k.only = []any{want}
		return n.Value, k
	case *ast.BinaryNode:
		if id, ok := n.Left.(*ast.IdentifierNode); ok {
			return id.Value, c.compared(n.Operator, n.Right, want)
		}
		if id, ok := n.Right.(*ast.IdentifierNode); ok && mirrored[n.Operator] != "" {
			return id.Value, c.compared(mirrored[n.Operator], n.Left, want)
		}
	}
	return "", anything
}

// mirrored are operators with their sides exchanged, and opposite those that hold where
// others do not.
var (
	mirrored = map[string]string{"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
	opposite = map[string]string{"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
)

// compared returns what is known of a name if it compares so with a constant, or does not.
func (c *compiler) compared(operator string, with ast.Node, want bool) known {
	k := anything
	if operator == "in" {
		return membership(with, want)
	}
	if !want {
		operator = opposite[operator]
	}
	value, _ := c.constant(with)
	switch value.(type) {
	case string, int, bool:
	default:
		return k
	}
	n, isNumber := value.(int)
	switch {
	case operator == "==":
		k.only = []any{value}
	case operator == "!=":
		k.not = []any{value}
	case !isNumber:
	case operator == "<" && n > math.MinInt:
		k.high = n - 1
	case operator == "<=":
		k.high = n
	case operator == ">" && n < math.MaxInt:
		k.low = n + 1
	case operator == ">=":
		k.low = n
	}
	return k
}

// membership returns what is known of a name that is in a list of words or a range of numbers,
// or is not.
func membership(list ast.Node, want bool) known {
	k := anything
	switch list := list.(type) {
	case *ast.ArrayNode:
		words, ok := literals(list.Nodes)
		if !ok {
			return k
		}
		values := make([]any, len(words))
		for i, w := range words {
			values[i] = w
		}
		if want {
			k.only = values
		} else {
			k.not = values
		}
	case *ast.BinaryNode:
		from, ok1 := list.Left.(*ast.IntegerNode)
		to, ok2 := list.Right.(*ast.IntegerNode)
		if want && list.Operator == ".." && ok1 && ok2 {
			k.low, k.high = from.Value, to.Value
		}
	}
	return k
}
