package greylist

import (
	"net/netip"
	"strings"
	"testing"

	"millstream/protocol"
)

// The names of marks are those that the package comment tells.
func TestNames(t *testing.T) {
	of := subject{
		client: netip.MustParseAddr("192.0.2.77"), helo: "MX", sender: "A@Example.com", rcpt: protocol.View("b@EXAMPLE.net"),
	}
	for _, tt := range []struct{ key, want string }{
		{"network sender recipient", "greylist 192.0.2.0/24|sender=a@example.com|recipient=b@example.net|"},
		{"recipient sender", "greylist |sender=a@example.com|recipient=b@example.net|"},
		{"network", "greylist 192.0.2.0/24|"},
		{"helo sender_domain recipient_domain", "greylist |helo=mx|sender_domain=example.com|recipient_domain=example.net|"},
	} {
		s := Defaults()
		s.Key = strings.Fields(tt.key)
		k := newKeys(s, nil)
		if got := k.make(of); got.who != "greylist 192.0.2.0/24" || got.triplet != strings.ReplaceAll(tt.want, "|", "\x00") {
			t.Errorf("%s: %q", tt.key, got)
		}
	}
}

// Whatever strangers write, two keys are the same only if what they are made of is.
func FuzzKeys(f *testing.F) {
	f.Add("a@example.com", "b@example.net", "a@example.com", "b@example.net")
	f.Add("a", "recipient=b", "arecipient=", "b")
	f.Add("", "@", "@", "")
	k := newKeys(Defaults(), nil)
	client := netip.MustParseAddr("2001:db8::1")
	f.Fuzz(func(t *testing.T, sender1, rcpt1, sender2, rcpt2 string) {
		if strings.Contains(sender1+rcpt1+sender2+rcpt2, "\x00") {
			return // no View has one
		}
		one := k.make(subject{client: client, sender: sender1, rcpt: protocol.View(rcpt1)})
		two := k.make(subject{client: client, sender: sender2, rcpt: protocol.View(rcpt2)})
		lower := func(s string) string { return string(appendLower(nil, s)) }
		same := lower(sender1) == lower(sender2) && lower(rcpt1) == lower(rcpt2)
		if (one.triplet == two.triplet) != same || one.triplet == one.who || !strings.HasPrefix(one.triplet, one.who) {
			t.Errorf("%q and %q", one.triplet, two.triplet)
		}
	})
}
