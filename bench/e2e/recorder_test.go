package e2e

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// A recorder stands between a mail server and the server under test. It passes
// everything on as it comes, and keeps what each connection brings.
type recorder struct {
	net.Listener
	milter net.Addr

	mu    sync.Mutex
	tapes []*tape
	calls sync.WaitGroup
}

// startRecorder takes connections for a milter until the end of the test.
func startRecorder(tb testing.TB, milter net.Addr) *recorder {
	tb.Helper()
	socket := filepath.Join(SocketDir(tb), "recorder")
	l, err := net.Listen("unix", socket)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(socket, 0o666); err != nil {
		tb.Fatal(err)
	}
	r := &recorder{Listener: l, milter: milter}
	r.calls.Go(r.accept)
	tb.Cleanup(func() {
		l.Close()
		r.calls.Wait() // the mail server has ended, and so have its connections
	})
	return r
}

func (r *recorder) accept() {
	for {
		mta, err := r.Accept()
		if err != nil {
			return
		}
		r.calls.Go(func() { r.connect(mta) })
	}
}

// connect joins a connection of the mail server to one of the milter.
func (r *recorder) connect(mta net.Conn) {
	defer mta.Close()
	milter, err := net.Dial(r.milter.Network(), r.milter.String())
	if err != nil {
		return // the mail server complains in its log
	}
	defer milter.Close()
	t := &tape{}
	r.mu.Lock()
	r.tapes = append(r.tapes, t)
	r.mu.Unlock()
	var ways sync.WaitGroup
	ways.Go(func() { t.copy(milter, mta, true) })
	ways.Go(func() { t.copy(mta, milter, false) })
	ways.Wait()
	t.end()
}

// recorded returns what the connections brought that have ended.
func (r *recorder) recorded() (ended []*tape) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tapes {
		if t.ended() {
			ended = append(ended, t)
		}
	}
	return ended
}

// A tape is what a connection brought, in order. What comes is noted before it is
// passed on, so an answer is never before what it answers.
type tape struct {
	mu     sync.Mutex
	pieces []piece
	over   bool
}

// A piece is what one read brought.
type piece struct {
	mta   bool // rather than the milter
	bytes []byte
	err   error // the end of this direction
}

// copy passes on what one side says, until it ends.
func (t *tape) copy(to, from net.Conn, mta bool) {
	buf := make([]byte, 1<<20)
	for {
		n, err := from.Read(buf)
		t.add(piece{mta, slices.Clone(buf[:n]), err})
		if n > 0 {
			_, _ = to.Write(buf[:n]) // whoever does not listen ends the other direction
		}
		if err != nil {
			break
		}
	}
	if c, ok := to.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
}

func (t *tape) add(p piece) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pieces = append(t.pieces, p)
}

func (t *tape) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
}

func (t *tape) ended() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.over
}

// leave returns the word for the end of a connection.
func leave(err error) string {
	if errors.Is(err, io.EOF) {
		return "close"
	}
	return "reset"
}
