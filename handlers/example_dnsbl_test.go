package handlers_test

import (
	"context"
	"errors"
	"net/netip"

	"millstream/handlers"
	"millstream/handlers/handlertest"
	"millstream/protocol"
)

// A Resolver looks names up, as a *net.Resolver does.
type Resolver interface {
	LookupHost(ctx context.Context, host string) (addrs []string, err error)
}

// DNSBL looks the client up in a list that is asked through the DNS, while the event
// loop goes on.
func DNSBL(r Resolver, zone string) handlers.Handler {
	return handlers.On(func(_ *handlers.Session, c *protocol.Connect) handlers.Reply {
		if !c.Addr.IP.Is4() {
			return handlers.Continue
		}
		name := reverse(c.Addr.IP) + "." + zone
		return handlers.Async(func(ctx context.Context) handlers.Reply {
			if _, err := r.LookupHost(ctx, name); err == nil {
				return handlers.Reject.With(554, "5.7.1", "listed in "+zone)
			}
			return handlers.Continue
		})
	})
}

// reverse returns the bytes of an address in the order of the DNS.
func reverse(ip netip.Addr) string {
	b := ip.As4()
	return netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}).String()
}

// listed is a resolver that knows one name.
type listed string

func (l listed) LookupHost(_ context.Context, host string) ([]string, error) {
	if host != string(l) {
		return nil, errors.New("no such host")
	}
	return []string{"127.0.0.2"}, nil
}

// A lookup is answered later.
func Example_dnsbl() {
	s := handlertest.New(t, DNSBL(listed("1.2.0.192.bl.example"), "bl.example"))
	show(s.Do(&protocol.Connect{
		Host: protocol.View("client.example"),
		Addr: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.1"), Port: 50443},
	}))
	// Output:
	// connect: reject, "554 5.7.1 listed in bl.example"
}
