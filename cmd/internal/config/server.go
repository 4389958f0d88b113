package config

import (
	"io/fs"
	"strconv"
	"time"

	"millstream/actors"
	"millstream/netio"
	"millstream/protocol"
)

// failures are the words of Limits.Failure.
var failures = map[string]protocol.Status{
	"tempfail": protocol.StatusTempFail, "reject": protocol.StatusReject, "accept": protocol.StatusAccept,
	"discard": protocol.StatusDiscard, "continue": protocol.StatusContinue,
}

// addresses are the words of OTel.TraceAddresses.
var addresses = map[string]actors.Addresses{
	"off": actors.AddressesOff, "hashed": actors.AddressesHashed, "clear": actors.AddressesClear,
}

// Server returns what c says of a server and its sessions. Sockets of systemd are left
// as they are written.
func (c *Config) Server() netio.Config {
	l := &c.Limits
	server := netio.Config{
		Loops: l.Loops, ReusePort: l.ReusePort, Backlog: l.Backlog,
		MaxSessions: l.MaxSessions, CloseWhenFull: l.CloseWhenFull, Grace: none(l.Grace),
		Sessions: actors.Config{
			Timeout: none(l.Idle), NegotiateTimeout: none(l.Negotiate), WriteTimeout: none(l.Write),
			HandlerTimeout: none(l.Handler), AutoProgress: none(l.Progress), SlowInline: none(l.SlowHandler),
			Linger: none(l.Linger), PacketBuffer: none(int(l.PacketBuffer)), MaxPacketSize: int(l.PacketSize),
			MaxPending: int(l.Pending), MaxOutbound: int(l.Outbound), MaxWorkers: none(l.Workers),
			MaxResultHeaders: none(l.ResultHeaders), MaxResultHeaderBytes: none(int(l.ResultHeaderBytes)),
			MaxResultRecipients: l.ResultRecipients, FailureStatus: failures[l.Failure],
			TraceSlow: none(c.OTel.TraceSlow), TraceLinks: len(c.OTel.TraceTrust) > 0,
			TraceAddresses: addresses[c.OTel.TraceAddresses],
		},
	}
	for _, s := range c.Listeners {
		server.Sockets = append(server.Sockets, netio.Socket{
			Addr: s.Socket, UnixMode: fs.FileMode(s.Mode), UnixGroup: s.Group, MaxSessions: s.MaxSessions,
		})
	}
	return server
}

// Variables returns the variables of OpenTelemetry that o stands for, each a name and a
// value in turn. One that is set in the environment counts more; which sessions are
// traced takes two, so a sampler there counts for both.
func (o *OTel) Variables() []string {
	var pairs []string
	if o.Endpoint != "" {
		pairs = append(pairs, "OTEL_EXPORTER_OTLP_ENDPOINT", o.Endpoint)
	}
	byDefault := defaults().OTel
	if o.Protocol != byDefault.Protocol {
		pairs = append(pairs, "OTEL_EXPORTER_OTLP_PROTOCOL", o.Protocol)
	}
	if o.ServiceName != byDefault.ServiceName {
		pairs = append(pairs, "OTEL_SERVICE_NAME", o.ServiceName)
	}
	if o.Sample != byDefault.Sample {
		pairs = append(pairs, SamplerVariable, "parentbased_traceidratio", SamplerVariable+"_ARG", strconv.FormatFloat(o.Sample, 'g', -1, 64))
	}
	return pairs
}

// SamplerVariable is the variable that says which sessions are traced.
const SamplerVariable = "OTEL_TRACES_SAMPLER"

// none returns what switches a limit off for 0, which in a Config of Go is the default.
func none[T int | time.Duration](limit T) T {
	if limit == 0 {
		return -1
	}
	return limit
}
