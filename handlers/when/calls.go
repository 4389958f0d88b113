package when

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
)

// call finds a function.
func (c *compiler) call(n *ast.CallNode) ast.Node {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		c.fail(n, "only a function can be called", "")
		return n
	}
	switch callee.Value {
	case "in_list":
		return c.inList(n)
	case "result":
		c.fail(n, "a result is not true or false by itself", `write result("name").verdict, or .failed`)
		return n
	}
	i := slices.IndexFunc(functions, func(f function) bool { return f.name == callee.Value })
	if i < 0 {
		c.unknownFunction(n, callee.Value)
		return n
	}
	f := &functions[i]
	words, ok := literals(n.Arguments)
	if !ok || len(words) < f.args || len(words) > f.args+f.more {
		c.fail(n, f.name+" wants words in quotes, so that what it needs is known beforehand", "write "+f.usage)
		return n
	}
	l, wrong := f.leaf(c, words)
	if wrong != "" {
		c.fail(n.Arguments[0], wrong, "")
		return n
	}
	l.key = n.String()
	return c.put(n, l)
}

// literals returns the texts that arguments are.
func literals(args []ast.Node) (words []string, ok bool) {
	for _, a := range args {
		s, isText := a.(*ast.StringNode)
		if !isText {
			return nil, false
		}
		words = append(words, s.Value)
	}
	return words, true
}

// inList finds the list of in_list, whose second argument is any text.
func (c *compiler) inList(n *ast.CallNode) ast.Node {
	const usage = `write in_list("name", sender)`
	if len(n.Arguments) != 2 {
		c.fail(n, "in_list wants the name of a list, and a text", usage)
		return n
	}
	name, ok := n.Arguments[0].(*ast.StringNode)
	if !ok {
		c.fail(n.Arguments[0], "in_list wants the name of a list in quotes", usage)
		return n
	}
	l, ok := c.names.Lists[name.Value]
	switch {
	case ok:
	case c.names.Open:
		l = Words()
	default:
		c.fail(name, unknown("list", name.Value, keys(c.names.Lists)), "")
		return n
	}
	// Each list has a function of its own, whose one argument is the text.
	called := "in_list " + name.Value
	if _, known := c.lists[called]; !known {
		c.lists[called] = l
		expr.Function(called, func(args ...any) (any, error) { return l.Has(args[0].(string)), nil }, new(func(string) bool))(c.config)
	}
	callee := &ast.IdentifierNode{Value: called}
	callee.SetLocation(n.Callee.Location())
	n.Callee, n.Arguments = callee, []ast.Node{c.rewrite(n.Arguments[1])}
	return n
}

// member finds what result tells, and the element of a list.
func (c *compiler) member(n *ast.MemberNode) ast.Node {
	field, isField := n.Property.(*ast.StringNode)
	if call, ok := n.Node.(*ast.CallNode); ok && isField && called(call) == "result" {
		words, ok := literals(call.Arguments)
		if !ok || len(words) != 1 {
			c.fail(n, "result wants the name of an earlier handler in quotes", `write result("name").`+field.Value)
			return n
		}
		l, wrong := resultLeaf(c, words[0], field.Value)
		if wrong != "" {
			c.fail(call, wrong, "")
			return n
		}
		l.key = n.String()
		return c.put(n, l)
	}
	if isField || n.Method || n.Optional {
		hint := ""
		if name, ok := n.Node.(*ast.IdentifierNode); ok && isField && slices.ContainsFunc(functions, func(f function) bool { return f.name == name.Value }) {
			hint = fmt.Sprintf("write %s(%q)", name.Value, field.Value)
		}
		c.fail(n, "only a result has fields", hint)
		return n
	}
	n.Node, n.Property = c.rewrite(n.Node), c.rewrite(n.Property)
	return n
}

// called returns the name of the function that is called.
func called(n *ast.CallNode) string {
	if id, ok := n.Callee.(*ast.IdentifierNode); ok {
		return id.Value
	}
	return ""
}
