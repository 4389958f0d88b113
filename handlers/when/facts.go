package when

import (
	"strings"

	"millstream/handlers"
	"millstream/protocol"
)

// facts are what a program has gathered of the message under way: no more than it
// uses. They stand on the shelf of the session.
type facts struct {
	sender     string
	params     []string // of the sender
	rcpt       string   // the one under way, or the last
	rcptParams []string
	rcpts      []string   // those not refused
	count      int        // of recipients not refused
	headers    [][]string // values of the header fields that are gathered
	fields     int        // header fields
	kept       int        // bytes of headers
	size       int        // bytes of the body

	reached handlers.Kind // the last command that was gathered from
	open    bool          // a recipient is under way, and counted
	rcptIs  bool          // the expression holds for it
	matched int           // recipients not refused that it holds for

	decided bool // the expression is decided for the message: holds
	holds   bool
	held    bool // it has held at some event of the message
	skipped bool // the handler wants no more of the body
}

// A gathering is a kind of thing to gather.
type gathering uint8

const (
	gatherSender     gathering = 1 << iota
	gatherParams               // of the sender
	gatherRcpt                 // the one under way
	gatherRcptParams           // of the one under way
	gatherRcpts                // all of them
	gatherCount                // how many there are
	gatherHeaders
	gatherSize
)

// gatherAnyRcpt is all that is told with a recipient.
const gatherAnyRcpt = gatherRcpt | gatherRcptParams | gatherRcpts | gatherCount

// has reports whether any of several things is in g.
func (g gathering) has(things gathering) bool { return g&things != 0 }

// A unit is what one or several expressions use together.
type unit struct {
	leaves  []*leaf
	headers []string // names of header fields to gather
	gathers gathering
}

// events returns the kinds of events that are gathered from.
func (u *unit) events() handlers.Kinds {
	kinds := handlers.Of(handlers.KindEnvelopeFrom)
	if u.gathers.has(gatherAnyRcpt) {
		kinds |= handlers.Of(handlers.KindEnvelopeRecipient, handlers.KindResponse)
	}
	if u.gathers.has(gatherHeaders) {
		kinds |= handlers.Of(handlers.KindHeader)
	}
	if u.gathers.has(gatherSize) {
		kinds |= handlers.Of(handlers.KindBody)
	}
	return kinds
}

// header returns the place of a header field among those that are gathered.
func (u *unit) header(name string) int {
	for i, n := range u.headers {
		if strings.EqualFold(n, name) {
			return i
		}
	}
	u.headers = append(u.headers, name)
	return len(u.headers) - 1
}

// gather notes what an event says of the message under way. It returns the facts of
// the message; nil outside a message, and in one whose beginning was not told.
func (u *unit) gather(key string, s *handlers.Session, ev handlers.Event) *facts {
	if mail, ok := ev.(*protocol.MailFrom); ok {
		f := &facts{reached: handlers.KindEnvelopeFrom}
		if u.gathers.has(gatherSender) {
			f.sender = mail.Mailbox().String()
		}
		if u.gathers.has(gatherParams) {
			f.params = mail.Params.Strings()
		}
		s.Shelf().Set(key, f)
		return f
	}
	kept, _ := s.Shelf().Get(key)
	f, _ := kept.(*facts)
	if f == nil {
		return nil
	}
	if kind := handlers.KindOf(ev); handlers.KindConnect <= kind && kind <= handlers.KindEndOfMessage {
		f.reached = kind
	}
	switch e := ev.(type) {
	case *protocol.RcptTo:
		f.recipient(u, s, e)
	case *protocol.Header:
		f.header(u, e)
	case *protocol.Body:
		f.size += len(e.Chunk)
	case *handlers.Message:
		f.size += len(e.Chunk())
	}
	return f
}

// recipient notes a recipient. One that the MTA has refused does not count.
func (f *facts) recipient(u *unit, s *handlers.Session, e *protocol.RcptTo) {
	if u.gathers.has(gatherRcpt | gatherRcpts) {
		f.rcpt = e.Mailbox().String()
	}
	if u.gathers.has(gatherRcptParams) {
		f.rcptParams = e.Params.Strings()
	}
	f.rcptIs, f.open = false, !s.RcptRefused()
	if !f.open {
		return
	}
	if f.count++; u.gathers.has(gatherRcpts) && len(f.rcpts) < handlers.DefaultResultLimits.Recipients {
		f.rcpts = append(f.rcpts, f.rcpt)
	}
}

// answered notes what became of the recipient under way.
func (f *facts) answered(r *handlers.Response) {
	refused := r.Status == protocol.StatusReject || r.Status == protocol.StatusTempFail
	if f.open && refused {
		if len(f.rcpts) == f.count {
			f.rcpts = f.rcpts[:f.count-1]
		}
		f.count--
		if f.rcptIs {
			f.matched--
		}
	}
	f.open = false
}

// header notes a header field, within the limits of a [handlers.Result].
func (f *facts) header(u *unit, e *protocol.Header) {
	f.fields++
	for i, name := range u.headers {
		if !e.Name.EqualFold(name) {
			continue
		}
		f.keep(u, i, e.Value.String())
		return
	}
}

// keep keeps a value of the header field at place i.
func (f *facts) keep(u *unit, i int, value string) {
	limits := &handlers.DefaultResultLimits
	if f.headers == nil {
		f.headers = make([][]string, len(u.headers))
	}
	if f.kept+len(value) > limits.HeaderBytes || len(f.headers[i]) >= limits.Headers {
		return
	}
	f.kept += len(value)
	f.headers[i] = append(f.headers[i], unfold(value))
}

// unfold returns the value of a header field as one line, without space around it.
func unfold(value string) string {
	if strings.ContainsAny(value, "\r\n") {
		value = strings.NewReplacer("\r\n", "", "\n", "", "\r", "").Replace(value)
	}
	return strings.Trim(value, " \t")
}

// values returns what was kept of the header field at place i.
func (f *facts) values(i int) []string {
	if f.headers == nil {
		return nil
	}
	return f.headers[i]
}

// domain returns the domain of an address, in small letters; empty if it has none.
func domain(addr string) string {
	i := strings.LastIndexByte(addr, '@')
	if i < 0 {
		return ""
	}
	return strings.ToLower(addr[i+1:])
}

// param returns the value of the first ESMTP parameter of a name, letter case aside.
func param(params []string, name string) string {
	for _, p := range params {
		if key, value, _ := strings.Cut(p, "="); strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}
