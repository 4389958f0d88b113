package when

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// maxRange is how many numbers a range may have.
const maxRange = 1000

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
	case "contains", "startsWith", "endsWith":
		c.words(n.Left, n.Right, false)
	case "==", "!=":
		c.words(n.Left, n.Right, true)
		c.words(n.Right, n.Left, true)
	case "in":
		if list, ok := n.Right.(*ast.ArrayNode); ok {
			for _, element := range list.Nodes {
				c.words(n.Left, element, true)
			}
		}
	}
}

// words checks that what a leaf is compared with is one of the words that it can be, as a
// whole or in part.
func (c *compiler) words(n, with ast.Node, whole bool) {
	text, isText := with.(*ast.StringNode)
	if !isText {
		return
	}
	if b, ok := n.(*ast.BuiltinNode); ok && b.Name == "lower" {
		c.smallLetters(with, "what lower returns", text.Value)
	}
	id, ok := n.(*ast.IdentifierNode)
	if !ok {
		return
	}
	for _, l := range c.leaves {
		if l.key != id.Value {
			continue
		}
		if l.small {
			c.smallLetters(with, l.key, text.Value)
		}
		if whole && l.words != nil && !slices.Contains(l.words, text.Value) {
			hint := nearest(text.Value, l.words)
			if hint == "" {
				hint = "it is one of " + strings.Join(l.words, ", ")
			}
			c.fail(with, l.key+" is never "+strconv.Quote(text.Value), hint)
		}
	}
}

// smallLetters checks that what is compared with a text in small letters is in such, too.
func (c *compiler) smallLetters(at ast.Node, what, text string) {
	if small := strings.ToLower(text); small != text {
		c.fail(at, what+" has small letters only, and never "+strconv.Quote(text), "write "+strconv.Quote(small))
	}
}
