package resolver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/miekg/dns"
)

// A Resolver looks names up. Names are absolute, with or without a dot at their end;
// those returned have none. What is returned belongs to the caller. Errors are an
// [*Error].
type Resolver interface {
	// LookupA returns the IPv4 addresses of a name.
	LookupA(ctx context.Context, name string) ([]netip.Addr, error)

	// LookupAAAA returns the IPv6 addresses of a name.
	LookupAAAA(ctx context.Context, name string) ([]netip.Addr, error)

	// LookupTXT returns the texts of a name, the strings of each joined.
	LookupTXT(ctx context.Context, name string) ([]string, error)

	// LookupPTR returns the names of an address.
	LookupPTR(ctx context.Context, addr netip.Addr) ([]string, error)

	// LookupMX returns the mail servers of a name, the most preferred first.
	LookupMX(ctx context.Context, name string) ([]MX, error)
}

// An MX is a mail server of a domain.
type MX struct {
	Host       string // "" if the domain takes no mail (RFC 7505)
	Preference uint16 // lower is better
}

// A Client is a [Resolver] that asks servers. It may be used from any goroutine, has
// none of its own, and needs no end.
type Client struct {
	cfg     Config
	servers []*server
	dialer  net.Dialer
	cache   *otter.Cache[question, *answer] // nil for none
	slots   chan struct{}
	metrics instruments

	mu      sync.Mutex
	flights map[question]*flight
}

// New returns a Client. Nothing is asked yet. The error is ErrConfig.
func New(cfg Config) (*Client, error) {
	cfg, addrs, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, slots: make(chan struct{}, cfg.MaxQueries), flights: make(map[question]*flight)}
	for _, a := range addrs {
		c.servers = append(c.servers, &server{addr: a, text: a.String()})
	}
	if err := c.metrics.create(cfg.Meter); err != nil {
		return nil, fmt.Errorf("%w: Meter: %w", ErrConfig, err)
	}
	if cfg.Cache > 0 {
		c.cache, err = newCache(cfg.Cache)
	}
	return c, err
}

// LookupA is [Resolver].
func (c *Client) LookupA(ctx context.Context, name string) ([]netip.Addr, error) {
	a, err := c.lookup(ctx, name, dns.TypeA)
	return slices.Clone(a.addrs), err
}

// LookupAAAA is [Resolver].
func (c *Client) LookupAAAA(ctx context.Context, name string) ([]netip.Addr, error) {
	a, err := c.lookup(ctx, name, dns.TypeAAAA)
	return slices.Clone(a.addrs), err
}

// LookupTXT is [Resolver].
func (c *Client) LookupTXT(ctx context.Context, name string) ([]string, error) {
	a, err := c.lookup(ctx, name, dns.TypeTXT)
	return slices.Clone(a.texts), err
}

// LookupPTR is [Resolver].
func (c *Client) LookupPTR(ctx context.Context, addr netip.Addr) ([]string, error) {
	name, err := dns.ReverseAddr(addr.Unmap().WithZone("").String())
	if err != nil {
		return nil, &Error{addr.String(), dns.TypeToString[dns.TypePTR], ErrNotFound}
	}
	a, err := c.lookup(ctx, name, dns.TypePTR)
	return slices.Clone(a.texts), err
}

// LookupMX is [Resolver].
func (c *Client) LookupMX(ctx context.Context, name string) ([]MX, error) {
	a, err := c.lookup(ctx, name, dns.TypeMX)
	list := slices.Clone(a.mx)
	slices.SortStableFunc(list, func(a, b MX) int { return int(a.Preference) - int(b.Preference) })
	return list, err
}

// lookup returns the answer to a question, which is empty if there is an error.
func (c *Client) lookup(ctx context.Context, name string, kind uint16) (*answer, error) {
	begun, from := time.Now(), fromCache
	a := &answer{err: ErrNotFound}
	var err error
	if fqdn, ok := canonical(name); ctx.Err() != nil {
		err = ended(ctx)
	} else if ok {
		a, from, err = c.find(ctx, question{fqdn, kind})
	}
	if err == nil {
		err = a.err
	}
	c.metrics.count(ctx, resultOf(err), from, time.Since(begun))
	if err != nil {
		return &answer{}, &Error{host(name), dns.TypeToString[kind], err}
	}
	return a, nil
}

// find returns the answer to a question from the cache or from servers. The error is
// that of the context.
func (c *Client) find(ctx context.Context, q question) (*answer, source, error) {
	if a := c.cached(q); a != nil {
		return a, fromCache, nil
	}
	f, from := c.join(ctx, q)
	a, err := c.wait(ctx, q, f)
	return a, from, err
}

// ended returns why a context ended, as the error of a look-up.
func ended(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrTimeout, cause)
	}
	return cause
}
