package resolver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// udpSize is the largest message that is taken over UDP: it is not fragmented on any
// usual way.
const udpSize = 1232

// maxDatagram is what is read of a datagram, for servers that send more than was asked
// for.
const maxDatagram = 4096

// headerSize is the size of a header in bytes. The number of a message is in its first
// two.
const headerSize = 12

// Bits of the third byte of a header.
const (
	isResponse  = 0x80
	isTruncated = 0x02
)

// exchange asks one server: over UDP, and if the answer does not fit over TCP.
func (c *Client) exchange(ctx context.Context, s *server, q question) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Attempt)
	defer cancel()
	m := new(dns.Msg)
	m.SetQuestion(q.name, q.kind)
	m.SetEdns0(udpSize, false)
	query, err := m.Pack()
	if err != nil {
		return nil, fmt.Errorf("%w: the question cannot be written: %w", ErrServer, err)
	}
	a, cut, err := c.over(ctx, "udp", s, q, query)
	if cut {
		a, cut, err = c.over(ctx, "tcp", s, q, query)
	}
	if cut {
		err = fmt.Errorf("%w: its answer is cut off over TCP", ErrServer)
	}
	return a, err
}

// over asks a server over one kind of network. cut says that the answer did not fit.
func (c *Client) over(ctx context.Context, network string, s *server, q question, query []byte) (a *answer, cut bool, err error) {
	ctx, span := c.begin(ctx, network, s, q)
	defer func() { finish(span, a, cut, err) }()
	conn, err := c.dialer.DialContext(ctx, network, s.text)
	if err != nil {
		return nil, false, failed(ctx, err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	talk := datagram
	if network == "tcp" {
		talk = stream
	}
	response, err := talk(conn, query)
	if err != nil {
		return nil, false, failed(ctx, err)
	}
	if response[2]&isTruncated != 0 {
		return nil, true, nil
	}
	a, err = q.read(response)
	return a, false, err
}

// failed returns what an error of the network is to a look-up.
func failed(ctx context.Context, err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() != nil {
		return ErrTimeout
	}
	return fmt.Errorf("%w: %w", ErrServer, err)
}

// datagram sends a query and waits for a response to it. Others are passed over: they
// may come from who wants to be believed.
func datagram(conn net.Conn, query []byte) ([]byte, error) {
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	buf := make([]byte, maxDatagram)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		if answers(buf[:n], query) {
			return buf[:n], nil
		}
	}
}

// stream sends a query and waits for a response, each after its length (RFC 1035,
// 4.2.2).
func stream(conn net.Conn, query []byte) ([]byte, error) {
	framed := binary.BigEndian.AppendUint16(make([]byte, 0, len(query)+2), uint16(len(query)))
	if _, err := conn.Write(append(framed, query...)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	response := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, response); err != nil {
		return nil, err
	}
	if !answers(response, query) {
		return nil, errors.New("it answers another question")
	}
	return response, nil
}

// answers reports whether a message has the number of a query, and its question, if it
// can be told: an error may be sent without it.
func answers(message, query []byte) bool {
	if len(message) < headerSize || message[2]&isResponse == 0 || message[0] != query[0] || message[1] != query[1] {
		return false
	}
	questions := binary.BigEndian.Uint16(message[4:])
	if questions == 0 {
		return true
	}
	asked, _ := firstQuestion(query)
	told, ok := firstQuestion(message)
	return questions > 1 || !ok || // it is to us, and cannot be read
		told.Qtype == asked.Qtype && told.Qclass == asked.Qclass && strings.EqualFold(told.Name, asked.Name)
}

// firstQuestion returns the first question of a message, if it can be read.
func firstQuestion(message []byte) (q dns.Question, ok bool) {
	name, end, err := dns.UnpackDomainName(message, headerSize)
	if err != nil || len(message) < end+4 {
		return q, false
	}
	q.Name, q.Qtype, q.Qclass = name, binary.BigEndian.Uint16(message[end:]), binary.BigEndian.Uint16(message[end+2:])
	return q, true
}

// read returns the answer in a response, which may be anything.
func (q question) read(response []byte) (*answer, error) {
	var m dns.Msg
	if err := m.Unpack(response); err != nil {
		return nil, fmt.Errorf("%w: what it says cannot be read: %w", ErrServer, err)
	}
	if (m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError) && len(m.Question) != 1 {
		return nil, fmt.Errorf("%w: it answers %d questions", ErrServer, len(m.Question))
	}
	return q.parse(&m)
}
