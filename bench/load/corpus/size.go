package corpus

import (
	"fmt"
	"strconv"
	"strings"
)

// units are what a size may end in, in lower case, in bytes.
var units = []struct {
	name  string
	bytes float64
}{
	{"gib", 1 << 30},
	{"mib", 1 << 20},
	{"kib", 1 << 10},
	{"g", 1 << 30},
	{"m", 1 << 20},
	{"k", 1 << 10},
	{"b", 1},
}

// ParseSize parses a size in bytes: 512, 4KiB, 64k, 1.5MiB, 1GiB. Units are powers
// of 1024, in upper or lower case.
func ParseSize(s string) (int64, error) {
	number, unit := strings.ToLower(strings.TrimSpace(s)), 1.0
	for _, u := range units {
		if n, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimRight(n, " "), u.bytes
			break
		}
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.Trim(number, "0123456789.") != "" {
		return 0, fmt.Errorf("%q is no size; write bytes such as 512, or 4KiB, 64k, 1MiB", s)
	}
	if f *= unit; f >= 1<<62 {
		return 0, fmt.Errorf("the size %q is too large", s)
	}
	return int64(f), nil
}

// formatSize writes a size so that ParseSize reads it.
func formatSize(n int64) string {
	for _, u := range [...]struct {
		name  string
		bytes int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}
