package when

import (
	"fmt"
	"strconv"
	"strings"

	"millstream/handlers"
)

// A Text is a text with expressions in it. It does not change, and is shared by
// sessions.
type Text struct {
	source string
	parts  []part
	unit   *unit
	key    string // of the facts, on the shelf
}

// part is a piece of a Text: words, or an expression.
type part struct {
	words string
	*expression
}

// maxText is how many bytes a text may come to.
const maxText = 4 << 10

// Template compiles a text for a header or a reply. What stands between {{ and }} is an
// expression over the same names as those of [Compile]: a text, a number, true or
// false. names may be nil. The error is an [*Error].
func Template(source string, names *Names) (*Text, error) {
	return template(source, names, new(unit), newKey())
}

// template compiles a text whose unit, and the key of its facts, may be those of others
// too.
func template(source string, names *Names, u *unit, key string) (*Text, error) {
	if err := checkLength(source); err != nil {
		return nil, err
	}
	t := &Text{source: source, unit: u, key: key}
	for rest := source; rest != ""; {
		words, after, ok := strings.Cut(rest, "{{")
		if words != "" {
			t.parts = append(t.parts, part{words: words})
		}
		if !ok {
			break
		}
		at := len(source) - len(after)
		inner, next, ok := strings.Cut(after, "}}")
		if !ok {
			line, column := position(source, at-len("{{"))
			return nil, &Error{line, column, "{{ without }}", "write what is to stand there as it is, in quotes: {{\"{{\"}}"}
		}
		x, err := t.compile(inner, names)
		if err != nil {
			return nil, moved(err, source, at)
		}
		t.parts = append(t.parts, part{expression: x})
		rest = next
	}
	return t, nil
}

// compile compiles an expression of t.
func (t *Text) compile(source string, names *Names) (*expression, error) {
	c := newCompiler(source, names, t.unit)
	c.anyValue = true
	x, node, err := c.expression()
	if err != nil {
		return nil, err
	}
	switch x.typ {
	case "string", "bool", "int", "float64":
		return x, nil
	}
	return nil, c.fault(node, "this is "+typeName(x.typ)+", and must be a text or a number", `join a list: join(rcpts, ", ")`)
}

// position returns the line and the column of a byte of a source.
func position(source string, at int) (line, column int) {
	before := source[:at]
	line = strings.Count(before, "\n") + 1
	return line, len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
}

// moved returns an error of an expression that stands in a source from a byte on.
func moved(err error, source string, at int) error {
	e, ok := err.(*Error) //nolint:errorlint // Compile wraps none
	if !ok {
		return err
	}
	line, column := position(source, at)
	there := *e
	if there.Line == 1 {
		there.Column += column - 1
	}
	there.Line += line - 1
	return &there
}

// String returns the source of t.
func (t *Text) String() string { return t.source }

// Needs returns what t has to be told. Before its Stage, what is not known yet is empty.
func (t *Text) Needs() Needs {
	var leaves []*leaf
	for _, p := range t.parts {
		if p.expression != nil {
			leaves = append(leaves, p.leaves...)
		}
	}
	return needs(leaves)
}

// Around returns h with what t needs gathered for it, so that functions of h can call
// Header and Reply in any session. It goes around what [Handler] returns, not into it:
// it gathers from the beginning of a message.
func (t *Text) Around(h handlers.Handler) handlers.Handler {
	return around(t.unit, t.key, h)
}

// Header returns the text for the value of a header: line ends and other control bytes
// are spaces. It is for the functions of a handler within Around. The error is an
// [*EvalError].
func (t *Text) Header(s *handlers.Session) (string, error) { return t.render(s, headerSafe) }

// Reply returns the text for a line of a reply to the SMTP client: as Header, and what
// is not ASCII is a question mark. The error is an [*EvalError].
func (t *Text) Reply(s *handlers.Session) (string, error) { return t.render(s, replySafe) }

// headerSafe returns what stands for a letter in a header.
func headerSafe(r rune) rune {
	if r < ' ' || 0x7f <= r && r < 0xa0 {
		return ' '
	}
	return r
}

// replySafe returns what stands for a letter in a reply.
func replySafe(r rune) rune {
	if r >= 0xa0 {
		return '?'
	}
	return headerSafe(r)
}

// render works t out, with each letter made safe.
func (t *Text) render(s *handlers.Session, safe func(rune) rune) (string, error) {
	m := now(s, t.key)
	var b strings.Builder
	for _, p := range t.parts {
		words := p.words
		if p.expression != nil {
			v, err := p.value(m)
			if err != nil {
				return "", err
			}
			words = word(v)
		}
		b.WriteString(strings.Map(safe, strings.ToValidUTF8(words, "?")))
		if b.Len() > maxText {
			return strings.ToValidUTF8(b.String()[:maxText], ""), nil
		}
	}
	return b.String(), nil
}

// word returns a value as it is written.
func word(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return fmt.Sprint(v)
}
