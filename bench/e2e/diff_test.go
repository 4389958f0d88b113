package e2e

import (
	"slices"
	"strings"
	"testing"
)

// A pair is a line that is kept and the one that came in its place; "" for none.
type pair struct{ kept, came string }

// stays reports whether a line came in its place, in whatever write. A remark may
// say anything.
func (p pair) stays() bool {
	return p.kept != "" && p.came != "" && packet(p.kept) == packet(p.came)
}

// same reports whether a line came as it is kept.
//
// Two writes can come in one read, if they follow each other at once. So a write
// of its own that seems to be none proves nothing, and a packet that came apart
// once never shares its write.
func (p pair) same() bool { return p.stays() && (isApart(p.kept) || !isApart(p.came)) }

// packet returns a line without its place among the writes.
func packet(line string) string {
	if strings.HasPrefix(line, "#") {
		return "#"
	}
	if rest, joined := strings.CutPrefix(line, "+> "); joined {
		return "-> " + rest
	}
	return line
}

// isApart reports whether a line is a write of its own.
func isApart(line string) bool { return strings.HasPrefix(line, "-> ") }

// align finds the lines that stayed, as many as it can, and puts what went and
// what came between them.
func align(kept, came []string) (pairs []pair) {
	// common[i][j] is how many of the lines from i and j on can stay.
	common := make([][]int, len(kept)+1)
	for i := range common {
		common[i] = make([]int, len(came)+1)
	}
	for i, old := range slices.Backward(kept) {
		for j, now := range slices.Backward(came) {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if (pair{old, now}).stays() {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(kept) && j < len(came) {
		switch p := (pair{kept[i], came[j]}); {
		case p.stays():
			pairs = append(pairs, p)
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			pairs = append(pairs, pair{kept: kept[i]})
			i++
		default:
			pairs = append(pairs, pair{came: came[j]})
			j++
		}
	}
	for ; i < len(kept); i++ {
		pairs = append(pairs, pair{kept: kept[i]})
	}
	for ; j < len(came); j++ {
		pairs = append(pairs, pair{came: came[j]})
	}
	return pairs
}

// diff shows what differs, with the lines around it; "" if nothing does.
func diff(pairs []pair) string {
	if !slices.ContainsFunc(pairs, func(p pair) bool { return !p.same() }) {
		return ""
	}
	var b strings.Builder
	for _, p := range pairs {
		if p.same() {
			b.WriteString("  " + p.kept)
			continue
		}
		if p.kept != "" {
			b.WriteString("- " + p.kept)
		}
		if p.came != "" {
			b.WriteString("+ " + p.came)
		}
	}
	return b.String()
}

// settled is what came. If only the writes can differ, what is known of them from
// before stays.
func settled(pairs []pair) string {
	known := !slices.ContainsFunc(pairs, func(p pair) bool { return !p.stays() })
	var b strings.Builder
	for _, p := range pairs {
		if known && isApart(p.kept) {
			p.came = p.kept
		}
		b.WriteString(p.came)
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	tests := []struct {
		name, kept, came, diff, settled string
	}{
		{"nothing", "a\nb\n", "a\nb\n", "", "a\nb\n"},
		{"a line went", "a\nb\nc\n", "a\nc\n", "  a\n- b\n  c\n", "a\nc\n"},
		{"a line came", "a\nc\n", "a\nb\nc\n", "  a\n+ b\n  c\n", "a\nb\nc\n"},
		{"another line", "a\nb\nc\n", "a\nd\nc\n", "  a\n- b\n+ d\n  c\n", "a\nd\nc\n"},
		{"all is new", "", "a\n", "+ a\n", "a\n"},
		{"remarks do not count", "# 1\na\n", "# 2\na\n", "", "# 2\na\n"},
		{"two writes in one read", "-> abort\n-> quit\n", "-> abort\n+> quit\n", "", "-> abort\n-> quit\n"},
		{"other packets in other writes", "-> abort\n-> quit\n", "-> rcpt\n+> quit\n", "- -> abort\n+ -> rcpt\n  -> quit\n", "-> rcpt\n+> quit\n"},
		{"two writes after all", "-> abort\n+> quit\n", "-> abort\n-> quit\n", "  -> abort\n- +> quit\n+ -> quit\n", "-> abort\n-> quit\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pairs := align(flowLines(tt.kept), flowLines(tt.came))
			if got := diff(pairs); got != tt.diff {
				t.Errorf("diff =\n%swant\n%s", got, tt.diff)
			}
			if got := settled(pairs); got != tt.settled {
				t.Errorf("settled =\n%swant\n%s", got, tt.settled)
			}
		})
	}
}
