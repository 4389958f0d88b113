package ratelimit

import (
	"millstream/handlers"
	"millstream/protocol"
)

// A draft is what is known of the message under way that events do not tell again.
type draft struct {
	sender protocol.View
	size   int64 // of the body
}

// keeper returns what notes of a message what limits need later.
func (f *filter) keeper(limits []*limit) (hs []handlers.Handler) {
	var clients, senders, sizes bool
	for _, l := range limits {
		clients = clients || l.key.has(clientAddr, clientNetwork)
		senders = senders || l.stage > handlers.KindEnvelopeFrom && l.key.has(sender, senderDomain)
		sizes = sizes || l.What == bytesSent
	}
	if clients {
		hs = append(hs, handlers.Need(handlers.KindConnect))
	}
	if senders {
		hs = append(hs, handlers.Observe(func(s *handlers.Session, c *protocol.MailFrom) { f.draft(s, true).sender = c.Mailbox().Clone() }))
	}
	if sizes {
		hs = append(hs, handlers.Observe(func(s *handlers.Session, c *protocol.Body) { f.draft(s, true).size += int64(len(c.Chunk)) }))
	}
	return hs
}

// draft returns the draft of the message under way. If there is none it is nil, or made.
func (f *filter) draft(s *handlers.Session, wanted bool) *draft {
	kept, _ := s.Shelf().Get(f.shelf)
	d, _ := kept.(*draft)
	if d == nil && wanted {
		d = &draft{}
		s.Shelf().Set(f.shelf, d)
	}
	return d
}

// sender returns the sender of the message under way, if it was kept.
func (f *filter) sender(s *handlers.Session) protocol.View {
	if d := f.draft(s, false); d != nil {
		return d.sender
	}
	return nil
}

// size returns how much of the body has come.
func (f *filter) size(s *handlers.Session) int64 {
	if d := f.draft(s, false); d != nil {
		return d.size
	}
	return 0
}
