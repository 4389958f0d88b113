package main

import "time"

// messageJSON is a message in a list.
type messageJSON struct {
	ID         uint64    `json:"id"`
	Start      time.Time `json:"started_at"`
	Session    uint64    `json:"session_id"`
	QueueID    string    `json:"queue_id"`
	Client     string    `json:"client"`
	ClientName string    `json:"client_name"`
	Helo       string    `json:"helo"`
	From       string    `json:"from"`
	Recipients []string  `json:"recipients"` // the first ones, refused ones too
	RcptTotal  int       `json:"recipients_total"`
	Size       uint64    `json:"size_bytes"` // of the body, or what the SMTP client announced; 0 if neither is known
	Verdict    string    `json:"verdict"`
	Reply      string    `json:"reply"`
	By         string    `json:"decided_by"`
	Elapsed    float64   `json:"total_seconds"`
	Handled    float64   `json:"handlers_seconds"`
	Waited     float64   `json:"wait_seconds"` // that the MTA has waited
	Errors     int       `json:"errors_total"`
	TraceID    string    `json:"trace_id"`
}

func newMessageJSON(e *historyEntry) messageJSON {
	j := messageJSON{
		ID: e.id, Start: e.start.UTC(), Session: e.session, QueueID: visible(e.queueID),
		Client: addrText(e.client), ClientName: visible(e.host), Helo: visible(e.helo), From: visible(e.from),
		Recipients: []string{}, Size: e.size, Verdict: verdictNames[e.verdict], Reply: visible(e.reply), By: visible(e.by),
		Elapsed: e.elapsed.Seconds(), Handled: e.handled.Seconds(), Waited: e.waited.Seconds(),
		Errors: e.errors.total, TraceID: visible(e.traceID),
	}
	for _, l := range []*keptList{&e.recipients, &e.rejected, &e.tempFailed} {
		j.Recipients = append(j.Recipients, visibleAll(l.kept)...)
		j.RcptTotal += l.total
	}
	j.Recipients = j.Recipients[:min(len(j.Recipients), maxKeptList)]
	return j
}

// timelineJSON is a message with all that is known of it.
type timelineJSON struct {
	messageJSON
	State            string      `json:"state"` // of the last event
	Peer             string      `json:"peer"`
	Listener         string      `json:"listener"`
	SpanID           string      `json:"span_id"`
	QuarantineReason string      `json:"quarantine_reason"`
	Accepted         listJSON    `json:"recipients_accepted"`
	Rejected         listJSON    `json:"recipients_rejected"`
	TempFailed       listJSON    `json:"recipients_tempfailed"`
	Changes          changesJSON `json:"changes"`
	Stages           []stageJSON `json:"stages"`
	Visits           []visitJSON `json:"handlers"`
	ErrorTexts       []string    `json:"errors"`
}

// listJSON is the begin of a list, and how long that is.
type listJSON struct {
	Total int      `json:"total"`
	First []string `json:"first"`
}

// changesJSON tells how often a message was changed, and not with what.
type changesJSON struct {
	From              string `json:"from"`
	HeadersAdded      int    `json:"headers_added"`
	HeadersRemoved    int    `json:"headers_removed"`
	RecipientsAdded   int    `json:"recipients_added"`
	RecipientsDeleted int    `json:"recipients_deleted"`
	BodyReplaced      bool   `json:"body_replaced"`
	NewBodySize       int64  `json:"new_body_bytes"`
}

// stageJSON is an event, or several alike one after the other.
type stageJSON struct {
	Event  string  `json:"event"`
	Count  int     `json:"count"`
	At     float64 `json:"at_seconds"` // since the message began
	Took   float64 `json:"took_seconds"`
	Status string  `json:"status"`
	Silent bool    `json:"silent"` // the MTA did not wait for an answer
}

// visitJSON is a call of a handler, or several alike one after the other.
type visitJSON struct {
	Handler string  `json:"handler"`
	Event   string  `json:"event"`
	Count   int     `json:"count"`
	At      float64 `json:"at_seconds"`
	Took    float64 `json:"took_seconds"`
	Status  string  `json:"status"`
	Failed  bool    `json:"failed"`
}

func newTimelineJSON(e *historyEntry) timelineJSON {
	j := timelineJSON{
		messageJSON: newMessageJSON(e),
		State:       e.state.String(), Peer: peerText(e.peer), Listener: visible(e.listener), SpanID: visible(e.spanID),
		QuarantineReason: visible(e.quarantineReason),
		Accepted:         e.recipients.json(), Rejected: e.rejected.json(), TempFailed: e.tempFailed.json(),
		Changes: e.changes.json(),
		Stages:  make([]stageJSON, len(e.stages)), Visits: make([]visitJSON, len(e.visits)),
		ErrorTexts: visibleAll(e.errors.kept),
	}
	for i := range e.stages {
		s := &e.stages[i]
		j.Stages[i] = stageJSON{s.Event.String(), s.Count, s.At.Seconds(), s.Took.Seconds(), s.Status.String(), s.Silent}
	}
	for i := range e.visits {
		v := &e.visits[i]
		j.Visits[i] = visitJSON{
			visible(v.Handler), v.Event.String(), v.Count, v.At.Seconds(), v.Took.Seconds(), v.Status.String(), v.Failed,
		}
	}
	return j
}

func (l *keptList) json() listJSON { return listJSON{l.total, visibleAll(l.kept)} }

func (c *historyChanges) json() changesJSON {
	return changesJSON{
		From:         visible(c.from),
		HeadersAdded: c.headersAdded, HeadersRemoved: c.headersRemoved,
		RecipientsAdded: c.rcptsAdded, RecipientsDeleted: c.rcptsDeleted,
		BodyReplaced: c.bodyBytes >= 0, NewBodySize: max(c.bodyBytes, 0),
	}
}
