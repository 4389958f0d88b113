package when

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"millstream/handlers"
)

// The table of names in the package comment has every name, with its type and its stage.
func TestDocumentedNames(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string][]string{} // type and stage
	row := regexp.MustCompile(`(?m)^//\t([a-z_]+(?:\(.*?\))?(?:\.[a-z]+)?) +(text|number|flag|list) +(\S.*?)  +\S`)
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		documented[m[1]] = m[2:]
	}
	names := &Names{Lists: map[string]List{"vip": Words()}, Results: map[string]handlers.Kind{"x": atData}}
	c := newCompiler("", names, new(unit))
	for _, l := range c.variables {
		if got := documented[l.key]; !slices.Equal(got, []string{typeOf(&l), l.known.String()}) {
			t.Errorf("%s is %s from %v on, and documented as %v", l.key, typeOf(&l), l.known, got)
		}
		delete(documented, l.key)
	}
	for name, doc := range documented {
		source := strings.NewReplacer("trusted", "192.0.2.0/24", "text", "sender").Replace(name)
		switch doc[0] {
		case "list":
			source = "len(" + source + ") > 0"
		case "text":
			source += ` == ""`
		}
		p, err := Compile(source, names)
		if err != nil {
			t.Errorf("%s, documented as %v: %v", name, doc, err)
			continue
		}
		if at := p.Needs().Stage.String(); at != doc[1] && !strings.HasPrefix(doc[1], "that of") && doc[1] != "its stage" {
			t.Errorf("%s is known from %s on, and documented as %v", name, at, doc)
		}
	}
	for _, name := range functionNames() {
		if !slices.ContainsFunc(keys(documented), func(d string) bool { return strings.HasPrefix(d, name+"(") }) {
			t.Errorf("%s is not documented", name)
		}
	}
	for _, name := range builtins {
		if !regexp.MustCompile(`(?m)^//\t.*\b` + name + `\b`).Match(text) {
			t.Errorf("%s is not documented", name)
		}
	}
}

func typeOf(l *leaf) string {
	switch l.zero().(type) {
	case string:
		return "text"
	case int:
		return "number"
	case bool:
		return "flag"
	}
	return "list"
}

func TestVariablesAreWhole(t *testing.T) {
	for _, l := range variables(time.UTC) {
		if l.known < atConnect || l.known > atEOM || l.final < l.known || l.get == nil {
			t.Errorf("%+v", l)
		}
		if l.words != nil && typeOf(&l) != "text" {
			t.Errorf("%s has words", l.key)
		}
	}
}
