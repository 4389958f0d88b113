package actors

import (
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"millstream/handlers"
	"millstream/protocol"
)

// Config sets how sessions behave. The zero Config is ready to use. A negative
// value switches a limit or a duration off, where the field says so.
type Config struct {
	// Timeout is how long the MTA may be silent. Zero means 7210 s, negative for
	// ever. A session can change it for itself.
	Timeout time.Duration

	// NegotiateTimeout is how long a new connection may take to the end of its
	// offer. Zero means 30 s, negative for ever.
	NegotiateTimeout time.Duration

	// WriteTimeout is how long the MTA may leave bytes unread. Zero means
	// Timeout, negative for ever.
	WriteTimeout time.Duration

	// HandlerTimeout is how long an answer may be pending. Then the context of
	// its function ends and FailureStatus is the answer. Zero means 300 s,
	// negative no limit.
	HandlerTimeout time.Duration

	// AutoProgress is how often the MTA is asked to wait on while the answer at
	// the end of a message is pending. Zero means 5 s, negative never.
	AutoProgress time.Duration

	// SlowInline is how long a function of On or Observe may hold the event loop
	// before it is reported. Zero means 5 ms, negative never.
	SlowInline time.Duration

	// Linger is how long the last output of a closed connection may take.
	// Zero means 5 s, negative none.
	Linger time.Duration

	// PacketBuffer is how many bytes of changes to a message are gathered before
	// they are written. Zero means 64 KiB, negative that each is written at once.
	// A session can change it for itself.
	PacketBuffer int

	// MaxPacketSize is the greatest length field accepted, in bytes. Zero means
	// 1 MiB.
	MaxPacketSize int

	// MaxPending is how many bytes may wait behind a pending answer. An MTA that
	// sends more does not keep to the protocol and is closed with ErrTooMany.
	// Zero means 2 MiB. Two packets always may.
	MaxPending int

	// MaxOutbound is how many bytes may wait to be written before a change to a
	// message has to wait. Replies do not wait: an MTA that leaves so many unread
	// is closed with ErrIO. Zero means 8 MiB.
	MaxOutbound int

	// MaxWorkers is how many functions of Go, Blocking and Async run at once in a
	// System. Others wait in order; the wait counts towards HandlerTimeout. Zero
	// means 10000, negative no limit.
	MaxWorkers int

	// MaxResultHeaders and MaxResultHeaderBytes limit what a Result keeps of the
	// headers. Zero means 2000 and 1 MiB; negative keeps none.
	MaxResultHeaders     int
	MaxResultHeaderBytes int

	// MaxResultRecipients limits each list of recipients of a Result. Zero means
	// 10000.
	MaxResultRecipients int

	// FailureStatus answers for a handler that failed: TempFail, Reject, Accept,
	// Discard or Continue. Zero means TempFail.
	FailureStatus protocol.Status

	// SplitFinalChunk tells a last piece of the body that comes with the end of
	// the message as an event of its own.
	SplitFinalChunk bool

	// Actions are the actions to ask for. Zero means all that are offered.
	Actions protocol.Actions

	// Macros are the macros to ask for.
	Macros protocol.MacroLists

	// Log takes the log. Nil means slog.Default.
	Log *slog.Logger

	// Tracer and Meter take traces and measurements. Nil means the global ones of
	// OpenTelemetry, which take none unless the program sets them.
	Tracer trace.TracerProvider
	Meter  metric.MeterProvider

	// TraceSlow is how long handlers may take for a message before it is traced
	// although its session was not sampled. Zero means 1 s, negative never.
	TraceSlow time.Duration

	// TraceAddresses is what traces tell of senders, recipients and clients.
	TraceAddresses Addresses

	// TraceLinks lets handlers link a message to other traces although its session was
	// not sampled: the span in the context that they get takes links even then (AddLink),
	// and if one leads to what is sampled, the message is traced. Handlers that have a
	// name link what they do themselves.
	TraceLinks bool

	// Timelines is called with what happened to each message, when it has ended. It
	// runs on the event loop and must not block. It may be nil.
	Timelines func(*Timeline)
}

// complete returns c with its defaults filled in and what is off as zero, or the
// name of the field that is wrong.
func (c Config) complete() (Config, error) {
	switch c.FailureStatus {
	case protocol.StatusDefault:
		c.FailureStatus = protocol.StatusTempFail
	case protocol.StatusTempFail, protocol.StatusReject, protocol.StatusAccept,
		protocol.StatusDiscard, protocol.StatusContinue:
	default:
		return c, fmt.Errorf("%w: Config.FailureStatus is %v", protocol.ErrInvalidArgument, c.FailureStatus)
	}
	if extra := c.Actions &^ protocol.ActionsAll; extra != 0 {
		return c, fmt.Errorf("%w: Config.Actions has %v", protocol.ErrInvalidArgument, extra)
	}
	for _, f := range []struct {
		name  string
		value int
	}{
		{"MaxPacketSize", c.MaxPacketSize},
		{"MaxPending", c.MaxPending},
		{"MaxOutbound", c.MaxOutbound},
		{"MaxResultRecipients", c.MaxResultRecipients},
	} {
		if f.value < 0 {
			return c, fmt.Errorf("%w: Config.%s is negative", protocol.ErrInvalidArgument, f.name)
		}
	}
	fill(&c.Timeout, 7210*time.Second)
	fill(&c.NegotiateTimeout, 30*time.Second)
	fill(&c.WriteTimeout, c.Timeout)
	fill(&c.HandlerTimeout, 300*time.Second)
	fill(&c.AutoProgress, 5*time.Second)
	fill(&c.SlowInline, 5*time.Millisecond)
	fill(&c.TraceSlow, time.Second)
	fill(&c.Linger, 5*time.Second)
	fill(&c.PacketBuffer, 64<<10)
	fill(&c.MaxPacketSize, protocol.DefaultMaxPacketSize)
	fill(&c.MaxPending, 2<<20)
	c.MaxPending = max(c.MaxPending, 2*(c.MaxPacketSize+4))
	fill(&c.MaxOutbound, 8<<20)
	fill(&c.MaxWorkers, 10000)
	fill(&c.MaxResultHeaders, handlers.DefaultResultLimits.Headers)
	fill(&c.MaxResultHeaderBytes, handlers.DefaultResultLimits.HeaderBytes)
	fill(&c.MaxResultRecipients, handlers.DefaultResultLimits.Recipients)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c, nil
}

// fill sets a value that is zero to its default, and one that is negative to
// zero, which is off from then on.
func fill[T ~int | ~int64](v *T, byDefault T) {
	switch {
	case *v == 0:
		*v = byDefault
	case *v < 0:
		*v = 0
	}
}

// limits returns what is kept of a message.
func (c Config) limits() *handlers.ResultLimits {
	return &handlers.ResultLimits{
		Headers: c.MaxResultHeaders, HeaderBytes: c.MaxResultHeaderBytes, Recipients: c.MaxResultRecipients,
	}
}
