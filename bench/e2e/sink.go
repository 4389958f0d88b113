package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// tokenField is the header field that names a message. It is not changed by any
// filter.
const tokenField = "X-Token"

// A delivery is one SMTP transaction that the sink took. A message with many
// recipients may come in several.
type delivery struct {
	From   string
	Params smtp.MailOptions
	To     []recipient
	Data   []byte // as sent, without the dots of SMTP
}

// A recipient is an envelope recipient, as the sink got it.
type recipient struct {
	Addr   string
	Notify []smtp.DSNNotify
}

// split returns the header and the body, without the empty line between them.
func (d *delivery) split() (header, body []byte) {
	header, body, _ = bytes.Cut(d.Data, []byte("\r\n\r\n"))
	return append(header, "\r\n"...), body
}

// values returns the unfolded values of a header field, topmost first.
func (d *delivery) values(name string) []string {
	header, _ := d.split()
	r := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(header), strings.NewReader("\r\n"))))
	fields, _ := r.ReadMIMEHeader()
	return fields[textproto.CanonicalMIMEHeaderKey(name)]
}

// A sink takes all mail and remembers it.
type sink struct {
	port string

	mu  sync.Mutex
	got map[string][]*delivery // by token
}

// startSink starts a sink that ends with the test.
func startSink(tb testing.TB) *sink {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &sink{got: map[string][]*delivery{}}
	_, s.port, _ = net.SplitHostPort(l.Addr().String())

	server := smtp.NewServer(smtp.BackendFunc(s.session))
	server.Domain = "sink.example.org"
	server.EnableSMTPUTF8 = true
	server.EnableDSN = true
	server.ErrorLog = silence{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // until it is closed
	}()
	tb.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return s
}

// wait waits for a message and returns its first delivery.
func (s *sink) wait(tb testing.TB, token string) *delivery {
	tb.Helper()
	eventually(tb, "message "+token, func() bool { return s.came(token) })
	return s.all(token)[token][0]
}

// gather waits until a message came to a number of recipients, and returns what
// came with the recipients of all deliveries.
func (s *sink) gather(tb testing.TB, token string, recipients int) *delivery {
	tb.Helper()
	var all delivery
	eventually(tb, fmt.Sprintf("message %s for %d recipients", token, recipients), func() bool {
		all = delivery{}
		for _, d := range s.all(token)[token] {
			all = delivery{d.From, d.Params, append(all.To, d.To...), d.Data}
		}
		return len(all.To) >= recipients
	})
	return &all
}

// came reports whether a message came.
func (s *sink) came(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got[token]) > 0
}

// settle waits until n messages came whose names begin with prefix, as long as
// there are ever more.
func (s *sink) settle(tb testing.TB, prefix string, n int) {
	tb.Helper()
	for last, now := -1, 0; now < n; {
		eventually(tb, fmt.Sprintf("more messages after %d of %d", last, n), func() bool {
			now = s.count(prefix)
			return now > last
		})
		last = now
	}
}

// count returns how many messages came whose names begin with prefix.
func (s *sink) count(prefix string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token := range s.got {
		if strings.HasPrefix(token, prefix) {
			n++
		}
	}
	return n
}

// all returns the deliveries of the messages whose names begin with prefix.
func (s *sink) all(prefix string) map[string][]*delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string][]*delivery{}
	for token, ds := range s.got {
		if strings.HasPrefix(token, prefix) {
			found[token] = slices.Clone(ds)
		}
	}
	return found
}

func (s *sink) add(d *delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := "none"
	if v := d.values(tokenField); len(v) > 0 {
		token = v[0]
	}
	s.got[token] = append(s.got[token], d)
}

// silence takes what the sink would log: that MTAs end connections as they like.
type silence struct{}

func (silence) Printf(string, ...any) {}
func (silence) Println(...any)        {}

func (s *sink) session(*smtp.Conn) (smtp.Session, error) { return &transaction{sink: s}, nil }

// A transaction is one SMTP session with the sink.
type transaction struct {
	sink *sink
	next delivery
}

func (x *transaction) Reset()        { x.next = delivery{} }
func (x *transaction) Logout() error { return nil }

func (x *transaction) Mail(from string, opts *smtp.MailOptions) error {
	x.next = delivery{From: from, Params: *opts}
	return nil
}

func (x *transaction) Rcpt(to string, opts *smtp.RcptOptions) error {
	x.next.To = append(x.next.To, recipient{to, opts.Notify})
	return nil
}

func (x *transaction) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	d := x.next
	d.Data = data
	x.sink.add(&d)
	return nil
}
