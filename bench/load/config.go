package load

import (
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"millstream/netio/mta"
	"millstream/protocol"
)

// Limits of a [Config].
const (
	maxExpect      = 64
	maxConnections = 1_000_000
	defaultTimeout = 30 * time.Second
)

// A Config sets a run up. Address and Mails must be set.
type Config struct {
	Address string           // of the milter, in its notation or in that of Postfix
	Dialect mta.Dialect      // whose macros and packets are sent
	Offer   protocol.Options // the zero Options is mta.Offer
	Client  mta.Client       // the SMTP client; the zero Client is one at 192.0.2.1
	Mails   []*mta.Mail      // are sent in a random order; their IDs are replaced

	// Connections is how many sessions there are: all the time in a closed loop, at
	// most in an open one. Zero means 1.
	Connections int

	// Rate is when messages are to begin: an open loop. Nil is a closed one, in
	// which a session begins a message when it has the verdict of the last.
	Rate Schedule

	Messages int64         // to send, with an answer or not; 0 is no limit
	Duration time.Duration // after the warm-up; 0 is no limit
	WarmUp   time.Duration // is not measured

	// Reuse is how many messages one connection takes. Zero is all. 1 is what
	// Postfix does.
	Reuse int

	Think   time.Duration // between stages, as a slow SMTP client has it
	Timeout time.Duration // for an answer; progress counts it anew. Zero is 30 s
	Chaos   Chaos
	Expect  []string // names of headers that the milter must add to each message

	// Idle is how many sessions to open and hold, before messages are sent, if any
	// are. Those that the milter does not take within Timeout are not waited for.
	Idle int

	PID     int    // the process of the milter; 0 if it is not known
	Workers int    // event loops; 0 is one for each CPU that the process may use
	Seed    uint64 // of all that is random
}

// Chaos is what MTAs do beside sending mail: shares from 0 to 1 of the messages.
type Chaos struct {
	Abort    float64 // given up at some stage
	Reset    float64 // whose connection breaks at some stage
	Unknown  float64 // with an SMTP command unknown to the MTA
	SlowRead float64 // whose last answer is left unread for SlowTime
}

// SlowTime is how long an answer is left unread by [Chaos].SlowRead.
const SlowTime = time.Second

// A Progress is how far a run is.
type Progress struct {
	Interval
	Done   float64 // from 0 to 1; below 0 if there is no end
	WarmUp bool    // nothing counts yet
	Total  int64   // messages so far
	Failed int64   // errors so far
}

// complete checks c, and fills in what it leaves out.
func (c *Config) complete() error {
	switch {
	case len(c.Mails) == 0:
		return c.wrong("there are no mails to send")
	case c.Connections < 0 || c.Idle < 0 || c.Connections+c.Idle > maxConnections:
		return c.wrong("%d connections and %d idle ones; there can be 0 to %d", c.Connections, c.Idle, maxConnections)
	case len(c.Expect) > maxExpect:
		return c.wrong("%d headers are expected; there can be %d", len(c.Expect), maxExpect)
	case !c.Chaos.isPossible():
		return c.wrong("the shares of chaos are below 0 or more than 100 %% of the messages")
	case c.Reuse < 0 || c.Messages < 0 || c.Workers < 0:
		return c.wrong("a count is negative")
	}
	for i, step := range c.Rate {
		last := i == len(c.Rate)-1
		if !step.isPossible() || step.For == 0 && (!last || step.From != step.To) {
			return c.wrong("step %d of the rate, %v to %v a second for %v, is none", i+1, step.From, step.To, step.For)
		}
	}
	if len(c.Rate) == 0 {
		c.Rate = nil
	}
	c.fill()
	return nil
}

// fill fills in what c leaves out.
func (c *Config) fill() {
	if c.Offer == (protocol.Options{}) {
		c.Offer = mta.Offer()
	}
	if c.Connections == 0 && c.Idle == 0 {
		c.Connections = 1
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Connections > 0 { // a worker without one could not send its part
		c.Workers = min(c.Workers, c.Connections)
	} else {
		c.Workers = min(c.Workers, c.Idle)
	}
	if c.Client.Connect.Host == nil {
		c.Client = defaultClient(c.Dialect)
	}
}

// isPossible reports whether c are shares of one whole, which need not be exact.
func (c *Chaos) isPossible() bool {
	least := min(c.Abort, c.Reset, c.Unknown, c.SlowRead)
	return least >= 0 && c.Abort+c.Reset+c.Unknown+c.SlowRead <= 1+1e-9
}

// isPossible reports whether the rates and the time of s are.
func (s Step) isPossible() bool {
	return min(s.From, s.To) >= 0 && max(s.From, s.To) > 0 && max(s.From, s.To) <= maxRate && s.For >= 0
}

func (c *Config) wrong(format string, args ...any) error {
	return fmt.Errorf("%w: load: "+format, append([]any{protocol.ErrInvalidArgument}, args...)...)
}

// defaultClient is an SMTP client of the network for documentation, RFC 5737.
func defaultClient(d mta.Dialect) mta.Client {
	c := mta.Client{
		Connect: protocol.Connect{
			Host: protocol.View("client.example.com"),
			Addr: protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("192.0.2.1"), Port: 42025},
		},
		Helo: protocol.Helo{Name: protocol.View("client.example.com")},
		Macros: map[string]string{
			"j": "mx.example.org", "_": "client.example.com [192.0.2.1]", "daemon_name": "mx.example.org",
			"daemon_addr": "192.0.2.25", "v": "Postfix 3.7.11", "if_name": "mx.example.org", "if_addr": "192.0.2.25",
		},
	}
	if d == mta.Sendmail {
		c.Macros["daemon_name"], c.Macros["v"] = "MTA", "8.17.1"
	}
	return c
}

// thinking returns how long the SMTP client of one message thinks at most.
func (c *Config) thinking() time.Duration {
	const others = 4 // connect, helo, envelope-from, data
	most := 0
	for _, m := range c.Mails {
		most = max(most, len(m.To))
	}
	return time.Duration(others+most) * max(c.Think, 0)
}
