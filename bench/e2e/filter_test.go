package e2e

import (
	"slices"
	"strings"
	"sync"

	"millstream/handlers"
	"millstream/protocol"
)

// A filter is the milter of the tests. What it does with a message stands in the
// address of the sender, as "plan.token@from.example.org": a plan is the name of
// a [change], or a verdict and an event, such as "reject-at-header". Other plans
// let the message pass. Before a message, the address of the client and its name
// tell the plan: see [planOfClient] and [planOfHelo].
type filter struct {
	changes map[string]change

	mu       sync.Mutex
	results  map[string]*handlers.Result // by token
	failures []error
}

func newFilter() *filter {
	f := &filter{changes: map[string]change{}, results: map[string]*handlers.Result{}}
	for _, c := range append(slices.Clone(changes), others...) {
		f.changes[c.name] = c
	}
	return f
}

// handler returns the handler of all connections. Some of its functions run on
// the event loop and some do not.
func (f *filter) handler() handlers.Handler {
	return handlers.Chain(
		handlers.On(f.negotiate),
		handlers.On(f.connect),
		handlers.Go(f.helo),
		handlers.On(f.mailFrom),
		handlers.Go(f.rcptTo),
		handlers.On(f.data),
		handlers.On(f.header),
		handlers.Go(f.endOfHeader),
		handlers.On(f.body),
		handlers.Go(f.endOfMessage),
		handlers.On(f.unknown),
		handlers.Observe(f.processed),
		handlers.Observe(f.failure),
	)
}

// negotiate asks for a macro that MTAs do not send by themselves.
func (f *filter) negotiate(_ *handlers.Session, n *handlers.Negotiation) handlers.Reply {
	n.RequestMacros(protocol.StageConnect, "j", "{client_addr}")
	return handlers.Continue
}

func (f *filter) connect(_ *handlers.Session, c *protocol.Connect) handlers.Reply {
	return verdict(planOfClient(c.Addr.IP.String()), "connect")
}

func (f *filter) helo(_ *handlers.Session, c *protocol.Helo) handlers.Reply {
	return verdict(planOfHelo(c.Name.String()), "helo")
}

func (f *filter) mailFrom(s *handlers.Session, c *protocol.MailFrom) handlers.Reply {
	plan, _ := planOfSender(c.Mailbox().String())
	s.Shelf().Set("plan", plan)
	return verdict(plan, "envelope-from")
}

func (f *filter) rcptTo(s *handlers.Session, c *protocol.RcptTo) handlers.Reply {
	if strings.HasPrefix(c.Mailbox().String(), "refused@") {
		return handlers.Reject.With(550, "5.1.1", "nobody of that name")
	}
	return verdict(plan(s), "envelope-recipient")
}

func (f *filter) data(s *handlers.Session, _ *protocol.Data) handlers.Reply {
	return verdict(plan(s), "data")
}

func (f *filter) header(s *handlers.Session, _ *protocol.Header) handlers.Reply {
	return verdict(plan(s), "header")
}

func (f *filter) endOfHeader(s *handlers.Session, _ *protocol.EndOfHeader) handlers.Reply {
	return verdict(plan(s), "end-of-header")
}

func (f *filter) body(s *handlers.Session, _ *protocol.Body) handlers.Reply {
	return verdict(plan(s), "body")
}

func (f *filter) endOfMessage(s *handlers.Session, m *handlers.Message) handlers.Reply {
	if c, ok := f.changes[plan(s)]; ok {
		c.apply(m)
	}
	if plan(s) == "macros" {
		m.AddHeader("X-Macros", strings.Join([]string{
			s.Macro("j"), s.Macro("client_addr"), s.Macro("i"), s.Macro("{mail_addr}"),
		}, " "))
	}
	return verdict(plan(s), "end-of-message")
}

func (f *filter) unknown(_ *handlers.Session, c *protocol.Unknown) handlers.Reply {
	return handlers.Reject.With(500, "5.5.1", "never heard of "+c.Line.String())
}

func (f *filter) processed(_ *handlers.Session, r *handlers.Result) {
	_, token := planOfSender(strings.Trim(r.From, "<>"))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.results[token] = r
}

func (f *filter) failure(_ *handlers.Session, e *handlers.Failure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, e.Err)
}

// result returns what became of a message, or nil if it has not ended.
func (f *filter) result(token string) *handlers.Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.results[token]
}

// failed returns the errors that the server reported.
func (f *filter) failed() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failures
}

// plan returns the plan of the message under way.
func plan(s *handlers.Session) string {
	p, _ := s.Shelf().Get("plan")
	plan, _ := p.(string)
	return plan
}

// planOfSender splits the address of a sender.
func planOfSender(addr string) (plan, token string) {
	local, _, _ := strings.Cut(addr, "@")
	plan, token, _ = strings.Cut(local, ".")
	return plan, token
}

// planOfClient returns the plan of an SMTP client by its address.
func planOfClient(ip string) string {
	switch ip {
	case "127.0.0.11":
		return "reject-at-connect"
	case "127.0.0.12":
		return "tempfail-at-connect"
	}
	return ""
}

// planOfHelo returns the plan of an SMTP client by the name it gives.
func planOfHelo(name string) string {
	verdict, _, _ := strings.Cut(name, ".")
	return verdict + "-at-helo"
}

// verdict returns the reply of a plan to an event.
func verdict(plan, event string) handlers.Reply {
	what, at, _ := strings.Cut(plan, "-at-")
	if at != event {
		return handlers.Continue
	}
	switch what {
	case "reject":
		return handlers.Reject.With(550, "5.7.1", "refused at "+event, "100% of it")
	case "tempfail":
		return handlers.TempFail.With(451, "4.7.1", "not now at "+event, "100% of it")
	case "discard":
		return handlers.Discard
	case "accept":
		return handlers.Accept
	}
	return handlers.Continue
}
