package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"go.opentelemetry.io/otel/metric"

	"millstream/handlers/store/internal/local"
)

// Config sets which Redis a store shares. Addresses is all that it needs.
type Config struct {
	// Addresses are host:port of a TCP socket, or the path of a unix socket that
	// begins with a slash: one of a single server, or some of the nodes of a cluster,
	// or the sentinels.
	Addresses []string

	// Cluster says that the addresses are nodes of a cluster.
	Cluster bool

	// Sentinel is the name under which sentinels know the master. The addresses are
	// then those of the sentinels.
	Sentinel string

	// Username and Password are told to Redis. A password alone is that of the user
	// "default".
	Username, Password string

	// SentinelUsername and SentinelPassword are told to the sentinels.
	SentinelUsername, SentinelPassword string

	// Database is the number of the database. A cluster has only zero.
	Database int

	// TLS is how to speak TLS. Nil means not to. An empty ServerName is the host of the
	// address.
	TLS *tls.Config

	// Prefix begins the name of all keys. Machines that share a store have the same.
	// Empty means "millstream:".
	Prefix string

	// Flush is how long what is counted may wait until it is told. Zero means 5 ms.
	Flush time.Duration

	// Timeout is how long SetNX and Get wait for Redis at most, and how long Redis may
	// take for anything else. Zero means 100 ms.
	Timeout time.Duration

	// Retry is how often a Redis that does not answer is tried again. Zero means 1 s.
	Retry time.Duration

	// Refresh is how old the copy of a mark may be before Redis is asked again, in the
	// background, when it is used. Zero means 1 min.
	Refresh time.Duration

	// MaxEntries is how many counters are kept on this machine, and how many marks.
	// Zero means 1,000,000 of each. Redis has a limit of its own.
	MaxEntries int

	// Log takes the log. Nil means slog.Default.
	Log *slog.Logger

	// Meter takes measurements. Nil means the global one of OpenTelemetry, which takes
	// none unless the program sets it.
	Meter metric.MeterProvider
}

// complete returns c with its defaults filled in, or the field that is wrong.
func (c Config) complete() (Config, error) {
	switch {
	case len(c.Addresses) == 0:
		return c, errors.New(`store: Config.Addresses is empty: give "host:port" or the path of a unix socket`)
	case c.Cluster && c.Sentinel != "":
		return c, errors.New("store: Config.Cluster and Config.Sentinel exclude each other")
	case len(c.Addresses) > 1 && !c.Cluster && c.Sentinel == "":
		return c, errors.New("store: Config.Addresses has several of a single server: set Config.Cluster or Config.Sentinel")
	case c.Cluster && c.Database != 0:
		return c, fmt.Errorf("store: Config.Database is %d: a cluster has only 0", c.Database)
	case c.Database < 0:
		return c, fmt.Errorf("store: Config.Database is %d: it begins at 0", c.Database)
	case c.MaxEntries < 0:
		return c, fmt.Errorf("store: Config.MaxEntries is %d: zero means %d", c.MaxEntries, local.DefaultMaxEntries)
	}
	for _, address := range c.Addresses {
		if _, _, err := net.SplitHostPort(address); err != nil && !strings.HasPrefix(address, "/") {
			return c, fmt.Errorf(`store: Config.Addresses: %w: it is "host:port" or the path of a unix socket`, err)
		}
	}
	for _, f := range []struct {
		name      string
		value     *time.Duration
		byDefault time.Duration
	}{
		{"Flush", &c.Flush, 5 * time.Millisecond},
		{"Timeout", &c.Timeout, 100 * time.Millisecond},
		{"Retry", &c.Retry, time.Second},
		{"Refresh", &c.Refresh, time.Minute},
	} {
		if *f.value < 0 {
			return c, fmt.Errorf("store: Config.%s is %v: zero means %v", f.name, *f.value, f.byDefault)
		}
		if *f.value == 0 {
			*f.value = f.byDefault
		}
	}
	if c.Prefix == "" {
		c.Prefix = "millstream:"
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c, nil
}

// Commands is what a user of Redis needs the right to, as its ACL wants it, beside that
// to the keys that begin with Config.Prefix. A cluster needs "+cluster" too.
const Commands = "+auth +hello +select +ping +hset +hgetall +pexpire +set +get +pttl"

// buffer is how many bytes of commands or answers a connection gathers.
const buffer = 64 << 10

// option returns c as the client wants it, for a server at any of the addresses. One goroutine talks to Redis and sends all
// it has at once: so there is no pipelining of the client's own, which has goroutines
// that panic when an answer makes no sense, none of its retries, and not its way with
// sentinels, which needs them.
func (c Config) option(addresses []string) rueidis.ClientOption {
	o := rueidis.ClientOption{
		InitAddress: addresses, Username: c.Username, Password: c.Password, SelectDB: c.Database,
		TLSConfig:         c.TLS,
		ForceSingleClient: !c.Cluster,
		AlwaysRESP2:       true, DisableCache: true, DisableRetry: true, DisableAutoPipelining: true,
		PipelineMultiplex: -1, ClientSetInfo: rueidis.DisableClientSetInfo,
		ReadBufferEachConn: buffer, WriteBufferEachConn: buffer,
		ConnWriteTimeout: c.Timeout,
	}
	o.Dialer.Timeout = 3 * c.Timeout // connecting takes several round trips, and nobody waits for it
	return o
}
