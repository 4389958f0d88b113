package when

import (
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"
)

// builtins are the functions of the language that may be used: those that end soon,
// whatever they are given.
var builtins = []string{
	"all", "any", "count", "filter", "find", "map", "none", "one",
	"abs", "first", "hasPrefix", "hasSuffix", "indexOf", "join", "last", "lastIndexOf", "len", "lower", "max", "min",
	"split", "string", "trim", "trimPrefix", "trimSuffix", "upper",
}

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
