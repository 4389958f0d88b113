package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Position is a place in a file. Lines and columns count from 1, columns in bytes.
type Position struct {
	File         string
	Line, Column int
}

// String returns the place as compilers write it, so that editors find it.
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// A Mistake is one thing that is wrong with a configuration: where, what, and how to
// mend it.
type Mistake struct {
	At   Position
	Text string
}

// String returns the place and the text.
func (m Mistake) String() string { return m.At.String() + ": " + m.Text }

// An Error is all that is wrong with a configuration, in the order of its files.
type Error []Mistake

// Error returns a line for each mistake.
func (e Error) Error() string {
	lines := make([]string, len(e))
	for i, m := range e {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// sorted returns mistakes as an error, in the order in which files were read; nil if
// there are none.
func sorted(mistakes []Mistake, files []string) error {
	if len(mistakes) == 0 {
		return nil
	}
	slices.SortStableFunc(mistakes, func(a, b Mistake) int {
		return cmp.Or(
			cmp.Compare(slices.Index(files, a.At.File), slices.Index(files, b.At.File)),
			cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	return Error(slices.Compact(mistakes))
}

// didYouMean returns a hint to the word of a list that is nearest to one that is not
// in it, or the whole list if none is near.
func didYouMean(word string, known []string) string {
	best, least := "", max(2, len(word)/3)+1
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean `%s`?", best)
	}
	return "known are " + strings.Join(known, ", ")
}

// distance returns how many letters must be put in, taken out, exchanged or swapped
// with the next to make b of a.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
