package lists_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millstream/handlers/lists"
)

// Each mistake is told with its file and line, and how to mend it.
func TestMistakes(t *testing.T) {
	tests := []struct {
		kind lists.Kind
		line string
		want string
	}{
		{lists.Networks, "192.0.2.1/24", `"192.0.2.1/24" is no network, since its first address is 192.0.2.0: write 192.0.2.0/24, or 192.0.2.1`},
		{lists.Networks, "192.0.2", "write 192.0.2.0/24"},
		{lists.Networks, "192.0.2.0/33", "is no network"},
		{lists.Networks, "example.com", "is no network"},
		{lists.Networks, "fe80::1%eth0", "has a zone"},
		{lists.Domains, "*.example.com", "write .example.com for all domains below"},
		{lists.Domains, "user@example.com", "is no domain"},
		{lists.Domains, "example..com", "is no domain"},
		{lists.Domains, "..example.com", "is no domain"},
		{lists.Domains, ".", "is no domain"},
		{lists.Domains, "a,b", "is no domain"},
		{lists.Domains, strings.Repeat("a.", 200) + "com", "are too many for an entry"},
		{lists.Addresses, "@", "is no address"},
		{lists.Addresses, "@.example.com", "write .example.com for all"},
		{lists.Addresses, "user@example..com", "is no domain"},
		{lists.Addresses, strings.Repeat("x", 400) + "@example.com", "are too many for an entry"},
		{lists.Names, ".", "has nothing in it"},
		{lists.Names, " name", "begins with a space"},
		{lists.Names, "\tname", "begins with a space"},
		{lists.Names, "na\x00me", "control character 0x00"},
		{lists.Names, "na\xffme", "not in UTF-8"},
		{lists.Names, "name BAD", "that is no value"},
		{lists.Names, strings.Repeat("x", 101), "the line is longer than 100 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			path := write(t, "# comment", tt.line)
			cfg := lists.Config{Interval: -1}
			if strings.Contains(tt.want, "longer") {
				cfg.MaxLine = 100
			}
			set := lists.NewSet(cfg)
			l, err := set.Add(lists.Spec{Kind: tt.kind, Path: path})
			if err != nil {
				t.Fatal(err)
			}
			lists.As(l, asText)
			err = set.Open()
			if err == nil || !strings.HasPrefix(err.Error(), path+":2: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s:2: … %s", err, path, tt.want)
			}
			if l.Ready() {
				t.Error("a list with a mistake is in use")
			}
		})
	}
}

// A line may be as long as it may be.
func TestLongestLine(t *testing.T) {
	for _, end := range []string{"", "\n", "\nmore"} {
		set := lists.NewSet(lists.Config{Interval: -1, MaxLine: 100})
		l, err := set.Add(lists.Spec{Kind: lists.Names, Path: write(t, strings.Repeat("x", 100)+end)})
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Open(); err != nil || !l.Has(strings.Repeat("x", 100)) {
			t.Errorf("end %q: %v", end, err)
		}
	}
}

// The mistakes of all lists are told at once, but of each list not all.
func TestManyMistakes(t *testing.T) {
	bad := make([]string, 1000)
	for i := range bad {
		bad[i] = fmt.Sprintf("no network %d", i)
	}
	first, second := write(t, bad...), write(t, "x..y")
	set := lists.NewSet(lists.Config{})
	for path, kind := range map[string]lists.Kind{first: lists.Networks, second: lists.Domains} {
		if _, err := set.Add(lists.Spec{Kind: kind, Path: path}); err != nil {
			t.Fatal(err)
		}
	}
	err := set.Open()
	if err == nil {
		t.Fatal("opened")
	}
	text := err.Error()
	if n := strings.Count(text, first+":"); n != 10 || !strings.Contains(text, first+":10: ") || !strings.Contains(text, "there may be more") {
		t.Errorf("%d mistakes of the first list:\n%s", n, text)
	}
	if !strings.Contains(text, second+":1: ") {
		t.Errorf("none of the second list:\n%s", text)
	}
}

func TestMaxEntries(t *testing.T) {
	for _, lines := range [][]string{{"a", "b", "c"}, {"a", "b", "c", "d", "e"}} {
		set := lists.NewSet(lists.Config{Interval: -1, MaxEntries: 3})
		l, err := set.Add(lists.Spec{Kind: lists.Names, Path: write(t, lines...)})
		if err != nil {
			t.Fatal(err)
		}
		err = set.Open()
		if len(lines) == 3 {
			if err != nil || l.Status().Entries != 3 {
				t.Errorf("at the limit: %v, %d entries", err, l.Status().Entries)
			}
		} else if err == nil || strings.Count(err.Error(), "\n") > 0 || !strings.Contains(err.Error(), ":4: too many entries: there may be 3") {
			t.Errorf("over the limit: %v", err)
		}
	}
}

// Editors of some systems write a byte order mark.
func TestByteOrderMark(t *testing.T) {
	if v := open(t, lists.Names, "\ufeffname value\r", "other\r"); !v.List().Has("name") || !v.List().Has("other") {
		t.Error("the first name is not found")
	}
}

func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "missing"): "no such file",
		dir:                           "is no regular file",
	} {
		set := lists.NewSet(lists.Config{})
		if _, err := set.Add(lists.Spec{Kind: lists.Names, Path: path}); err != nil {
			t.Fatal(err)
		}
		if err := set.Open(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestUnreadableFile(t *testing.T) {
	path := write(t, "name")
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(path); err == nil {
		f.Close()
		t.Skip("this user may read everything")
	}
	set := lists.NewSet(lists.Config{})
	if _, err := set.Add(lists.Spec{Kind: lists.Names, Path: path}); err != nil {
		t.Fatal(err)
	}
	if err := set.Open(); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("unreadable: %v", err)
	}
}

func TestParseEntry(t *testing.T) {
	tests := []struct {
		kind             lists.Kind
		entry            string
		key, value, fail string
	}{
		{lists.Networks, "192.0.2.1 REJECT go away", "192.0.2.1/32", "REJECT go away", ""},
		{lists.Domains, ".Example.COM", ".example.com", "", ""},
		{lists.Addresses, `"A B"@x.example	OK`, "a b@x.example", "OK", ""},
		{lists.Names, "one\ntwo", "", "", "several lines"},
		{lists.Names, "", "", "", "empty"},
		{lists.Names, "# only", "", "", "empty"},
		{lists.Networks, "x", "", "", "no network"},
	}
	for _, tt := range tests {
		key, value, err := lists.ParseEntry(tt.kind, tt.entry)
		if tt.fail != "" {
			if err == nil || !strings.Contains(err.Error(), tt.fail) {
				t.Errorf("%q: %v, want %s", tt.entry, err, tt.fail)
			}
		} else if err != nil || key != tt.key || value != tt.value {
			t.Errorf("%q: %q %q %v", tt.entry, key, value, err)
		}
	}
}

func TestKind(t *testing.T) {
	for _, k := range []lists.Kind{lists.Networks, lists.Names, lists.Domains, lists.Addresses} {
		if got, err := lists.ParseKind(k.String()); got != k || err != nil {
			t.Errorf("%v: %v %v", k, got, err)
		}
	}
	for _, word := range []string{"", "none", "name"} {
		if k, err := lists.ParseKind(word); err == nil {
			t.Errorf("%q is %v", word, k)
		}
	}
	if lists.Kind(9).String() != "none" {
		t.Error("a kind that does not exist has a name")
	}
}
