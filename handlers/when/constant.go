package when

import (
	"github.com/expr-lang/expr/ast"
	engine "github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// constant returns the value of a piece of the expression, if it asks nothing of a
// session.
func (c *compiler) constant(n ast.Node) (value any, ok bool) {
	v := new(variability)
	ast.Walk(&n, v)
	if v.varies || c.err != nil {
		return nil, false
	}
	program, err := engine.Compile(&parser.Tree{Node: n, Source: c.source}, nil)
	if err != nil {
		return nil, false
	}
	value, err = vm.Run(program, nil)
	return value, err == nil
}

// variability finds out whether a piece of an expression can be now this, now that.
type variability struct{ varies bool }

// Visit is [ast.Visitor].
func (v *variability) Visit(n *ast.Node) {
	switch (*n).(type) {
	case *ast.IdentifierNode, *ast.PointerNode, *ast.CallNode:
		v.varies = true
	}
}

// truth returns whether a condition always is what it is.
func (c *compiler) truth(n ast.Node) (value, known bool) {
	if v, ok := c.constant(n); ok {
		value, known = v.(bool)
		return value, known
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			value, known = c.truth(n.Node)
			return !value, known
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "and":
			return c.either(n, false)
		case "||", "or":
			return c.either(n, true)
		}
	case *ast.ConditionalNode:
		if cond, ok := c.truth(n.Cond); ok && cond {
			return c.truth(n.Exp1)
		} else if ok {
			return c.truth(n.Exp2)
		}
		a, ok1 := c.truth(n.Exp1)
		b, ok2 := c.truth(n.Exp2)
		return a, ok1 && ok2 && a == b
	case *ast.VariableDeclaratorNode:
		return c.truth(n.Expr)
	}
	return false, false
}

// either returns what two conditions are together, where one that is strong decides.
func (c *compiler) either(n *ast.BinaryNode, strong bool) (value, known bool) {
	a, ok1 := c.truth(n.Left)
	b, ok2 := c.truth(n.Right)
	if ok1 && a == strong || ok2 && b == strong {
		return strong, true
	}
	return !strong, ok1 && ok2
}
