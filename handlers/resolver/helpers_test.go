package resolver

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// replying returns a function for a server that writes one response, which edit makes of
// an empty one.
func replying(t *testing.T, edit func(m *dns.Msg)) func([]byte) [][]byte {
	return func(query []byte) [][]byte { return [][]byte{reply(t, query, edit)} }
}

func reply(t *testing.T, query []byte, edit func(m *dns.Msg)) []byte {
	var asked, m dns.Msg
	if err := asked.Unpack(query); err != nil {
		t.Errorf("the query cannot be read: %v", err)
	}
	m.SetReply(&asked)
	m.RecursionAvailable = true
	edit(&m)
	response, err := m.Pack()
	if err != nil {
		t.Errorf("the response cannot be written: %v", err)
	}
	return response
}

// silence is a server that does not answer.
func silence([]byte) [][]byte { return nil }

// closedPort returns an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().String()
}

func newClient(t testing.TB, cfg Config) *Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// records reads records as a zone file has them.
func records(t testing.TB, lines ...string) (list []dns.RR) {
	t.Helper()
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, rr)
	}
	return list
}

// want checks the answer to a look-up.
func want[T comparable](t *testing.T, what string, got []T, err error, list ...T) {
	t.Helper()
	if err != nil || !slices.Equal(got, list) {
		t.Errorf("%s: %v, %v; want %v", what, got, err, list)
	}
}

// wantError checks the class of an error, and parts of its text.
func wantError(t *testing.T, what string, err, class error, parts ...string) {
	t.Helper()
	var typed *Error
	if !errors.Is(err, class) || !errors.As(err, &typed) {
		t.Errorf("%s: error %v, want %v", what, err, class)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: error %q, without %q", what, err, part)
		}
	}
}
