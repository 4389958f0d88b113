package resolver

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Limits of an answer that is believed.
const (
	maxRecords = 100
	maxBytes   = 16 << 10
	maxAliases = 16
)

// A question is what is looked up: a canonical name and a type.
type question struct {
	name string
	kind uint16
}

// An answer is what a look-up came to. It does not change: several callers have it.
type answer struct {
	addrs []netip.Addr // A, AAAA
	texts []string     // TXT, PTR
	mx    []MX
	size  int   // bytes of all that
	err   error // ErrNotFound, ErrTimeout or ErrServer instead

	ttl  time.Duration // how long it may be kept
	ends time.Time     // when it is kept no longer
}

// parse returns the answer in a message. The error says why it has none, so that
// another server is to be asked.
func (q question) parse(m *dns.Msg) (*answer, error) {
	switch m.Rcode {
	case dns.RcodeSuccess:
	case dns.RcodeNameError:
		return notFound(m), nil
	default:
		return nil, fmt.Errorf("%w: it says %s", ErrServer, dns.RcodeToString[m.Rcode])
	}
	name, ttl, err := q.follow(m.Answer)
	if err != nil {
		return nil, err
	}
	a := new(answer)
	records := 0
	for _, rr := range m.Answer {
		h := rr.Header()
		if h.Rrtype != q.kind || h.Class != dns.ClassINET || !strings.EqualFold(h.Name, name) {
			continue
		}
		a.add(rr)
		ttl = min(ttl, seconds(h.Ttl))
		if records++; records > maxRecords || a.size > maxBytes {
			return nil, fmt.Errorf("%w: its answer is larger than %d records or %d bytes", ErrServer, maxRecords, maxBytes)
		}
	}
	switch {
	case records > 0:
		a.ttl = ttl
		return a, nil
	case isReferral(m):
		return nil, fmt.Errorf("%w: it refers to other servers: give one that resolves names for others", ErrServer)
	}
	return notFound(m), nil
}

// follow returns the name that the records asked for belong to: that of the question, or
// the last of its aliases; and the least TTL on the way.
func (q question) follow(records []dns.RR) (name string, ttl time.Duration, err error) {
	name, ttl = q.name, math.MaxInt64
	for range maxAliases {
		i := 0
		for ; i < len(records); i++ {
			alias, ok := records[i].(*dns.CNAME)
			if ok && strings.EqualFold(alias.Hdr.Name, name) {
				name, ttl = alias.Target, min(ttl, seconds(alias.Hdr.Ttl))
				break
			}
		}
		if i == len(records) {
			return name, ttl, nil
		}
	}
	return "", 0, fmt.Errorf("%w: its answer has more than %d aliases", ErrServer, maxAliases)
}

// add adds what a record says.
func (a *answer) add(rr dns.RR) {
	switch rr := rr.(type) {
	case *dns.A:
		a.addr(rr.A)
	case *dns.AAAA:
		a.addr(rr.AAAA)
	case *dns.TXT:
		var text strings.Builder
		for _, s := range rr.Txt {
			text.WriteString(plain(s))
		}
		a.text(text.String())
	case *dns.PTR:
		a.text(host(rr.Ptr))
	case *dns.MX:
		a.mx = append(a.mx, MX{host(rr.Mx), rr.Preference})
		a.size += len(rr.Mx)
	}
}

func (a *answer) addr(ip []byte) {
	if addr, ok := netip.AddrFromSlice(ip); ok { // a record may have none
		a.addrs = append(a.addrs, addr.Unmap())
		a.size += len(ip)
	}
}

func (a *answer) text(s string) {
	a.texts = append(a.texts, s)
	a.size += len(s)
}

// notFound returns the answer that there is none. It may be kept if the message has the
// SOA of the zone, as long as that says (RFC 2308, 5).
func notFound(m *dns.Msg) *answer {
	a := &answer{err: ErrNotFound}
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			a.ttl = min(seconds(soa.Hdr.Ttl), seconds(soa.Minttl))
		}
	}
	return a
}

// isReferral reports whether a message without an answer only names servers to ask.
func isReferral(m *dns.Msg) bool {
	names := false
	for _, rr := range m.Ns {
		switch rr.Header().Rrtype {
		case dns.TypeSOA:
			return false
		case dns.TypeNS:
			names = true
		}
	}
	return names && !m.Authoritative
}

// seconds returns a TTL. One with the highest bit set is zero (RFC 2181, 8).
func seconds(ttl uint32) time.Duration {
	if ttl >= 1<<31 {
		return 0
	}
	return time.Duration(ttl) * time.Second
}
