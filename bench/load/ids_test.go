package load

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"millstream/netio/mta"
	"millstream/protocol"
)

func TestWriteID(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "000000000000", 1: "000000000001", 31: "00000000000b", 32: "000000000010", 1<<60 - 1: "bbbbbbbbbbbb", 1 << 60: "000000000000",
	} {
		var id [idLength]byte
		if writeID(id[:], n); string(id[:]) != want {
			t.Errorf("%d is %s, want %s", n, id, want)
		}
	}
}

// manyIDs is a mail whose queue ids stand all over what is written.
func manyIDs() *mta.Mail {
	var text strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&text, "X-%d: %s\n", i, strings.Repeat("x", i%17))
	}
	return mta.NewMail("<a@example.com>", []string{"<b@example.net>", "<c@example.net>"}, []byte(text.String()+"\nbody\n"))
}

// A milter hears one queue id all through a message, another one for each message, in
// the letters of Postfix.
func TestQueueIDs(t *testing.T) {
	for _, steps := range []protocol.Steps{0, protocol.StepNoReplyMask} {
		m := &testMilter{steps: steps}
		r, err := Run(t.Context(), Config{
			Address: m.start(t), Mails: []*mta.Mail{manyIDs(), mails()[0]}, Messages: 6, Seed: 3,
		}, nil)
		if err != nil || r.Failures() > 0 || r.Counts.Messages != 6 {
			t.Fatalf("%+v, %v, %v", r.Counts, r.Samples, err)
		}
		ids, id := map[string]int{}, ""
		m.stop()
		for _, cmd := range m.heard {
			if cmd.Code() == protocol.CodeMailFrom {
				id = ""
			}
			macro, ok := cmd.(*protocol.Macro)
			if !ok {
				continue
			}
			for name, value := range macro.All() {
				switch {
				case string(name) != "i":
				case len(value) != idLength || strings.Trim(string(value), "0123456789BCDFGHJKLMNPQRSTVWXYZb") != "":
					t.Fatalf("queue id %q", value)
				case id != "" && string(value) != id:
					t.Fatalf("queue ids %q and %q of one message", id, value)
				default:
					id = string(value)
					ids[id]++
				}
			}
		}
		if len(ids) != 6 {
			t.Errorf("%d queue ids of 6 messages", len(ids))
		}
	}
}

// Sessions of all workers have queue ids of their own.
func TestQueueIDsOfWorkers(t *testing.T) {
	m := &testMilter{}
	r, err := Run(t.Context(), Config{
		Address: m.start(t), Mails: mails()[:1], Connections: 6, Workers: 3, Messages: 200, Reuse: 5,
	}, nil)
	if err != nil || r.Counts.Messages != 200 {
		t.Fatalf("%+v, %v, %v", r.Counts, r.Samples, err)
	}
	ids := map[string]bool{}
	m.stop()
	for _, cmd := range m.heard {
		if macro, ok := cmd.(*protocol.Macro); ok && macro.Stage == protocol.CodeEndOfMessage {
			for _, value := range macro.All() {
				ids[string(value)] = true
			}
		}
	}
	if len(ids) != 200 {
		t.Errorf("%d queue ids of 200 messages", len(ids))
	}
}

// writer returns a worker and a session that is about to write a message to a milter
// which answers nothing before the end of it.
func writer(t *testing.T, dialect mta.Dialect, mail *mta.Mail) (*worker, *session) {
	t.Helper()
	w := &worker{run: &runner{cfg: Config{Dialect: dialect, Mails: []*mta.Mail{mail}}}, stats: newStats()}
	terms, err := mta.Conclude(mta.Offer(), &protocol.Answer{
		Code: protocol.CodeNegotiate, Offer: protocol.Options{Version: 6, Steps: protocol.StepNoReplyMask},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &dialog{terms: terms, messages: make([]atomic.Pointer[mta.Packets], 1)}
	s := &session{fd: -1, dialog: d}
	s.id = 1<<59 + 12345
	s.play(d.message(&w.run.cfg, 0))
	s.end = len(s.packets.Bytes)
	s.step = len(s.packets.Steps)
	s.cut = -1
	return w, s
}

// However little there is room for, what is written is the message with its queue id
// in all places.
func TestFillPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for most, mail := range map[int]*mta.Mail{1: mails()[0], 7: mails()[0], 9000: manyIDs(), 70 << 10: manyIDs()} {
		for _, dialect := range []mta.Dialect{mta.Postfix, mta.Sendmail} {
			w, s := writer(t, dialect, mail)
			var id [idLength]byte
			writeID(id[:], s.id)
			want := bytes.Clone(abortPacket)
			want = append(want, s.packets.Bytes...)
			for _, at := range s.packets.IDs {
				copy(want[len(abortPacket)+at:], id[:])
			}
			var got []byte
			for s.first = abortPacket; !s.isWritten(); {
				part := w.fill(s)
				n := min(1+random.IntN(most), len(part)) // as if there was no more room
				got = append(got, part[:n]...)
				ahead := min(n, len(s.first))
				s.first = s.first[ahead:]
				s.pos += n - ahead
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%v, pieces of up to %d bytes: not the message with its ids", dialect, most)
			}
		}
	}
}

// Sendmail writes each packet apart. On a socket that keeps what was written at once
// together, each is read by itself.
func TestSendmailApart(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	w, s := writer(t, mta.Sendmail, mails()[0])
	want := len(s.packets.Bytes) + len(abortPacket)
	s.fd, s.first, s.awaiting = pair[0], abortPacket, true
	w.drain(s)
	if !s.isWritten() || s.fd < 0 {
		t.Fatal("not all was written")
	}
	var codes []protocol.Code
	for buf := make([]byte, 1<<20); want > 0; {
		n, err := unix.Read(pair[1], buf)
		if err != nil {
			t.Fatal(err)
		}
		code, _, size, err := protocol.Frame(buf[:n], protocol.DefaultMaxPacketSize)
		if err != nil || size != n {
			t.Fatalf("%d bytes at once, the first packet of them has %d, %v", n, size, err)
		}
		codes = append(codes, code)
		want -= n
	}
	if want != 0 || codes[0] != protocol.CodeAbort || codes[len(codes)-1] != protocol.CodeEndOfMessage {
		t.Errorf("%d bytes are left after %v", want, codes)
	}
}
