package load

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"millstream/protocol"
)

// A babbler agrees to some steps, and then says what it likes.
type babbler struct{ data atomic.Pointer[[]byte] }

// pauses is how often a babbler that is told nothing waits before it goes on: a wait is
// longer than all else that an execution does.
const pauses = 2

// serve says the data on each connection: four bytes are the steps, and then comes,
// in answer to each read or after a pause, a byte that tells how many bytes are to
// come, and these. After the last pause the rest comes at once. With the last of it
// the connection is closed.
func (b *babbler) serve(c net.Conn) {
	defer c.Close()
	data, buf := *b.data.Load(), make([]byte, 64<<10)
	if _, err := c.Read(buf); err != nil {
		return
	}
	if len(data) >= 4 {
		steps := protocol.Steps(binary.BigEndian.Uint32(data)) & protocol.StepsAll
		o := protocol.Options{Version: 6, Actions: protocol.ActionsAll, Steps: steps}
		if _, err := c.Write((&protocol.Agreement{Wire: o}).Append(nil)); err != nil {
			return
		}
		data = data[4:]
	}
	for paused := 0; len(data) > 1; {
		if paused < pauses {
			_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := c.Read(buf)
			switch {
			case errors.Is(err, os.ErrDeadlineExceeded):
				paused++
			case err != nil:
				return
			}
		}
		n := min(max(int(data[0]), 1), len(data)-1)
		if _, err := c.Write(data[1 : 1+n]); err != nil {
			return
		}
		data = data[1+n:]
	}
}

// Whatever a milter says, the generator ends, and counts each message once.
func FuzzMilterBytes(f *testing.F) {
	var b babbler
	address, _ := accept(f, b.serve)
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0})
	f.Add(slices.Concat([]byte{0, 0, 0, 0}, said(goOn(nil), 20)))
	f.Add(slices.Concat([]byte{0, 0x0f, 0xfc, 0x80}, said(append(slices.Clone(addHeader), goOn(nil)...), 5)))
	f.Add(slices.Concat([]byte{0, 0, 0, 0}, said(goOn(nil), 8), said([]byte{0, 0, 0, 1, 's'}, 2), said(goOn(nil), 5)))
	f.Add(slices.Concat([]byte{0, 0, 0, 0}, said(protocol.AppendReply(nil, protocol.StatusReject, nil), 20)))
	f.Add([]byte{0, 0, 0, 0, 5, 0, 0, 0, 1, 'c', 2, 0, 0, 3, 0, 1, 'c', 4, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		b.data.Store(&data)
		last, progress := watchProgress(t, 2)
		r, _ := Run(t.Context(), Config{
			Address: address, Mails: mails()[:1], Connections: 2, Workers: 1, Messages: 2,
			Timeout: 20 * time.Millisecond, Expect: []string{"X-Late"},
		}, progress)
		if r.Counts.Messages+r.Failures()-r.Errors[ErrorExpected] < 2 || r.Counts.Messages > 2 || last.InFlight != 0 {
			t.Errorf("%+v, %v, %+v", r.Counts, r.Errors, last)
		}
	})
}

// said is some words n times, each with its length before it.
func said(words []byte, n int) []byte {
	return slices.Repeat(append([]byte{byte(len(words))}, words...), n)
}
