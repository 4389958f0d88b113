package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"millstream/actors"
	"millstream/handlers"
	"millstream/protocol"
)

// sampleStatuses is how the messages of sampleLine end, one after the other.
var sampleStatuses = []protocol.Status{
	protocol.StatusContinue, protocol.StatusContinue, protocol.StatusReject, protocol.StatusContinue,
	protocol.StatusTempFail, protocol.StatusAccept, protocol.StatusContinue, protocol.StatusDiscard, protocol.StatusAbort,
}

// sampleLine is the timeline of message n, as a server would tell it.
func sampleLine(n int) *actors.Timeline {
	const ms = time.Millisecond
	status := sampleStatuses[n%len(sampleStatuses)]
	start := time.Date(2026, 3, 1, 12, 0, n%60, 0, time.UTC)
	took := time.Duration(1+n%40) * ms
	l := &actors.Timeline{
		Session: uint64(1 + n/3), Listener: "inet:8890@127.0.0.1", TraceID: fmt.Sprintf("%032x", n+1), SpanID: fmt.Sprintf("%016x", n+1),
		Peer:    protocol.Addr{Family: protocol.FamilyInet, IP: netip.MustParseAddr("127.0.0.1"), Port: uint16(30000 + n%1000)},
		QueueID: fmt.Sprintf("4TQ%05X", n), Host: fmt.Sprintf("mx%d.example.org", n%7), Helo: fmt.Sprintf("mx%d.example.org", n%7),
		Client: protocol.Addr{Family: protocol.FamilyInet, IP: netip.AddrFrom4([4]byte{192, 0, 2, byte(n % 250)}), Port: 4711},
		Result: &handlers.Result{
			From: fmt.Sprintf("sender%d@example.org", n), Recipients: []string{fmt.Sprintf("rcpt%d@example.net", n%100), "list@example.net"},
			BodySize: uint64(1000 + 97*n), Status: status, State: protocol.StateEndOfMessageReplied, NewBodySize: -1,
			Start: start, End: start.Add(2 * took), HandlerTime: took,
			AddedHeaders: []handlers.Field{{Name: "X-Secret-Header", Value: "secret content"}},
		},
		Stages: []actors.Stage{
			{Event: handlers.KindEnvelopeFrom, Count: 1, Took: took / 4},
			{Event: handlers.KindEnvelopeRecipient, Count: 2, At: took / 3, Took: took / 4},
			{Event: handlers.KindHeader, Count: 12, At: 2 * took / 3, Took: took / 10, Silent: true},
			{Event: handlers.KindEndOfMessage, Count: 1, At: took, Took: took / 2, Status: status},
		},
		Visits: []actors.Visit{
			{Handler: "access", Event: handlers.KindEnvelopeFrom, Count: 1, Took: took / 8},
			{Handler: "greylist", Event: handlers.KindEnvelopeRecipient, Count: 2, At: took / 3, Took: took / 5},
			{Handler: "clamav", Event: handlers.KindEndOfMessage, Count: 1, At: took, Took: took / 2, Status: status},
		},
	}
	switch status {
	case protocol.StatusReject:
		l.Result.By, l.Result.Reply = "clamav", "554 5.7.1 this is not wanted"
	case protocol.StatusTempFail:
		l.Result.By, l.Result.Reply = "greylist", "451 4.7.1 please try again in a minute"
		l.Errors, l.Visits[1].Failed = []error{errors.New("store: connection refused")}, true
	}
	return l
}

// filledHistory returns a history of n messages.
func filledHistory(n int) *history {
	h := newHistory(0)
	for i := range n {
		h.add(sampleLine(i))
	}
	return h
}

func TestHistoryIsARing(t *testing.T) {
	h := newHistory(3)
	if got := h.entries(); len(got) != 0 || h.entry(0) != nil || h.entry(1) != nil {
		t.Errorf("an empty history has %d entries", len(got))
	}
	for i := range 5 {
		h.add(sampleLine(i))
	}
	var ids []uint64
	for _, e := range h.entries() {
		ids = append(ids, e.id)
	}
	if fmt.Sprint(ids) != "[5 4 3]" {
		t.Errorf("the entries are %v", ids)
	}
	if h.entry(2) != nil || h.entry(6) != nil || h.entry(3).queueID != "4TQ00002" {
		t.Errorf("entry 3 is %+v", h.entry(3))
	}
	if c := h.count(); c.kept != 3 || c.totals[0] != 3 || c.totals[2] != 1 {
		t.Errorf("the counts are %+v", c)
	}
}

// hostileLine is a message with as much in everything as there can be.
func hostileLine(size int) *actors.Timeline {
	l := sampleLine(2)
	long := strings.Repeat("é", size/2)
	list := make([]string, 10000)
	for i := range list {
		list[i] = long
	}
	l.Listener, l.TraceID, l.SpanID, l.QueueID, l.Host, l.Helo, l.Client.Path, l.Peer.Path = long, long, long, long, long, long, long, long
	r := l.Result
	r.From, r.By, r.Reply, r.QuarantineReason, r.ChangedFrom = long, long, long, long, long
	r.Recipients, r.Rejected, r.TempFailed = list, list, list
	l.Stages, l.Visits, l.Errors = nil, nil, nil
	for range 1000 {
		l.Stages = append(l.Stages, actors.Stage{Event: handlers.KindHeader})
		l.Visits = append(l.Visits, actors.Visit{Handler: long})
		l.Errors = append(l.Errors, errors.New(long))
	}
	l.Stages = l.Stages[:64:64]
	return l
}

func TestHistoryIsBounded(t *testing.T) {
	h := newHistory(1000)
	h.maxBytes = 1 << 20
	line := hostileLine(1 << 20)
	for range 200 {
		h.add(line)
	}
	c := h.count()
	if c.bytes > c.maxBytes || c.kept < 5 {
		t.Errorf("%d entries take %d bytes of %d", c.kept, c.bytes, c.maxBytes)
	}
	e := h.entries()[0]
	if e.bytes > 64<<10 {
		t.Errorf("one entry takes %d bytes", e.bytes)
	}
	if len(e.from) > maxKeptText || !strings.HasSuffix(e.from, "é…") || len(e.reply) > maxKeptReply {
		t.Errorf("the sender is kept as %q", e.from)
	}
	if len(e.recipients.kept) != maxKeptList || e.recipients.total != 10000 || len(e.errors.kept) != maxKeptErrors {
		t.Errorf("%d of %d recipients are kept, %d errors", len(e.recipients.kept), e.recipients.total, len(e.errors.kept))
	}
	if len(e.visits) != maxKeptEvents || len(e.visits[0].Handler) > maxKeptText || len(line.Visits[0].Handler) != 1<<20 {
		t.Errorf("%d visits are kept", len(e.visits))
	}
	sum := 0
	for _, e := range h.entries() {
		sum += e.bytes
	}
	if sum != c.bytes {
		t.Errorf("the entries take %d bytes, and %d are counted", sum, c.bytes)
	}
}

func TestHistoryWithoutResult(t *testing.T) {
	h := newHistory(1)
	h.add(&actors.Timeline{})
	if e := h.entry(1); e == nil || verdictNames[e.verdict] != "continue" {
		t.Errorf("the entry is %+v", e)
	}
}

func TestHistoryVerdicts(t *testing.T) {
	for _, tt := range []struct {
		status      protocol.Status
		quarantined bool
		want        string
	}{
		{protocol.StatusDefault, false, "continue"},
		{protocol.StatusContinue, false, "continue"},
		{protocol.StatusAccept, true, "quarantine"},
		{protocol.StatusDefault, true, "quarantine"},
		{protocol.StatusReject, true, "reject"},
		{protocol.StatusSkip, false, "continue"},
		{protocol.StatusAbort, false, "abort"},
	} {
		got := verdictNames[verdictOfResult(&handlers.Result{Status: tt.status, Quarantined: tt.quarantined})]
		if got != tt.want {
			t.Errorf("%v, quarantined %t: %s, want %s", tt.status, tt.quarantined, got, tt.want)
		}
	}
}

func TestHistoryAtOnce(t *testing.T) {
	h := newHistory(100)
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		writers.Go(func() {
			for i := range 500 {
				h.add(sampleLine(i))
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				h.search(&historyQuery{terms: parseTerms("rcpt:list 5"), limit: 10})
				h.rates(10)
				h.sample(3)
				h.entry(h.count().totals[0])
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	if c := h.count(); c.kept != 100 || h.last != 2000 {
		t.Errorf("%d of %d are kept", c.kept, h.last)
	}
}

func TestHistoryWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(1)
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		go h.watch(ctx, func() int { n++; return n })
		time.Sleep(3*time.Second + time.Second/2) // on the clock of the test
		cancel()
		synctest.Wait()
		r := h.rates(4)
		var got []int
		for _, s := range r.seconds {
			got = append(got, s.sessions-1)
		}
		if fmt.Sprint(got) != "[-1 1 2 3]" || n != 4 {
			t.Errorf("the sessions were %v", got)
		}
	})
}
