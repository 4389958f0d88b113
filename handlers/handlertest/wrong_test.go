package handlertest_test

import (
	"fmt"
	"testing"

	"millstream/handlers/handlertest"
)

// told is a test that keeps what it fails with.
type told struct {
	testing.TB
	errors []string
}

func (*told) Helper() {}

func (t *told) Errorf(format string, args ...any) {
	t.errors = append(t.errors, fmt.Sprintf(format, args...))
}

func TestWrong(t *testing.T) {
	check := func(wrong func(key, text string)) {
		wrong("tag", "there is no tag: write one")
		wrong("size", "-1 is negative")
	}
	for _, tt := range []struct {
		want  []string
		fails int
	}{
		{[]string{"tag: there is no tag", "size: "}, 0},
		{[]string{"tag: there is no tag"}, 1},
		{[]string{"size: ", "tag: "}, 1},
		{nil, 1},
	} {
		failing := &told{TB: t}
		handlertest.Wrong(failing, check, tt.want...)
		if len(failing.errors) != tt.fails {
			t.Errorf("want %q: %q", tt.want, failing.errors)
		}
	}
}
