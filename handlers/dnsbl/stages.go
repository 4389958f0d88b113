package dnsbl

import (
	"slices"

	"millstream/handlers"
	"millstream/protocol"
)

// connect looks a client up as soon as it is there.
func (f *filter) connect(s *handlers.Session, c *protocol.Connect) handlers.Reply {
	addr := c.Addr.IP.Unmap()
	if f.isLocal(addr) {
		return handlers.Continue
	}
	return f.envelope(s, nil, subject{client, addr.String()})
}

// helo looks the name of a client up as soon as it has said it.
func (f *filter) helo(s *handlers.Session, h *protocol.Helo) handlers.Reply {
	if f.isLocal(clientOf(s)) {
		return handlers.Continue
	}
	return f.envelope(s, nil, subject{helo, domain(h.Name.String())})
}

// mail looks up what is not known yet of the envelope.
func (f *filter) mail(s *handlers.Session, c *protocol.MailFrom) handlers.Reply {
	addr := clientOf(s)
	if f.isLocal(addr) || f.skipAuthenticated && isAuthenticated(s) {
		return handlers.Continue
	}
	m := &message{sender: c.Mailbox().String(), uris: scanner{bytes: f.uriBytes, room: f.uriHosts}}
	s.Shelf().Set(f.key, m)
	return f.envelope(s, m, subject{client, addr.String()}, subject{helo, domain(s.Helo())}, subject{sender, domainOf(m.sender)})
}

// envelope looks subjects up, but for what is known of the connection, and decides. m is
// nil before MAIL.
func (f *filter) envelope(s *handlers.Session, m *message, subjects ...subject) handlers.Reply {
	c := f.connection(s)
	var known, unknown []subject
	for _, about := range subjects {
		switch {
		case about.text == "":
		case about.kind != sender && c.known[about.kind] == about.text:
			known = append(known, about)
		default:
			unknown = append(unknown, about)
		}
	}
	answered := len(f.queries(known)) > 0
	return f.after(f.queries(unknown), func(a answers, failure error) handlers.Reply {
		for _, about := range subjects {
			k := about.kind
			switch {
			case k == sender:
				m.found = a[k].found
			case c.known[k] != about.text:
				c.known[k], c.found[k] = about.text, a[k].found
				if a[k].failed {
					c.known[k] = "" // the next message asks again
				}
			}
		}
		if answered { // some lists have, as for the first message
			failure = nil
		}
		return f.decide(f.verdict(s, c, m, nil), nil, failure)
	})
}

// body searches the text for hosts.
func (f *filter) body(s *handlers.Session, b *protocol.Body) handlers.Reply {
	m := f.message(s)
	if m == nil {
		return handlers.Skip
	}
	if m.uris.write(b.Chunk); m.uris.full() {
		return handlers.Skip
	}
	return handlers.Continue
}

// end looks the hosts up that are in the text, and does what is left to do.
func (f *filter) end(s *handlers.Session, e *handlers.Message) handlers.Reply {
	m := f.message(s)
	if m == nil {
		return handlers.Continue
	}
	m.uris.write(e.Chunk())
	m.uris.end()
	var hosts []subject
	for _, host := range m.uris.hosts {
		hosts = append(hosts, subject{uri, host})
	}
	return f.after(f.queries(hosts), func(a answers, failure error) handlers.Reply {
		return f.decide(f.verdict(s, f.connection(s), m, a[uri].found), e, failure)
	})
}

// message returns what is known of the message of a session; nil if nothing is looked up
// for it.
func (f *filter) message(s *handlers.Session) *message {
	v, _ := s.Shelf().Get(f.key)
	m, _ := v.(*message)
	return m
}

// verdict adds up what was found. m may be nil.
func (f *filter) verdict(s *handlers.Session, c *connection, m *message, hosts []*finding) *verdict {
	v := &verdict{client: clientOf(s).String(), helo: s.Helo()}
	v.found = slices.Concat(c.found[client], c.found[helo])
	if m != nil {
		v.sender = m.sender
		v.found = slices.Concat(v.found, m.found, hosts)
	}
	for _, found := range v.found {
		v.score += found.score
	}
	return v
}

// decide returns the answer to a verdict. What is known may be enough to refuse, and is
// acted on at the end of a message, which e is, or nil before; without a refusal a failure
// is one.
func (f *filter) decide(v *verdict, e *handlers.Message, failure error) handlers.Reply {
	if r, refused := f.refuse(v); refused {
		return r
	}
	if e != nil {
		f.mark(e, v)
	}
	if failure != nil {
		return handlers.Failed(failure)
	}
	return handlers.Continue
}
