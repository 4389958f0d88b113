package load

import (
	"net"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// watchLeaks checks at the end of a test, when what it began after this call has
// ended, that no goroutine and no open file is left.
func watchLeaks(tb testing.TB) {
	tb.Helper()
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close() // from now on the runtime has the files that it keeps
	}
	goroutines, files := goleak.IgnoreCurrent(), openFiles(tb)
	tb.Cleanup(func() {
		goleak.VerifyNone(tb, goroutines)
		if now := openFiles(tb); now > files {
			tb.Errorf("%d files are open, %d were", now, files)
		}
	})
}

func openFiles(tb testing.TB) int {
	tb.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		tb.Skip(err)
	}
	return len(list)
}
