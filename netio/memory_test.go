package netio

import (
	"runtime"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// TestPromisedBytes opens connections that promise packets as large as may be and
// send nothing of them: what is promised costs nothing.
func TestPromisedBytes(t *testing.T) {
	s, _ := serve(t, Config{Listen: []string{tempSocket(t)}}, handlers.Shared(everything()))
	const n, most = 200, 16 << 20 // of 200 MiB
	before := heap()
	for range n {
		c := raw(t, s)
		_, err := c.Write([]byte{0, 0x10, 0, 0, byte(protocol.CodeHeader), 'S'})
		mustDo(t, err)
	}
	eventually(t, "all have connected", func() bool {
		for _, info := range s.Sessions() {
			if info.In != 0 { // a packet that is not whole is not handed on
				t.Fatalf("session %d was given %d bytes", info.ID, info.In)
			}
		}
		return s.Len() == n
	})
	if grown := heap() - before; grown > most {
		t.Errorf("%d connections hold %d KiB", n, grown>>10)
	}
}

// heap returns how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
