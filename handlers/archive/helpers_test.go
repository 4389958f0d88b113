package archive

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/handlers/handlertest"
)

// box is a maildir and the filter that writes there.
type box struct {
	path    string
	handler handlers.Handler
	log     bytes.Buffer
}

// newBox returns a box. set changes the settings; it may be nil.
func newBox(t testing.TB, path string, set func(*Settings)) *box {
	t.Helper()
	b, s := &box{path: path}, Defaults()
	s.Maildir = path
	if set != nil {
		set(s)
	}
	h, err := New(s, slog.New(slog.NewTextHandler(&b.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	b.handler = h
	return b
}

// files returns the content of the files in a directory of the box.
func (b *box) files(t testing.TB, dir string) []string {
	t.Helper()
	var content []string
	entries, err := os.ReadDir(filepath.Join(b.path, dir))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(b.path, dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		content = append(content, string(data))
	}
	slices.Sort(content)
	return content
}

// has checks what has been delivered, and that nothing was left behind.
func (b *box) has(t testing.TB, want ...string) {
	t.Helper()
	if got := b.files(t, "new"); !slices.Equal(got, want) {
		t.Errorf("delivered\n%q\nwant\n%q", shorten(got), shorten(want))
	}
	if rest := b.files(t, "tmp"); len(rest) > 0 {
		t.Errorf("left in tmp: %q", shorten(rest))
	}
}

// shorten returns texts that fit into a message.
func shorten(texts []string) (short []string) {
	for _, text := range texts {
		if len(text) > 400 {
			text = text[:200] + " ... " + text[len(text)-200:]
		}
		short = append(short, text)
	}
	return short
}

// letterTo returns a message.
func letterTo(body string, to ...string) handlertest.Mail {
	return handlertest.Mail{
		From: "<a@x.example>", To: to,
		Headers: []handlers.Field{{Name: "Subject", Value: "hello"}},
		Body:    body,
	}
}

// copyOf returns the copy of such a message with one recipient, <b@y.example>.
func copyOf(body string) string {
	return "X-Envelope-From: <a@x.example>\nX-Envelope-To: <b@y.example>\nSubject: hello\n\n" + strings.ReplaceAll(body, "\r\n", "\n")
}

// large returns lines of about so many bytes.
func large(bytes int) string { return strings.Repeat("a line of a body\r\n", bytes/18+1) }
