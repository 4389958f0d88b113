package when

import (
	"errors"
	"sync"

	"github.com/expr-lang/expr/vm"
)

// An expression is what was compiled: a program for the engine, and where its shape is
// one of the simple ones a function in its place.
type expression struct {
	source  string
	leaves  []*leaf
	typ     string // of the value, as Go has it
	program *vm.Program
	native  native
	idle    sync.Pool // of *machine
}

// machine is what the engine needs to run a program once.
type machine struct {
	vm  vm.VM
	env map[string]any
}

// run has the engine work the expression out. The error is an [*EvalError].
func (x *expression) run(m moment) (any, error) {
	e, _ := x.idle.Get().(*machine)
	if e == nil {
		e = &machine{env: make(map[string]any, len(x.leaves))}
	}
	for _, l := range x.leaves {
		e.env[l.key] = l.value(m)
	}
	v, err := e.vm.Run(x.program, e.env)
	clear(e.env)
	x.idle.Put(e)
	if err != nil {
		at := located(err)
		return nil, &EvalError{Source: x.source, Line: at.Line, Column: at.Column, Err: errors.New(at.Message)}
	}
	return v, nil
}

// value works the expression out.
func (x *expression) value(m moment) (any, error) {
	switch {
	case x.native.text != nil:
		return x.native.text(m), nil
	case x.native.num != nil:
		return x.native.num(m), nil
	case x.native.flag != nil:
		return x.native.flag(m), nil
	}
	return x.run(m)
}

// holds works out a condition.
func (x *expression) holds(m moment) (bool, error) {
	if flag := x.native.flag; flag != nil {
		return flag(m), nil
	}
	v, err := x.run(m)
	holds, _ := v.(bool)
	return holds, err
}
