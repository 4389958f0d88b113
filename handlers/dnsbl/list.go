package dnsbl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
)

// A Resolver looks names up in the DNS. That there is no such name, or no such record, is
// a [*net.DNSError] with IsNotFound for errors.As. Look-ups end with their context.
type Resolver interface {
	// LookupA returns the IPv4 addresses of a name.
	LookupA(ctx context.Context, name string) ([]netip.Addr, error)

	// LookupTXT returns the texts of a name.
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// A list is a zone that is asked.
type list struct {
	name       string
	zone       string
	looksUp    [numKinds]bool
	entries    []entry
	txt        bool
	registered bool
	measured
	failing atomic.Bool // the last answer was a failure
}

// An entry is answers that count.
type entry struct {
	pattern pattern
	weight  int
	text    string
}

// A finding is what a list says of something.
type finding struct {
	list    *list
	subject string
	score   int
	reasons []string
}

// any are the answers of lists.
var anyAnswer = pattern{{least: loopback, most: loopback}, {most: 255}, {most: 255}, {most: 255}}

// name returns what the zone is called.
func (z *Zone) name() string {
	if z.Name != "" {
		return z.Name
	}
	return strings.TrimSuffix(z.Zone, ".")
}

// looksUp reports whether a kind is looked up.
func (z *Zone) looksUp(k kind) bool {
	return len(z.Lookup) == 0 && k == client || slices.ContainsFunc(z.Lookup, func(word string) bool {
		known, ok := kinds[word]
		return ok && known == k
	})
}

// newList returns the list of a zone that was checked.
func newList(z *Zone) (*list, error) {
	l := &list{name: z.name(), zone: domain(z.Zone), txt: z.TXT, registered: z.Registered}
	for k := range numKinds {
		l.looksUp[k] = z.looksUp(k)
	}
	weight := orElse(z.Weight, 1)
	for _, a := range z.Answers {
		p, err := parsePattern(a.Match)
		if err != nil {
			return nil, err
		}
		l.entries = append(l.entries, entry{p, orElse(a.Weight, weight), orElse(a.Text, z.Text)})
	}
	if len(l.entries) == 0 {
		l.entries = []entry{{anyAnswer, weight, z.Text}}
	}
	return l, nil
}

// orElse returns v, or another value if it is zero.
func orElse[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// ask looks something up, whose label is given. The finding is nil if it is not listed.
func (l *list) ask(ctx context.Context, r Resolver, s subject, label string) (*finding, error) {
	name := label + "." + l.zone
	addrs, err := r.LookupA(ctx, name)
	switch {
	case isNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("list %s: %w", l.name, err)
	}
	f, err := l.judge(s, addrs)
	if f == nil || err != nil {
		return nil, err
	}
	if all, err := r.LookupA(ctx, s.kind.control()+"."+l.zone); err == nil && len(all) > 0 {
		return nil, fmt.Errorf("list %s: it lists %s, and so everything: take it out", l.name, s.kind.control())
	}
	if l.txt {
		texts, _ := r.LookupTXT(ctx, name) // without it the listing is as good
		f.reasons = append(f.reasons, texts...)
	}
	return f, nil
}

// isNotFound reports whether a name is not there.
func isNotFound(err error) bool {
	var e *net.DNSError
	return errors.As(err, &e) && e.IsNotFound
}

// judge returns what answers mean; nil if none of them counts.
func (l *list) judge(s subject, addrs []netip.Addr) (*finding, error) {
	f, fits := &finding{list: l, subject: s.text}, make([]bool, len(l.entries))
	for _, addr := range addrs {
		if err := l.refused(addr); err != nil {
			return nil, err
		}
		for i := range l.entries {
			fits[i] = fits[i] || l.entries[i].pattern.fits(addr.As4())
		}
	}
	for i, e := range l.entries {
		if !fits[i] {
			continue
		}
		f.score += e.weight
		if e.text != "" && !slices.Contains(f.reasons, e.text) {
			f.reasons = append(f.reasons, e.text)
		}
	}
	if !slices.Contains(fits, true) {
		return nil, nil
	}
	return f, nil
}

// refused returns why an answer is none.
func (l *list) refused(addr netip.Addr) error {
	switch {
	case !addr.Is4() || !addr.IsLoopback():
		return fmt.Errorf("list %s: it answers %v, as no list does: look whether the resolver forges answers, and whether the list is still there", l.name, addr)
	case refusals.Contains(addr), addr == nobody && !l.names(addr):
		return fmt.Errorf("list %s: it answers %v, so it does not serve this resolver: use one of your own, or register with the list", l.name, addr)
	}
	return nil
}

// names reports whether a match is just one answer.
func (l *list) names(addr netip.Addr) bool {
	return slices.ContainsFunc(l.entries, func(e entry) bool { return e.pattern.isOne(addr.As4()) })
}
