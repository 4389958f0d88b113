package when

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	engine "github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"

	"millstream/handlers"
	"millstream/protocol"
)

const (
	maxSource = 16 << 10 // bytes of an expression
	maxNodes  = 2000     // words and signs of an expression
)

// A Program is an expression that was compiled. It does not change, and is shared by
// sessions.
type Program struct {
	*expression
	unit   *unit
	stage  handlers.Kind // the first event at which it can be decided
	final  handlers.Kind // the event from which on it stays the same in a message
	each   bool          // it is of the recipient under way
	steady bool          // it stays the same for the connection
	key    string        // of the facts of its Group, on the shelf
}

// Compile compiles an expression, and checks all of it that can be checked without a
// session. names may be nil. The error is an [*Error].
func Compile(source string, names *Names) (*Program, error) { return compile(source, names, new(unit)) }

// compile compiles an expression whose unit may be that of others too.
func compile(source string, names *Names, u *unit) (*Program, error) {
	c := newCompiler(source, names, u)
	x, node, err := c.expression()
	if err != nil {
		return nil, err
	}
	if x.typ != "bool" {
		return nil, c.fault(node, "the expression is "+typeName(x.typ)+", and must be true or false", "")
	}
	p := &Program{expression: x, unit: c.unit, stage: atConnect, final: atConnect, steady: true}
	for _, l := range x.leaves {
		p.stage, p.final = max(p.stage, l.known), max(p.final, l.final)
		p.each, p.steady = p.each || l.each, p.steady && l.steady
	}
	if p.each && p.stage > atRcpt {
		late := x.leaves[slices.IndexFunc(x.leaves, func(l *leaf) bool { return l.known == p.stage })]
		each := x.leaves[slices.IndexFunc(x.leaves, func(l *leaf) bool { return l.each })]
		return nil, c.fault(node, fmt.Sprintf("%s is of the recipient under way, and there is none when %s is known, at %v",
			each.key, late.key, late.known), `ask for all of them, as in any(rcpts, # == "a@example.com")`)
	}
	return p, nil
}

// String returns the source of p.
func (p *Program) String() string { return p.source }

// Needs are what an expression has to be told to be decided.
type Needs struct {
	// Stage is the first event at which it can be decided: an event from connect to
	// end-of-message.
	Stage handlers.Kind

	// Final is the event from which on it stays the same in a message; 0 if it may always
	// change.
	Final handlers.Kind

	// Each says that it is of the recipient under way.
	Each bool

	// Wants are the events that the MTA has to send. It need not wait for answers to them.
	Wants handlers.Wants

	// Macros are those that it uses. An MTA that is asked for some macros at a stage sends
	// no others there: who asks for these asks for those of all handlers.
	Macros protocol.MacroLists

	// Results are the names of the earlier handlers whose results it uses.
	Results []string
}

// Needs returns what p has to be told. [Handler] has the events sent by itself.
func (p *Program) Needs() Needs { return needs(p.leaves) }

func needs(leaves []*leaf) Needs {
	n := Needs{Stage: atConnect, Final: atConnect}
	for _, l := range leaves {
		n.Stage, n.Final, n.Each = max(n.Stage, l.known), max(n.Final, l.final), n.Each || l.each
		n.Wants.Events |= l.needs
		for _, s := range macroStages {
			if l.macro != "" && s.at == l.known {
				n.Macros.Add(s.stage, l.macro)
			}
		}
		if l.result != "" && !slices.Contains(n.Results, l.result) {
			n.Results = append(n.Results, l.result)
		}
	}
	if n.Final == never {
		n.Final = 0
	}
	return n
}

// compiler compiles one expression.
type compiler struct {
	source file.Source
	names  *Names
	unit   *unit
	config *conf.Config

	variables []leaf
	leaves    []*leaf         // of this expression
	scope     []string        // names that let has given
	lists     map[string]List // those of in_list, by the name of the function
	loop      bool            // within a predicate
	anyValue  bool            // it need not be a condition
	err       error           // the first
}

func newCompiler(source string, names *Names, u *unit) *compiler {
	if names == nil {
		names = new(Names)
	}
	where := names.Location
	if where == nil {
		where = time.Local
	}
	c := &compiler{
		source: file.NewSource(source), names: names, unit: u, variables: variables(where), lists: make(map[string]List),
	}
	c.config = conf.CreateNew()
	c.config.MaxNodes = maxNodes
	return c
}

// expression compiles the source, and returns the root of its tree too.
func (c *compiler) expression() (*expression, ast.Node, error) {
	if err := checkLength(c.source.String()); err != nil {
		return nil, nil, err
	}
	tree, err := parser.ParseWithConfig(c.source.String(), c.config)
	if err != nil {
		return nil, nil, located(err)
	}
	tree.Node = c.rewrite(tree.Node)
	if c.err != nil {
		return nil, nil, c.err
	}
	x := &expression{source: c.source.String(), leaves: c.leaves}
	x.native = c.piece(tree.Node)
	if x.typ, err = c.check(tree); err != nil {
		return nil, nil, err
	}
	root := tree.Node
	if value, known := c.truth(root); known && !value && !c.anyValue {
		return nil, nil, c.fault(root, "the expression is never true", "take it out, or mend what it compares")
	}
	if !c.anyValue {
		if found := c.impossible(root, true, make(map[string]known)); found != nil {
			return nil, nil, c.fault(found.node, "the expression is never true",
				found.name+" cannot be so: mend this, or what contradicts it")
		}
	}
	if err := optimizer.Optimize(&tree.Node, c.config); err != nil {
		return nil, nil, located(err)
	}
	if x.program, err = engine.Compile(tree, c.config); err != nil {
		return nil, nil, located(err)
	}
	return x, root, nil
}

// checkLength refuses a source that is too long.
func checkLength(source string) error {
	if n := len(source); n > maxSource {
		return &Error{1, 1, fmt.Sprintf("%d bytes are too many: there may be %d", n, maxSource), "use a list, see in_list"}
	}
	return nil
}

// check checks the types of a tree and returns that of the whole, as Go has it.
func (c *compiler) check(tree *parser.Tree) (string, error) {
	env := make(map[string]any, len(c.leaves))
	for _, l := range c.leaves {
		env[l.key] = l.zero()
	}
	c.config.WithEnv(env)
	typ, err := checker.Check(tree, c.config)
	if err != nil {
		return "", located(err)
	}
	return typ.String(), nil
}

// fault returns an error at a node.
func (c *compiler) fault(n ast.Node, message, hint string) error {
	at := (&file.Error{Location: n.Location()}).Bind(c.source)
	return &Error{Line: at.Line, Column: at.Column + 1, Message: message, Hint: hint}
}

// fail notes what is wrong with a node, unless something was before.
func (c *compiler) fail(n ast.Node, message, hint string) {
	if c.err == nil {
		c.err = c.fault(n, message, hint)
	}
}

// typeName returns what a type is called in errors.
func typeName(t string) string {
	switch {
	case t == "string":
		return "a text"
	case t == "int" || t == "float64":
		return "a number"
	case t == "bool":
		return "a flag"
	case strings.HasPrefix(t, "[]"):
		return "a list"
	}
	return "of no one type"
}
