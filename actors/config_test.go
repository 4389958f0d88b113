package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"millstream/handlers"
	"millstream/protocol"
)

func TestConfig(t *testing.T) {
	usual, err := Config{}.complete()
	if err != nil {
		t.Fatal(err)
	}
	if usual.Log != slog.Default() {
		t.Error("another log")
	}
	usual.Log = nil
	tests := []struct {
		name string
		cfg  Config
		edit func(*Config) // makes the result of the usual one
	}{
		{"zero", Config{}, func(*Config) {}},
		{"values", Config{Timeout: 1, HandlerTimeout: 2, MaxOutbound: 3, MaxWorkers: 4, FailureStatus: protocol.StatusAccept}, func(c *Config) {
			c.Timeout, c.WriteTimeout, c.HandlerTimeout, c.MaxOutbound, c.MaxWorkers = 1, 1, 2, 3, 4
			c.FailureStatus = protocol.StatusAccept
		}},
		{"off", Config{
			Timeout: -1, NegotiateTimeout: -1, HandlerTimeout: -1, AutoProgress: -1, SlowInline: -1, Linger: -1,
			PacketBuffer: -1, MaxWorkers: -1, MaxResultHeaders: -1, MaxResultHeaderBytes: -1,
		}, func(c *Config) {
			c.Timeout, c.WriteTimeout, c.NegotiateTimeout, c.HandlerTimeout, c.AutoProgress = 0, 0, 0, 0, 0
			c.SlowInline, c.Linger, c.PacketBuffer, c.MaxWorkers, c.MaxResultHeaders, c.MaxResultHeaderBytes = 0, 0, 0, 0, 0, 0
		}},
		{"no time for reads only", Config{Timeout: -1, WriteTimeout: 1}, func(c *Config) { c.Timeout, c.WriteTimeout = 0, 1 }},
		{"no time for writes only", Config{WriteTimeout: -1}, func(c *Config) { c.WriteTimeout = 0 }},
		{"two packets may always wait", Config{MaxPacketSize: 4 << 20, MaxPending: 1}, func(c *Config) {
			c.MaxPacketSize, c.MaxPending = 4<<20, 8<<20+8
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.cfg.complete()
			if err != nil {
				t.Fatal(err)
			}
			wanted := usual
			tt.edit(&wanted)
			wanted.Log = got.Log
			got.Macros, wanted.Macros = protocol.MacroLists{}, protocol.MacroLists{}
			if a, b := describeConfig(got), describeConfig(wanted); a != b {
				t.Errorf("\n got %s\nwant %s", a, b)
			}
		})
	}
}

func TestConfigDefaults(t *testing.T) {
	c, err := Config{}.complete()
	if err != nil {
		t.Fatal(err)
	}
	want(t, "defaults", describeConfig(c), "2h0m10s 30s 2h0m10s 5m0s 5s 5ms 5s 65536 1048576 2097160 8388608 10000 2000 1048576 10000 tempfail false 0")
}

func TestConfigWrong(t *testing.T) {
	tests := []struct {
		field string
		cfg   Config
	}{
		{"FailureStatus", Config{FailureStatus: protocol.StatusSkip}},
		{"FailureStatus", Config{FailureStatus: protocol.StatusNoReply}},
		{"FailureStatus", Config{FailureStatus: protocol.StatusProgress}},
		{"Actions", Config{Actions: 1 << 20}},
		{"MaxPacketSize", Config{MaxPacketSize: -1}},
		{"MaxPending", Config{MaxPending: -1}},
		{"MaxOutbound", Config{MaxOutbound: -1}},
		{"MaxResultRecipients", Config{MaxResultRecipients: -1}},
	}
	for _, tt := range tests {
		h := handlers.Shared(handlers.Chain())
		_, err := NewSystem(tt.cfg, h)
		if !errors.Is(err, protocol.ErrInvalidArgument) || !strings.Contains(err.Error(), "Config."+tt.field) {
			t.Errorf("%s: %v", tt.field, err)
		}
		if _, err := NewOffline(tt.cfg, h); err == nil {
			t.Errorf("%s: a session", tt.field)
		}
	}
	if _, err := NewSystem(Config{}, nil); !errors.Is(err, handlers.ErrNull) {
		t.Errorf("no factory: %v", err)
	}
}

// What is kept of a message follows from the configuration.
func TestConfigLimits(t *testing.T) {
	s, err := NewSystem(Config{MaxResultHeaders: 1, MaxResultHeaderBytes: 2, MaxResultRecipients: 3, MaxPacketSize: 4}, handlers.Shared(handlers.Chain()))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if l := *s.cfg.limits(); l != (handlers.ResultLimits{Headers: 1, HeaderBytes: 2, Recipients: 3}) || s.cfg.MaxPacketSize != 4 {
		t.Errorf("limits %+v, packets of %d bytes", l, s.cfg.MaxPacketSize)
	}
	if d := s.cfg.SlowInline; d != 5*time.Millisecond {
		t.Errorf("slow is %v", d)
	}
}

// describeConfig writes out the fields that can be compared.
func describeConfig(c Config) string {
	return fmt.Sprint(c.Timeout, c.NegotiateTimeout, c.WriteTimeout, c.HandlerTimeout, c.AutoProgress, c.SlowInline,
		c.Linger, c.PacketBuffer, c.MaxPacketSize, c.MaxPending, c.MaxOutbound, c.MaxWorkers, c.MaxResultHeaders,
		c.MaxResultHeaderBytes, c.MaxResultRecipients, c.FailureStatus, c.SplitFinalChunk, uint32(c.Actions))
}
