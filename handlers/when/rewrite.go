package when

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// builtins are the functions of the language that may be used: those that end soon,
// whatever they are given.
var builtins = []string{
	"all", "any", "count", "filter", "find", "map", "none", "one",
	"abs", "first", "hasPrefix", "hasSuffix", "indexOf", "join", "last", "lastIndexOf", "len", "lower", "max", "min",
	"split", "string", "trim", "trimPrefix", "trimSuffix", "upper",
}

// maxRange is how many numbers a range may have.
const maxRange = 1000

// rewrite puts the leaves of the expression in the place of what is written for them,
// and refuses what is not part of the language.
func (c *compiler) rewrite(n ast.Node) ast.Node {
	switch n := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.PointerNode:
	case *ast.IdentifierNode:
		c.identifier(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.BuiltinNode:
		if !slices.Contains(builtins, n.Name) {
			c.unknownFunction(n, n.Name)
		}
		isPredicate := func(n ast.Node) bool {
			_, ok := n.(*ast.PredicateNode)
			return ok
		}
		if c.loop && slices.ContainsFunc(n.Arguments, isPredicate) {
			c.fail(n, "a loop within a loop could take too long", "use in_list, or two expressions")
		}
		c.all(n.Arguments)
	case *ast.PredicateNode:
		c.loop = true
		n.Node = c.rewrite(n.Node)
		c.loop = false
	case *ast.UnaryNode:
		n.Node = c.rewrite(n.Node)
	case *ast.BinaryNode:
		n.Left, n.Right = c.rewrite(n.Left), c.rewrite(n.Right)
		c.binary(n)
	case *ast.SliceNode:
		n.Node = c.rewrite(n.Node)
		if n.From != nil {
			n.From = c.rewrite(n.From)
		}
		if n.To != nil {
			n.To = c.rewrite(n.To)
		}
	case *ast.ConditionalNode:
		n.Cond, n.Exp1, n.Exp2 = c.rewrite(n.Cond), c.rewrite(n.Exp1), c.rewrite(n.Exp2)
	case *ast.ArrayNode:
		c.all(n.Nodes)
	case *ast.VariableDeclaratorNode:
		c.declare(n)
	default:
		c.fail(n, "this is not part of the language of expressions", "")
	}
	return n
}

func (c *compiler) all(list []ast.Node) {
	for i, n := range list {
		list[i] = c.rewrite(n)
	}
}

// declare rewrites let.
func (c *compiler) declare(n *ast.VariableDeclaratorNode) {
	if slices.ContainsFunc(c.variables, func(l leaf) bool { return l.key == n.Name }) {
		c.fail(n, strconv.Quote(n.Name)+" has a meaning already", "use another name")
	}
	n.Value = c.rewrite(n.Value)
	c.scope = append(c.scope, n.Name)
	n.Expr = c.rewrite(n.Expr)
	c.scope = c.scope[:len(c.scope)-1]
}

// identifier finds a variable.
func (c *compiler) identifier(n *ast.IdentifierNode) {
	if slices.Contains(c.scope, n.Value) {
		if c.loop {
			c.fail(n, "within a loop "+strconv.Quote(n.Value)+" could take too long", "write what it stands for")
		}
		return
	}
	names := slices.Clone(c.scope)
	for _, l := range c.variables {
		if l.key == n.Value {
			c.use(n, l)
			return
		}
		names = append(names, l.key)
	}
	for _, name := range slices.Concat(functionNames(), builtins) {
		if name == n.Value {
			c.fail(n, strconv.Quote(n.Value)+" is a function", "write "+name+"(...)")
		}
	}
	c.fail(n, "unknown name "+strconv.Quote(n.Value), nearest(n.Value, names))
}

// functionNames returns the names of the functions that are not of the language.
func functionNames() []string {
	names := []string{"in_list", "result"}
	for _, f := range functions {
		names = append(names, f.name)
	}
	return names
}

func (c *compiler) unknownFunction(n ast.Node, name string) {
	hint := nearest(name, slices.Concat(functionNames(), builtins))
	for _, l := range c.variables {
		if l.key == name {
			hint = name + " is no function: leave out what is in brackets"
		}
	}
	c.fail(n, "unknown function "+strconv.Quote(name), hint)
}

// use adds a leaf to those of the expression, for a node. The tree has it as an
// identifier.
func (c *compiler) use(n ast.Node, l leaf) {
	if _, isList := l.get.(func(moment) []string); c.loop && (isList || l.gathers.has(gatherHeaders)) {
		c.fail(n, "within a loop "+l.key+" could take too long", "use in_list, or two expressions")
	}
	same := func(have *leaf) bool { return have.key == l.key }
	if slices.ContainsFunc(c.leaves, same) {
		return
	}
	c.unit.gathers |= l.gathers
	if i := slices.IndexFunc(c.unit.leaves, same); i >= 0 {
		c.leaves = append(c.leaves, c.unit.leaves[i])
		return
	}
	c.leaves, c.unit.leaves = append(c.leaves, &l), append(c.unit.leaves, &l)
}

// put uses a leaf in the place of a node.
func (c *compiler) put(n ast.Node, l leaf) ast.Node {
	c.use(n, l)
	id := &ast.IdentifierNode{Value: l.key}
	id.SetLocation(n.Location())
	return id
}

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
	words, ok := c.names.Lists[name.Value]
	if !ok {
		c.fail(name, unknown("list", name.Value, keys(c.names.Lists)), "")
		return n
	}
	l := newList(words)
	// A function of its own for each list: its one argument is the text.
	called := "in_list " + name.Value
	c.function(called, func(args ...any) (any, error) { return l.has(args[0].(string)), nil }, *new(func(string) bool))
	c.lists[called] = l
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
		c.fail(n, "only a result has fields", "")
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

// binary checks what stands on both sides of an operator.
func (c *compiler) binary(n *ast.BinaryNode) {
	switch n.Operator {
	case "matches":
		if _, ok := n.Right.(*ast.StringNode); !ok {
			c.fail(n.Right, "the pattern of matches must stand in quotes", "")
		}
	case "..":
		from, ok1 := c.constant(n.Left)
		to, ok2 := c.constant(n.Right)
		a, isInt1 := from.(int)
		b, isInt2 := to.(int)
		if !ok1 || !ok2 || !isInt1 || !isInt2 || b-a < 0 || b-a >= maxRange {
			c.fail(n, "the ends of a range must be numbers, "+strconv.Itoa(maxRange)+" at most in between", "write hour in 8..17, or compare with < and >")
		}
	case "/", "%":
		if v, ok := c.constant(n.Right); ok && (v == 0 || v == 0.0) {
			c.fail(n, "division by zero", "")
		}
	case "??":
		c.fail(n, "?? is not part of the language of expressions", "nothing is missing here: a text that is not known is empty")
	case "==", "!=":
		c.words(n.Left, n.Right)
		c.words(n.Right, n.Left)
	case "in":
		if list, ok := n.Right.(*ast.ArrayNode); ok {
			for _, element := range list.Nodes {
				c.words(n.Left, element)
			}
		}
	}
}

// words checks that what a leaf is compared with is one of the words that it can be.
func (c *compiler) words(n, with ast.Node) {
	id, ok := n.(*ast.IdentifierNode)
	text, isText := with.(*ast.StringNode)
	if !ok || !isText {
		return
	}
	for _, l := range c.leaves {
		if l.key == id.Value && l.words != nil && !slices.Contains(l.words, text.Value) {
			hint := nearest(text.Value, l.words)
			if hint == "" {
				hint = "it is one of " + strings.Join(l.words, ", ")
			}
			c.fail(with, l.key+" is never "+strconv.Quote(text.Value), hint)
		}
	}
}
