package config

import (
	"errors"
	"fmt"
	"strings"
)

// expand replaces variables of the environment in a string: ${NAME} and
// ${NAME:-default}, where the default is for one that is unset or empty. $$ is a
// dollar sign, as is one before anything else than a brace.
func expand(s string, env func(string) (string, bool)) (string, error) {
	e, err := expanded(s, env)
	return string(e.text), err
}

// An expansion is a string with its variables replaced, and where in it each byte is
// from: that of a variable from the dollar sign.
type expansion struct {
	text []byte
	from []int
}

// add adds what stands at a place, or what a variable there comes to.
func (e *expansion) add(text string, at int, variable bool) {
	for i := range len(text) {
		from := at
		if !variable {
			from += i
		}
		e.text, e.from = append(e.text, text[i]), append(e.from, from)
	}
}

// expanded is expand that also tells what is from where.
func expanded(s string, env func(string) (string, bool)) (e expansion, err error) {
	for at := 0; ; {
		before, after, found := strings.Cut(s[at:], "$")
		e.add(before, at, false)
		at += len(before)
		switch {
		case !found:
			return e, nil
		case strings.HasPrefix(after, "$"):
			e.add("$", at, false)
			at += len("$$")
			continue
		case !strings.HasPrefix(after, "{"):
			e.add("$", at, false)
			at++
			continue
		}
		inner, _, closed := strings.Cut(after[1:], "}")
		if !closed {
			return expansion{}, errors.New("`${` is not closed: write ${NAME}, or $${ for the two characters")
		}
		value, err := variable(inner, env)
		if err != nil {
			return expansion{}, err
		}
		e.add(value, at, true)
		at += len("${}") + len(inner)
	}
}

// variable returns the value of what stands between the braces.
func variable(inner string, env func(string) (string, bool)) (string, error) {
	name, byDefault, hasDefault := strings.Cut(inner, ":-")
	if !isVariable(name) {
		return "", errors.New("`${` is not followed by the name of a variable: write ${NAME} or ${NAME:-default}, or $${ for the two characters")
	}
	value, ok := env(name)
	switch {
	case hasDefault && value == "":
		return byDefault, nil
	case !ok:
		return "", fmt.Errorf("the environment has no variable %s: set it, or write ${%s:-default}", name, name)
	}
	return value, nil
}

// isVariable reports whether a shell would take s for the name of a variable.
func isVariable(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
