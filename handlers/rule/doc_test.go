package rule_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"millstream/handlers/rule"
	"millstream/handlers/when"
)

// The package comment has every setting, and its expressions and texts compile.
func TestDocumentation(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for _, settings := range []any{rule.Rule{}, rule.SubjectSettings{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(settings)) {
			key, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
			if !strings.Contains(text, key) || f.Tag.Get("doc") == "" {
				t.Errorf("%s is not documented", key)
			}
		}
	}
	names := &when.Names{Open: true}
	found := regexp.MustCompile(`(?m)^//\t(\w+) = ['"]([^'\n]*)['"]$`).FindAllStringSubmatch(text, -1)
	expressions := 0
	for _, m := range found {
		compile := func(source string) error { _, err := when.Template(source, names); return err }
		if m[1] == "when" || m[1] == "if" {
			expressions++
			compile = func(source string) error { _, err := when.Compile(source, names); return err }
		}
		if err := compile(m[2]); err != nil {
			t.Errorf("%s: %v", m[0], err)
		}
	}
	if expressions != 5 {
		t.Errorf("%d expressions", expressions)
	}
}
