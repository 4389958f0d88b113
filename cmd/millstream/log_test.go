package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// slowWriter writes when it is allowed to.
type slowWriter struct {
	begun, allowed chan struct{}
	bytes.Buffer
}

func (w *slowWriter) Write(p []byte) (int, error) {
	select {
	case w.begun <- struct{}{}:
	default:
	}
	<-w.allowed
	return w.Buffer.Write(p)
}

// TestLineWriter checks that who logs is not held up by who reads the log, and that
// what is dropped is counted.
func TestLineWriter(t *testing.T) {
	w := &slowWriter{begun: make(chan struct{}, 1), allowed: make(chan struct{})}
	l := newLineWriter(w)
	const extra = 10
	_, _ = l.Write([]byte("first\n"))
	<-w.begun // the goroutine has it and waits
	for i := range logBacklog + extra {
		_, _ = fmt.Fprintf(l, "%d\n", i)
	}
	close(w.allowed)
	l.Close()
	text := w.String()
	if !strings.HasPrefix(text, "first\n") || !strings.Contains(text, fmt.Sprintf("lines=%d", extra)) {
		t.Errorf("log begins %.80q", text)
	}
	if n := strings.Count(text, "\n"); n != logBacklog+2 {
		t.Errorf("%d lines", n)
	}
}
