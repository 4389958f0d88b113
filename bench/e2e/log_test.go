package e2e

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
)

// A logBuffer gathers the log of a mail server in memory.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write adds lines to the log. It does not fail.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// listenLog gathers what is sent to a socket as to /dev/log, until the test ends.
func listenLog(tb testing.TB, path string) *logBuffer {
	tb.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		tb.Fatal(err)
	}
	b := &logBuffer{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		packet := make([]byte, 64<<10)
		for {
			n, err := c.Read(packet)
			if err != nil {
				return
			}
			fmt.Fprintf(b, "%s\n", packet[:n])
		}
	}()
	tb.Cleanup(func() { c.Close(); <-done })
	return b
}
