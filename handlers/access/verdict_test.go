package access

import (
	"strings"
	"testing"

	"millstream/handlers"
	"millstream/protocol"
)

// FuzzVerdict reads any value of an entry. What it means can be done, or is refused.
func FuzzVerdict(f *testing.F) {
	for _, seed := range []string{"", "OK", "REJECT 550 5.7.1 text", "450 4.2.0 a\\nb", "HOLD x", "dunno", "599", "REJECT\t5.1.1", "DEFER 5.1.1 x", "\x00"} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, value string, late bool) {
		stage := handlers.KindEnvelopeFrom
		if late {
			stage = handlers.KindEnvelopeRecipient
		}
		m, err := newMeaning(&Rule{LookUp: sender, Action: "reject"}, stage)
		if err != nil {
			t.Fatal(err)
		}
		v, err := m.verdict(value)
		if err != nil {
			if v != nil {
				t.Errorf("%q: %v with a verdict", value, err)
			}
			return
		}
		text := v.reply.SMTP()
		switch v.action {
		case reject:
			if !text.Suits(protocol.StatusReject) || v.reply.Status() != protocol.StatusReject {
				t.Errorf("%q: %v", value, text)
			}
		case tempFail:
			if !text.Suits(protocol.StatusTempFail) || v.reply.Status() != protocol.StatusTempFail {
				t.Errorf("%q: %v", value, text)
			}
		case accept, quarantine:
			if late || (v.action == quarantine) != (v.reason != "") || strings.Contains(v.reason, "\n") {
				t.Errorf("%q: action %d, reason %q", value, v.action, v.reason)
			}
		case dunno, proceed, discard:
		default:
			t.Errorf("%q: action %d", value, v.action)
		}
	})
}
