package main

import (
	"net/netip"
	"strings"
	"time"
	"unicode"

	"millstream/actors"
	"millstream/protocol"
)

// The shapes of the JSON. Names tell units; texts that came from mail have no
// characters in them that cannot be seen.

type errorJSON struct {
	Error string `json:"error"`
}

type summaryJSON struct {
	Version        string            `json:"version"`
	StartedAt      time.Time         `json:"started_at"`
	UptimeSeconds  float64           `json:"uptime_seconds"`
	SessionsActive int               `json:"sessions_active"`
	Messages       map[string]uint64 `json:"messages_total"`
	Kept           int               `json:"messages_kept"`
	MaxKept        int               `json:"messages_kept_max"`
	KeptBytes      int               `json:"kept_bytes"`
	MaxKeptBytes   int               `json:"kept_bytes_max"`
	PerSecond      float64           `json:"messages_per_second"` // in the last ten seconds
	WaitP50        *float64          `json:"wait_p50_seconds"`    // in the last minute
	WaitP99        *float64          `json:"wait_p99_seconds"`
	Last5Minutes   map[string]uint64 `json:"messages_last_5_minutes"`
	Handlers       []string          `json:"handlers"`
	Verdicts       []string          `json:"verdicts"`
	Config         *reloadState      `json:"config,omitempty"`
}

// summary returns what goes on in a few numbers.
func (s *status) summary() summaryJSON {
	c := s.history.count()
	span, minute, ten := s.history.rates(historySpan), s.history.rates(60), s.history.rates(10)
	waits, now := minute.sum(), ten.sum()
	j := summaryJSON{
		Version: version(), StartedAt: s.started.UTC(), UptimeSeconds: time.Since(s.started).Seconds(),
		SessionsActive: len(s.sessions()), Messages: make(map[string]uint64), Last5Minutes: make(map[string]uint64),
		Kept: c.kept, MaxKept: c.maxKept, KeptBytes: c.bytes, MaxKeptBytes: c.maxBytes,
		WaitP50: waits.waits.seconds(.5), WaitP99: waits.waits.seconds(.99),
		Handlers: s.history.handlerNames(), Verdicts: verdictNames[:],
	}
	for i, name := range j.Handlers {
		j.Handlers[i] = visible(name)
	}
	if s.config != nil {
		j.Config = new(s.config())
	}
	all := span.sum()
	for v, name := range verdictNames {
		j.Messages[name], j.Last5Minutes[name] = c.totals[v], uint64(all.messages[v])
		j.PerSecond += float64(now.messages[v]) / 10
	}
	return j
}

// seconds returns a quantile; nil if there is none.
func (c *waitCounts) seconds(share float64) *float64 {
	wait, ok := c.quantile(share)
	if !ok {
		return nil
	}
	return new(wait.Seconds())
}

// ratesJSON has a list for each curve, all of the same length, oldest first; null is
// where nothing is known.
type ratesJSON struct {
	From     time.Time           `json:"from"`
	Step     float64             `json:"step_seconds"`
	Messages map[string][]uint32 `json:"messages"`
	WaitP50  []*float64          `json:"wait_p50_seconds"`
	WaitP99  []*float64          `json:"wait_p99_seconds"`
	Sessions []*int              `json:"sessions_active"`
}

func newRatesJSON(r historyRates) ratesJSON {
	j := ratesJSON{From: time.Unix(r.from, 0).UTC(), Step: 1, Messages: make(map[string][]uint32)}
	for i := range r.seconds {
		one := &r.seconds[i]
		for v, name := range verdictNames {
			j.Messages[name] = append(j.Messages[name], one.messages[v])
		}
		j.WaitP50 = append(j.WaitP50, one.waits.seconds(.5))
		j.WaitP99 = append(j.WaitP99, one.waits.seconds(.99))
		var sessions *int
		if one.sessions > 0 {
			sessions = new(one.sessions - 1)
		}
		j.Sessions = append(j.Sessions, sessions)
	}
	return j
}

type sessionsJSON struct {
	Total     int           `json:"total"`
	Pending   int           `json:"pending"` // with an answer that is pending
	Sessions  []sessionJSON `json:"sessions"`
	NextAfter uint64        `json:"next_after,omitempty"`
}

type sessionJSON struct {
	ID            uint64    `json:"id"`
	State         string    `json:"state"`
	Since         time.Time `json:"since"`
	Age           float64   `json:"age_seconds"`
	Peer          string    `json:"peer"`
	Listener      string    `json:"listener"`
	QueueID       string    `json:"queue_id,omitempty"` // of the message under way
	Handler       string    `json:"handler,omitempty"`  // that is at work, if it has a name
	Pending       float64   `json:"pending_seconds"`    // 0 if none is
	Idle          float64   `json:"idle_seconds"`
	Messages      uint64    `json:"messages"`
	In            uint64    `json:"in_bytes"`
	Out           uint64    `json:"out_bytes"`
	LastQueueID   string    `json:"last_queue_id,omitempty"` // of the last message that has ended
	LastMessageID uint64    `json:"last_message_id,omitempty"`
}

// newSessionJSON returns a session, whose last message may be nil.
func newSessionJSON(i *actors.Info, last *historyEntry) sessionJSON {
	j := sessionJSON{
		ID: i.ID, State: i.State.String(), Since: i.Since.UTC(), Age: max(time.Since(i.Since), 0).Seconds(),
		Peer: peerText(i.Peer), Listener: visible(i.Listener), QueueID: visible(i.QueueID), Handler: visible(i.Handler),
		Pending: i.Pending.Seconds(), Idle: i.Idle.Seconds(), Messages: i.Messages, In: i.In, Out: i.Out,
	}
	if last != nil {
		j.LastQueueID, j.LastMessageID = visible(last.queueID), last.id
	}
	return j
}

type messagesJSON struct {
	Kept       int           `json:"kept"`
	Matched    int           `json:"matched"`
	Messages   []messageJSON `json:"messages"`
	NextBefore uint64        `json:"next_before,omitempty"`
}

// addrText returns an address for a reader; an address of the Internet is without
// its port, which is of no use to find a client.
func addrText(a protocol.Addr) string {
	if a.IP.IsValid() {
		return a.IP.String()
	}
	return visible(a.String())
}

// peerText returns the address of an MTA for a reader, with its port.
func peerText(a protocol.Addr) string {
	switch {
	case a.IP.IsValid() && a.Port != 0:
		return netip.AddrPortFrom(a.IP, a.Port).String()
	case a.Family == protocol.FamilyUnix && a.Path == "":
		return "unix socket"
	}
	return addrText(a)
}

// visible returns a text with what cannot be seen replaced, so that it looks the way
// it is: line breaks, codes that terminals obey, marks that turn the order of letters.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return unicode.ReplacementChar
	}, s)
}

// visibleAll is visible for a list; it is never null.
func visibleAll(list []string) []string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = visible(s)
	}
	return all
}
