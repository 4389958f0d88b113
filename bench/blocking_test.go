package bench

import (
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/handlers/dnsbl"
	"millstream/handlers/greylist"
	"millstream/handlers/resolver"
	"millstream/handlers/resolver/dnstest"
	"millstream/handlers/store"
	"millstream/handlers/store/memory"
	"millstream/netio"
	"millstream/netio/mta"
	"millstream/protocol"
)

// slowStore is a store over a network that does not answer while free is open.
type slowStore struct {
	store.Store
	asked chan<- struct{}
	free  <-chan struct{}
}

func (slowStore) MayWait() bool { return true }

func (s slowStore) hang(ctx context.Context) {
	s.asked <- struct{}{}
	select {
	case <-s.free:
	case <-ctx.Done():
	}
}

func (s slowStore) Get(ctx context.Context, key string) (store.Mark, bool) {
	s.hang(ctx)
	return s.Store.Get(ctx, key)
}

func (s slowStore) SetNX(ctx context.Context, key string, value int64, ttl time.Duration) (store.Mark, bool) {
	s.hang(ctx)
	return s.Store.SetNX(ctx, key, value, ttl)
}

// hanging are filters whose answers wait for something that does not come while free is
// open. They tell asked that they wait.
var hanging = map[string]func(t *testing.T, asked chan<- struct{}, free <-chan struct{}) (handlers.Handler, error){
	"dnsbl": func(t *testing.T, asked chan<- struct{}, free <-chan struct{}) (handlers.Handler, error) {
		t.Helper()
		n := dnstest.Serve(t, func(query []byte) [][]byte {
			asked <- struct{}{}
			<-free
			query[2], query[3] = query[2]|0x80, 0x83 // there is no such name
			return [][]byte{query}
		})
		r, err := resolver.New(resolver.Config{Servers: []string{n.Addr}, Timeout: time.Minute})
		if err != nil {
			return nil, err
		}
		s := dnsbl.Defaults()
		s.Zones, s.Deadline = []dnsbl.Zone{{Zone: "ip.test"}}, time.Minute
		s.Actions = []dnsbl.Action{{Score: 1, Do: "reject"}}
		return dnsbl.New(s, r, slog.New(slog.DiscardHandler), nil)
	},
	"greylist": func(t *testing.T, asked chan<- struct{}, free <-chan struct{}) (handlers.Handler, error) {
		t.Helper()
		st, err := memory.Open(memory.Config{})
		if err != nil {
			return nil, err
		}
		return greylist.New(greylist.Defaults(), nil, slowStore{st, asked, free}, nil, slog.New(slog.DiscardHandler))
	},
}

// While a filter waits for somebody else, the only event loop of a server answers other
// sessions.
func TestBlockingLeavesLoop(t *testing.T) {
	for name, build := range hanging {
		t.Run(name, func(t *testing.T) {
			asked, free := make(chan struct{}, 16), make(chan struct{})
			h, err := build(t, asked, free)
			if err != nil {
				t.Fatal(err)
			}
			address := "unix:" + filepath.Join(t.TempDir(), "s")
			serveWith(t, netio.Config{Listen: []string{address}, Loops: 1, Grace: -1}, h)
			release := sync.OnceFunc(func() { close(free) })
			t.Cleanup(release) // before the server ends
			waiting, answered := blockedMTA(t, address), make(chan error, 1)
			go func() { answered <- blockedMail(waiting) }()
			<-asked
			for range 3 { // an answer to the offer comes from the event loop
				_ = blockedMTA(t, address).Close()
			}
			select {
			case err := <-answered:
				t.Errorf("the filter did not wait: %v", err)
			default:
			}
			release()
			if err := <-answered; err != nil {
				t.Error(err)
			}
			_ = waiting.Close()
		})
	}
}

// blockedMTA returns a connection on which options were agreed.
func blockedMTA(t *testing.T, address string) *mta.Conn {
	t.Helper()
	c, err := mta.Dial(t.Context(), address)
	if err == nil {
		err = c.SetDeadline(time.Now().Add(time.Minute)) // else a loop that is held holds the test
	}
	if err == nil {
		_, _, err = c.Negotiate(mta.Offer())
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// blockedMail sends a message up to its recipient.
func blockedMail(c *mta.Conn) error {
	for _, cmd := range []protocol.Command{
		&protocol.Connect{Host: protocol.View("mx"), Addr: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("198.51.100.7"), Port: 1}},
		&protocol.MailFrom{Addr: protocol.View("<a@b.example>")}, &protocol.RcptTo{Addr: protocol.View("<c@d.example>")},
	} {
		if _, _, err := c.Do(cmd); err != nil {
			return err
		}
	}
	return nil
}
