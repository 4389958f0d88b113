package handlertest

import (
	"bytes"
	"sync"
)

// A Log is what a handler has logged: a writer for a handler of log/slog, to be read
// while others write. The zero Log is empty and ready to use.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write is that of [io.Writer]. It never fails.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// String returns what was logged since the last call of Take.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Take returns what was logged since its last call, and forgets it.
func (l *Log) Take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}
