package handlertest

import (
	"slices"
	"strings"
	"testing"
)

// Wrong checks what the method Check of some settings finds wrong with them: each is
// "key: text" and begins with the one of want that stands at its place.
func Wrong(t testing.TB, check func(wrong func(key, text string)), want ...string) {
	t.Helper()
	var got []string
	check(func(key, text string) { got = append(got, key+": "+text) })
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("found wrong\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
