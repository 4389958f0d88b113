package netio

import (
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol/script"
)

// longestWait is how much time a script may take here, where it really passes.
const longestWait = 100 * time.Millisecond

// TestScripts plays the session scripts to a server, over each kind of socket. Those
// that need a server of their own, or more time, are played to sessions alone.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("../protocol/testdata/session/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, address := range []string{"inet:0@127.0.0.1", tempSocket(t)} {
		network, _, _ := strings.Cut(address, ":")
		t.Run(network, func(t *testing.T) {
			var now atomic.Pointer[script.Script]
			s, _ := serve(t, Config{Listen: []string{address}}, func(*handlers.Session) handlers.Handler {
				return handlertest.Scripted(now.Load())
			})
			for _, file := range files {
				sc, err := script.Load(file)
				if err != nil {
					t.Fatal(err)
				}
				if len(sc.Config()) > 0 || sc.Waits() > longestWait {
					continue
				}
				now.Store(sc)
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { playTo(t, s, sc) })
			}
		})
	}
}

// playTo plays a script to a server.
func playTo(t *testing.T, s *Server, sc *script.Script) {
	a := s.Addrs()[0]
	c, err := net.Dial(a.Network(), a.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := script.Player{Timeout: patience, Moment: 10 * time.Millisecond}
	_, differences := p.Play(sc, script.NewConn(c))
	for _, d := range differences {
		t.Errorf("%s:%d:\nwant %v\n got %v", sc.Name, d.Line, d.Want, d.Got)
	}
}
