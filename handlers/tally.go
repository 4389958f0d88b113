package handlers

import (
	"sync"
	"time"

	"millstream/protocol"
)

// A ResultLimits limits what is kept of a message for its [Result].
type ResultLimits struct {
	Headers     int // number of header fields
	HeaderBytes int // bytes of their names and values
	Recipients  int // length of each list of recipients
}

// DefaultResultLimits is 2000 headers, 1 MiB of them, and 10000 recipients.
var DefaultResultLimits = ResultLimits{Headers: 2000, HeaderBytes: 1 << 20, Recipients: 10000}

// tally is what is known so far of a message. It keeps the bytes of the MTA in
// one buffer and makes strings of them only for who asks, and it is used again for
// another message, so that to count costs no allocation.
type tally struct {
	buf        []byte
	from       span
	fromParams span
	rcpts      []recipient
	kept       [numFates]int // recipients of each fate
	headers    []headerSpan
	headerSize int
	body       uint64
	headersCut bool
	rcptsCut   bool

	added        []Field
	removed      []string
	changedFrom  string
	addedRcpts   []string
	deletedRcpts []string
	newBody      int64
	quarantined  bool

	state      protocol.State
	status     protocol.Status
	by         string
	reply      *protocol.SMTPReply
	start, end time.Time
	handlers   time.Duration
}

// span is a piece of the buffer of a tally.
type span struct{ from, to int }

type headerSpan struct{ name, value span }

// fate is what became of a recipient.
type fate uint8

const (
	fateTaken fate = iota
	fateTempFailed
	fateRejected
	numFates
)

type recipient struct {
	addr span
	fate fate
}

// tallies are those that are not in use.
var tallies = sync.Pool{New: func() any { return new(tally) }}

// maxTallyBuffer is how many bytes a tally may keep for the next message.
const maxTallyBuffer = 64 << 10

func newTally(start time.Time) *tally {
	t := tallies.Get().(*tally)
	t.start = start
	t.newBody = -1
	return t
}

// release gives t back.
func (t *tally) release() {
	if cap(t.buf) > maxTallyBuffer {
		return
	}
	clear(t.added)
	clear(t.removed)
	clear(t.addedRcpts)
	clear(t.deletedRcpts)
	*t = tally{
		buf: t.buf[:0], rcpts: t.rcpts[:0], headers: t.headers[:0], added: t.added[:0],
		removed: t.removed[:0], addedRcpts: t.addedRcpts[:0], deletedRcpts: t.deletedRcpts[:0],
	}
	tallies.Put(t)
}

// keep copies b to the buffer.
func (t *tally) keep(b []byte) span {
	from := len(t.buf)
	t.buf = append(t.buf, b...)
	return span{from, len(t.buf)}
}

func (t *tally) string(s span) string { return string(t.buf[s.from:s.to]) }

// command notes what a command says of the message.
func (t *tally) command(cmd protocol.Command, limits *ResultLimits) {
	switch c := cmd.(type) {
	case *protocol.MailFrom:
		t.from, t.fromParams = t.keep(c.Addr), t.keep(c.Params)
	case *protocol.RcptTo:
		t.rcpts = append(t.rcpts, recipient{addr: t.keep(c.Addr)})
	case *protocol.Header:
		t.header(c, limits)
	case *protocol.Body:
		t.body += uint64(len(c.Chunk))
	case *protocol.EndOfMessage:
		t.body += uint64(len(c.Chunk))
	}
}

func (t *tally) header(h *protocol.Header, limits *ResultLimits) {
	size := len(h.Name) + len(h.Value)
	if len(t.headers) >= limits.Headers || t.headerSize+size > limits.HeaderBytes {
		t.headersCut = t.headersCut || limits.Headers > 0 && limits.HeaderBytes > 0
		return
	}
	t.headerSize += size
	from := len(t.buf)
	t.buf = append(append(t.buf, h.Name...), h.Value...)
	value := from + len(h.Name)
	t.headers = append(t.headers, headerSpan{span{from, value}, span{value, len(t.buf)}})
}

// answer notes what became of the last recipient. refused says that the MTA
// refused it itself.
func (t *tally) answer(s protocol.Status, refused bool, limits *ResultLimits) {
	if len(t.rcpts) == 0 {
		return
	}
	last := &t.rcpts[len(t.rcpts)-1]
	switch {
	case refused || s == protocol.StatusReject:
		last.fate = fateRejected
	case s == protocol.StatusTempFail:
		last.fate = fateTempFailed
	}
	if t.kept[last.fate]++; t.kept[last.fate] > limits.Recipients {
		t.rcptsCut = true
		t.buf = t.buf[:last.addr.from]
		t.rcpts = t.rcpts[:len(t.rcpts)-1]
	}
}

// result returns what is known so far.
func (t *tally) result(reason string) *Result {
	r := &Result{
		From:       t.string(t.from),
		FromParams: protocol.Params(t.buf[t.fromParams.from:t.fromParams.to]).Strings(),
		BodySize:   t.body,
		Truncated:  t.headersCut || t.rcptsCut,

		State:       t.state,
		Status:      t.status,
		Quarantined: t.quarantined,

		AddedHeaders:      copied(t.added),
		RemovedHeaders:    copied(t.removed),
		ChangedFrom:       t.changedFrom,
		AddedRecipients:   copied(t.addedRcpts),
		DeletedRecipients: copied(t.deletedRcpts),
		NewBodySize:       t.newBody,

		Start:       t.start,
		End:         t.end,
		HandlerTime: t.handlers,
		By:          t.by,
	}
	if t.status == protocol.StatusAbort && t.kept[fateTaken] > 0 { // what refused others is not why
		r.By = ""
	} else if t.reply != nil {
		r.Reply = t.reply.String()
	}
	if t.quarantined {
		r.QuarantineReason = reason
	}
	lists := [numFates]*[]string{&r.Recipients, &r.TempFailed, &r.Rejected}
	for _, rcpt := range t.rcpts {
		list := lists[rcpt.fate]
		*list = append(*list, t.string(rcpt.addr))
	}
	for _, h := range t.headers {
		r.Headers = append(r.Headers, Field{t.string(h.name), t.string(h.value)})
	}
	return r
}

// copied returns a copy of a list; nil for an empty one.
func copied[T any](list []T) []T { return append([]T(nil), list...) }
