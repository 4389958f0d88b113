package redis

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync"

	"github.com/redis/rueidis"
)

// A link is a client with the connections that it has opened.
type link struct {
	rueidis.Client
	ctx     context.Context // in which connections are opened
	mu      sync.Mutex
	conns   []net.Conn
	dropped bool
}

// connect opens a link, unless ctx ends before.
func connect(ctx context.Context, o rueidis.ClientOption) (*link, error) {
	l := &link{ctx: ctx}
	o.DialCtxFn = l.dial
	defer context.AfterFunc(ctx, l.hangUp)()
	var err error
	if l.Client, err = rueidis.NewClient(o); err != nil {
		l.drop()
		return nil, err
	}
	return l, nil
}

// dial opens a connection that lets only answers of a Redis through.
func (l *link) dial(ctx context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
	network := "tcp"
	if strings.HasPrefix(address, "/") {
		network = "unix"
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	open := dialer.DialContext
	if config != nil {
		open = (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext
	}
	conn, err := open(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dropped { // the client of a cluster may still be looking at what changed there
		conn.Close()
		return nil, net.ErrClosed
	}
	l.conns = append(l.conns, conn)
	return &guarded{Conn: conn}, nil
}

// drop closes a link on which something went wrong. The client alone would ask each
// connection once more and wait for the answer.
func (l *link) drop() {
	l.hangUp()
	if l.Client != nil {
		l.Client.Close()
	}
}

// hangUp closes the connections, and lets no more be opened.
func (l *link) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped = true
	for _, conn := range l.conns {
		conn.Close()
	}
}
