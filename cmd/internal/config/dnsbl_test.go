package config

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"millstream/handlers/dnsbl"
	"millstream/handlers/handlertest"
	"millstream/handlers/resolver"
	"millstream/handlers/resolver/dnstest"
	"millstream/protocol"
)

// dnsblFile asks a list at a server, twice for each client.
const dnsblFile = `
[dns]
servers = ["SERVER"]
CACHE
[[handler]]
type = "dnsbl"
name = "watched"
mode = "observe"
zones = [{ zone = "ip.test" }]
actions = [{ score = 1, do = "reject" }]
[[handler]]
type = "dnsbl"
stage = "connect"
zones = [{ zone = "ip.test", weight = 3 }]
actions = [{ score = 3, do = "reject", text = "{{listed}} is listed" }]
`

// dnsblFailing is a file with a handler that asks one list.
const dnsblFailing = `
[dns]
servers = ["SERVER"]
[[handler]]
type = "dnsbl"
KEYS
zones = [{ zone = "ip.test" }]
actions = [{ score = 1, do = "reject" }]
`

// measured returns the counts of a meter, by name and by what is said of them.
func measured(t *testing.T, reader metric.Reader) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int64)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, isSum := m.Data.(metricdata.Sum[int64])
			if !isSum {
				continue
			}
			for _, p := range sum.DataPoints {
				counts[m.Name] += p.Value
				for _, a := range p.Attributes.ToSlice() {
					counts[m.Name+" "+a.Value.String()] += p.Value
				}
			}
		}
	}
	return counts
}

// TestDNSBLFails has mail go on where the DNS does not answer, unless a file says
// otherwise.
func TestDNSBLFails(t *testing.T) {
	away := dnstest.Serve(t, func([]byte) [][]byte { return nil })
	away.Close()
	for keys, want := range map[string]protocol.Status{"": protocol.StatusContinue, `on_error = "tempfail"`: protocol.StatusTempFail} {
		text := strings.NewReplacer("SERVER", away.Addr, "KEYS", keys).Replace(dnsblFailing)
		g, err := parseWith(t, text).Build(Env{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		s := handlertest.New(t, g.Handler)
		s.Do(connectFrom("198.51.100.7"))
		if out := s.Do(&protocol.MailFrom{Addr: protocol.View("<a@b.example>")}); out.Status != want {
			t.Errorf("%q: %v, want %v", keys, out.Status, want)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
	common := Schema(Types()).Properties["handler"].Items.OneOf
	for i, kind := range Types() {
		for _, key := range []string{"on_error", "on_timeout"} {
			if got, want := string(common[i].Properties[key].Default), `"`+kind.Failing.String()+`"`; got != want {
				t.Errorf("%s of %s is %s, want %s", key, kind.Name, got, want)
			}
		}
	}
}

// TestDNSBL has handlers ask a real list, at the servers of the file, with one cache for
// all of them, or with none.
func TestDNSBL(t *testing.T) {
	n := dnstest.Run(t, map[string]string{"ip.test": "7.100.51.198 A 127.0.0.2\n"})
	for cache, cached := range map[string]bool{"": true, "cache = 0": false} {
		reader := metric.NewManualReader()
		text := strings.NewReplacer("SERVER", n.Addr, "CACHE", cache).Replace(dnsblFile)
		g, err := parseWith(t, text).Build(Env{
			Log: slog.New(slog.DiscardHandler), Meter: metric.NewMeterProvider(metric.WithReader(reader)),
		})
		if err != nil {
			t.Fatal(err)
		}
		for addr, want := range map[string]string{"198.51.100.7": "198.51.100.7 is listed", "198.51.100.8": ""} {
			s := handlertest.New(t, g.Handler)
			out := s.Do(connectFrom(addr))
			if out.Status == protocol.StatusContinue {
				s.Do(&protocol.MailFrom{Addr: protocol.View("<a@b.example>")})
			}
			if !strings.HasSuffix(out.Text, want) || (out.Text == "") != (want == "") {
				t.Errorf("%s: %v %q", addr, out.Status, out.Text)
			}
		}
		counts := measured(t, reader)
		if counts[dnsbl.MetricAnswers] == 0 || counts[resolver.MetricLookups] == 0 {
			t.Errorf("%q: measured %v", cache, counts)
		}
		if found := counts[resolver.MetricLookups+" cache"] > 0; found != cached {
			t.Errorf("%q: measured %v", cache, counts)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
}
