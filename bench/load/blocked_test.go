package load

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"millstream/netio/mta"
	"millstream/protocol"
)

// bigMail does not fit into the buffers of a socket.
func bigMail() *mta.Mail {
	return mta.NewMail("<a@example.com>", []string{"<b@example.net>"}, make([]byte, 4<<20))
}

// A milter that reads nothing more is given up while there is something to write.
func TestBlockedWrite(t *testing.T) {
	m := &testMilter{steps: protocol.StepNoReplyMask}
	over := make(chan struct{})
	m.answer = func(_ net.Conn, code protocol.Code, _ int, _ []byte) ([]byte, bool, bool) {
		if code == protocol.CodeMailFrom {
			<-over
		}
		return nil, false, false
	}
	r, err := Run(t.Context(), Config{
		Address: m.start(t), Mails: []*mta.Mail{bigMail()}, Messages: 2, Timeout: 200 * time.Millisecond,
	}, nil)
	close(over)
	if err != nil || r.Errors[ErrorTimeout] != 2 || !strings.Contains(r.Samples[0].Text, "nothing is read") {
		t.Errorf("%v, %v, %v", r.Errors, r.Samples, err)
	}
}

// An answer that comes while its command is not written yet answers nothing.
func TestEarlyAnswer(t *testing.T) {
	m := &testMilter{steps: protocol.StepNoReplyMask}
	over := make(chan struct{})
	m.answer = func(c net.Conn, code protocol.Code, _ int, _ []byte) ([]byte, bool, bool) {
		if code == protocol.CodeMailFrom {
			_, _ = c.Write(goOn(nil))
			<-over
		}
		return nil, false, false
	}
	r, err := Run(t.Context(), Config{Address: m.start(t), Mails: []*mta.Mail{bigMail()}, Messages: 1}, nil)
	close(over)
	if err != nil || r.Errors[ErrorProtocol] != 1 || r.Failures() != 1 || r.Counts.Messages != 0 {
		t.Errorf("%+v, %v, %v", r.Counts, r.Samples, err)
	}
}

// Answers may come in pieces, and in a piece of the next one.
func TestAnswersInPieces(t *testing.T) {
	m := &testMilter{}
	m.answer = func(c net.Conn, _ protocol.Code, _ int, natural []byte) ([]byte, bool, bool) {
		for i := range natural {
			if _, err := c.Write(natural[i : i+1]); err != nil {
				return nil, true, true
			}
		}
		return nil, true, false
	}
	r, err := Run(t.Context(), Config{
		Address: m.start(t), Mails: mails()[:1], Connections: 3, Messages: 30, Reuse: 4, Expect: []string{"X-Load"},
	}, nil)
	if err != nil || r.Failures() > 0 || r.Counts.Messages != 30 || r.Counts.Changes != 30 {
		t.Errorf("%+v, %v, %v", r.Counts, r.Samples, err)
	}
}

// A milter that never accepts is no milter, however long its queue is.
func TestNeverAccepts(t *testing.T) {
	watchLeaks(t)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	path := filepath.Join(t.TempDir(), "s")
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []Config{{Connections: 4, Messages: 4}, {Idle: 4}, {Duration: 10 * time.Millisecond}} {
		cfg.Address, cfg.Mails, cfg.Timeout = "unix:"+path, mails(), 50*time.Millisecond
		r, err := Run(t.Context(), cfg, nil)
		if err == nil || !strings.Contains(err.Error(), "in time") || r.Failures() == 0 || r.Counts.Messages > 0 {
			t.Errorf("%+v, %v, %v", r.Counts, r.Errors, err)
		}
	}
}
