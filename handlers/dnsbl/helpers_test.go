package dnsbl

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/handlers/resolver"
	"millstream/handlers/resolver/dnstest"
	"millstream/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The clients of tests, by what lists say of them.
const (
	badClient  = "198.51.100.7"
	badClient6 = "2001:db8::7"
	goodClient = "198.51.100.8"
)

// testZones are lists.
var testZones = map[string]string{
	"ip.test": `7.100.51.198 A 127.0.0.2
7.100.51.198 A 127.0.0.10
7.100.51.198 TXT "see https://ip.test/198.51.100.7"
9.100.51.198 A 127.0.0.11
10.100.51.198 A 127.0.0.200
7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2 A 127.0.0.2
2.0.0.127 A 127.0.0.2
`,
	"good.test": "7.100.51.198 A 127.0.3.2\n",
	"name.test": `bad.example A 127.0.0.12
*.bad.example A 127.0.0.12
shop.bad.co.uk A 127.0.0.6
bad.co.uk A 127.0.0.64
xn--bcher-kva.example A 127.0.0.2
`,
	"refuses.test":  "* A 127.255.255.254\n* TXT \"you are blocked\"\n",
	"blocks.test":   "* A 127.0.0.1\n",
	"parked.test":   "* A 203.0.113.80\n",
	"everyone.test": "* A 127.0.0.2\n",
}

// startNSD runs the lists, until the test ends.
func startNSD(t *testing.T) *dnstest.NSD {
	t.Helper()
	return dnstest.Run(t, testZones)
}

// A counter is a resolver that notes what is looked up.
type counter struct {
	*resolver.Client

	mu    sync.Mutex
	names []string
}

func newResolver(t *testing.T, server string) *counter {
	t.Helper()
	c, err := resolver.New(resolver.Config{Servers: []string{server}, Cache: -1})
	if err != nil {
		t.Fatal(err)
	}
	return &counter{Client: c}
}

func (c *counter) LookupA(ctx context.Context, name string) ([]netip.Addr, error) {
	c.mu.Lock()
	c.names = append(c.names, name)
	c.mu.Unlock()
	return c.Client.LookupA(ctx, name)
}

// take returns what was looked up since the last call, sorted.
func (c *counter) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := c.names
	c.names = nil
	slices.Sort(names)
	return names
}

// logger returns a logger that writes to log.
func logger(log *handlertest.Log) *slog.Logger { return slog.New(slog.NewTextHandler(log, nil)) }

// settings returns settings with zones and actions.
func settings(zones []Zone, actions ...Action) *Settings {
	s := Defaults()
	s.Deadline = 20 * time.Second
	s.Zones, s.Actions = zones, actions
	return s
}

// newFilter returns the handler of settings, which have no mistakes.
func newFilter(t *testing.T, s *Settings, r Resolver, log *slog.Logger) handlers.Handler {
	t.Helper()
	s.Check(func(key, text string) { t.Errorf("%s: %s", key, text) })
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	h, err := New(s, r, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func connectFrom(addr string) *protocol.Connect {
	c := &protocol.Connect{Host: protocol.View("client.example")}
	if addr != "" {
		c.Addr = protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr(addr), Port: 4711}
		if c.Addr.IP.Is6() {
			c.Addr.Family = protocol.FamilyInet6
		}
	}
	return c
}

// begin brings a session to the first message.
func begin(s *handlertest.Session, addr, helo string) handlertest.Outcome {
	s.Do(connectFrom(addr))
	return s.Do(&protocol.Helo{Name: protocol.View(helo)})
}

func mailFrom(addr string) *protocol.MailFrom { return &protocol.MailFrom{Addr: protocol.View(addr)} }
