package resolver

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/miekg/dns"
	"go.opentelemetry.io/otel/metric"
)

// Config says who is asked and how long. The zero Config is ready to use.
type Config struct {
	// Servers are the servers as addresses, with or without a port: 192.0.2.1,
	// 192.0.2.1:5353, [2001:db8::1]:53. Without any they are those of ResolvConf.
	Servers []string

	// ResolvConf is the file that names servers if there are no Servers. It is read by
	// New alone. Empty means /etc/resolv.conf.
	ResolvConf string

	// Timeout is how long a look-up may take. Zero means 5 s.
	Timeout time.Duration

	// Attempt is how long one server may take before the next one is asked. Zero means
	// 1500 ms.
	Attempt time.Duration

	// Cache is how many answers are kept; those over 512 bytes count as several. Zero
	// means 10000, negative none.
	Cache int

	// MaxTTL is how long an answer is kept at most. Zero means 1 h.
	MaxTTL time.Duration

	// MaxNegative is how long it is kept at most that there is no answer. Zero means
	// 15 min.
	MaxNegative time.Duration

	// FailureTTL is how long it is kept that no server had an answer. Zero means 5 s,
	// negative not at all.
	FailureTTL time.Duration

	// MaxQueries is how many names are asked for at once; others wait. Zero means 1000.
	MaxQueries int

	// TraceNames has spans tell the names that are asked for. In them are addresses of
	// clients and domains of senders.
	TraceNames bool

	// Meter takes measurements. Nil means the global one of OpenTelemetry, which takes
	// none unless the program sets it.
	Meter metric.MeterProvider
}

const (
	defaultResolvConf = "/etc/resolv.conf"
	port              = 53
)

// ErrConfig is a Config that cannot be.
var ErrConfig = errors.New("dns: configuration")

// complete returns c with its defaults filled in, and the servers.
func (c Config) complete() (Config, []netip.AddrPort, error) {
	fill(&c.Timeout, 5*time.Second)
	fill(&c.Attempt, 1500*time.Millisecond)
	fill(&c.Cache, 10000)
	fill(&c.MaxTTL, time.Hour)
	fill(&c.MaxNegative, 15*time.Minute)
	fill(&c.FailureTTL, 5*time.Second)
	fill(&c.MaxQueries, 1000)
	for name, v := range map[string]int64{
		"Timeout": int64(c.Timeout), "Attempt": int64(c.Attempt), "MaxTTL": int64(c.MaxTTL),
		"MaxNegative": int64(c.MaxNegative), "MaxQueries": int64(c.MaxQueries),
	} {
		if v < 0 {
			return c, nil, fmt.Errorf("%w: %s is negative: give a positive one, or none for its default", ErrConfig, name)
		}
	}
	servers, err := c.servers()
	return c, servers, err
}

func fill[T ~int | ~int64](v *T, byDefault T) {
	if *v == 0 {
		*v = byDefault
	}
}

// servers returns the servers to ask. A system that names none has one itself.
func (c Config) servers() (servers []netip.AddrPort, err error) {
	texts := c.Servers
	if len(texts) == 0 {
		file := c.ResolvConf
		if file == "" {
			file = defaultResolvConf
		}
		conf, err := dns.ClientConfigFromFile(file)
		if err != nil {
			return nil, fmt.Errorf("%w: no servers: %w", ErrConfig, err)
		}
		if texts = conf.Servers; len(texts) == 0 {
			texts = []string{"127.0.0.1"}
		}
	}
	for _, text := range texts {
		server, err := parseServer(text)
		if err != nil {
			return nil, err
		}
		servers = append(servers, server)
	}
	return servers, nil
}

func parseServer(text string) (netip.AddrPort, error) {
	if server, err := netip.ParseAddrPort(text); err == nil {
		return server, nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: server %q is no address: write 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53", ErrConfig, text)
	}
	return netip.AddrPortFrom(addr, port), nil
}
