package lists_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millstream/handlers/handlertest"
	"millstream/handlers/lists"
)

// write makes a file with some lines, and returns its path.
func write(t testing.TB, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list")
	rewrite(t, path, lines...)
	return path
}

// rewrite replaces a file, as one should: by another one.
func rewrite(t testing.TB, path string, lines ...string) {
	t.Helper()
	beside := path + ".new"
	if err := os.WriteFile(beside, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(beside, path); err != nil {
		t.Fatal(err)
	}
}

// asText is the meaning of values that are what they are.
func asText(text string) (string, error) {
	if text == "BAD" {
		return "", errors.New("that is no value")
	}
	return text, nil
}

// open returns a view of a list of some kind, whose set is closed with the test.
func open(t testing.TB, kind lists.Kind, lines ...string) *lists.View[string] {
	t.Helper()
	set := lists.NewSet(lists.Config{Interval: -1})
	l, err := set.Add(lists.Spec{Kind: kind, Path: write(t, lines...)})
	if err != nil {
		t.Fatal(err)
	}
	v := lists.As(l, asText)
	if err := set.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	return v
}

// logger returns a logger that writes to log, without times.
func logger(log *handlertest.Log) *slog.Logger {
	return slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "took" {
			return slog.Attr{}
		}
		return a
	}}))
}
